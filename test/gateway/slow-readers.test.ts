import { connect } from 'node:net'
import { afterAll, expect, test, vi } from 'vitest'
import { createBegun } from '@/gateway/stores/one-effect'
import { settingsFor } from './gateway-fixture'
import { openWorld } from './gateway-world'

// Clients that never read their answer hold buffers and the upstream's connection; those whose answer is slow in coming do not.

const WRITE_TIMEOUT_MS = 300
const { upstream, gateway } = await openWorld((fixture, url) =>
  settingsFor(fixture, url, {}, { limits: { writeTimeout: `${WRITE_TIMEOUT_MS}ms` } }),
)
const sockets: ReturnType<typeof connect>[] = []
afterAll(() => {
  for (const socket of sockets) socket.destroy()
})

/** More than what kernels buffer on both sides of a connection. */
const MUCH = 'x'.repeat(32 * 1024 * 1024)

const open = (request: string) => {
  const socket = connect(gateway.port, '127.0.0.1', () => socket.write(request, 'latin1'))
  sockets.push(socket)
  socket.on('error', () => {})
  return socket
}

test('who takes nothing of a stream for the write timeout is cut off, and so is the stream', async () => {
  upstream.behave({ kind: 'answer', status: 200, body: MUCH }, '/open/much')
  const before = upstream.connections()
  const socket = open('GET /open/much HTTP/1.1\r\nhost: a\r\n\r\n')
  socket.pause()
  await upstream.arrived(1)
  expect(upstream.connections()).toBeGreaterThan(before)
  await vi.waitFor(() => expect(upstream.connections()).toBe(before), { timeout: 30_000 })
  const ended = new Promise((resolve) => socket.once('close', resolve))
  socket.resume()
  await ended
  expect(socket.bytesRead).toBeLessThan(MUCH.length)
})

test('who reads slowly, and who waits for what is not there yet, is served', async () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 10\r\n\r\n'
  upstream.behave({ kind: 'raw', bytes: `${head}first` }, '/open/events')
  const socket = open('GET /open/events HTTP/1.1\r\nhost: a\r\n\r\n')
  let isClosed = false
  socket.once('close', () => {
    isClosed = true
  })
  await new Promise((resolve) => socket.once('data', resolve))
  // Nothing waits to be written, however long that lasts: another one's timeout passes meanwhile.
  upstream.behave({ kind: 'answer', status: 200, body: MUCH }, '/open/much')
  const other = open('GET /open/much HTTP/1.1\r\nhost: a\r\n\r\n')
  other.pause()
  const connections = upstream.connections()
  await vi.waitFor(() => expect(upstream.connections()).toBeGreaterThan(connections), { timeout: 30_000 })
  await vi.waitFor(() => expect(upstream.connections()).toBe(connections), { timeout: 30_000 })
  expect(isClosed).toBe(false)
})

test('what was begun and never asked for is forgotten', () => {
  let nowMs = 0
  const begun = createBegun({ nowMs: () => nowMs, after: () => () => {} }, 1_000)
  const held = (key: string) => ({ scope: 'web/POST /', key, fence: 1n })
  for (let n = 0; n < 100; n++) {
    begun.note(held(`key-${n}`), { kind: 'begun', providerKey: null })
    nowMs += 100
  }
  expect(begun.size()).toBe(10)
  expect(begun.find(held('key-99'))).toEqual({ kind: 'begun', providerKey: null })
  expect(begun.find(held('key-0'))).toBeUndefined()
})

import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { postJson } from '@/lib/outbound/post-json'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function listen(handle: RequestListener): Promise<string> {
  const server = createServer(handle)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
}

const send = (url: string, timeoutMs = 10_000, allow = ['127.0.0.1/32']) =>
  postJson(url, { headers: {}, body: '{}', timeoutMs, allow })

test('of an answer of 5 MB the beginning is read, and the rest is not waited for', async () => {
  let written = 0
  const url = await listen((_, response) => {
    const more = () => {
      while (written < 5_000_000) {
        written += 65_536
        if (!response.write('x'.repeat(65_536))) return
      }
      response.end()
    }
    response.on('drain', more)
    more()
  })
  const { kind, status, body } = await send(url)
  expect({ kind, status, chars: body?.length }).toEqual({ kind: 'answered', status: 200, chars: 4_096 })
})

test('a receiver that hangs, before its answer or within it, is left after the time-out', async () => {
  const silent = await listen(() => undefined)
  const halfway = await listen((_, response) => {
    response.write('half of ')
  })
  for (const url of [silent, halfway])
    expect(await send(url, 300)).toMatchObject({ kind: 'failed', error: 'No answer within 0.3 s.' })
})

test('a redirect is an answer, wherever it leads', async () => {
  const url = await listen((_, response) => response.writeHead(307, { location: 'http://10.0.0.1/' }).end())
  expect(await send(url)).toMatchObject({ kind: 'answered', status: 307 })
})

test.each([
  ['http://127.0.0.1:9/', 'not a public address'],
  ['https://localhost/', 'not a public address'],
  ['https://169.254.169.254/latest/meta-data', 'not a public address'],
  ['https://[::1]/', 'not a public address'],
  ['http://93.184.216.34/', 'it must be https'],
  ['ftp://93.184.216.34/', 'It must begin with https://'],
  ['https://user:pass@93.184.216.34/', 'user name or password'],
  ['nonsense', 'It is not a URL'],
])('%s is refused before anything is sent', async (url, why) => {
  expect(await send(url, 1_000, [])).toMatchObject({ kind: 'refused', error: expect.stringContaining(why) })
})

test.each([
  ['120', 120_000],
  ['Sun, 01 Mar 2026 12:05:00 GMT', 300_000],
  ['Sun, 01 Mar 2026 11:00:00 GMT', null],
  ['soon', null],
  ['-5', null],
])('Retry-After: %s', async (after, retryAfterMs) => {
  const url = await listen((_, response) =>
    response.writeHead(429, { 'retry-after': after, date: 'Sun, 01 Mar 2026 12:00:00 GMT' }).end(),
  )
  expect(await send(url)).toMatchObject({ status: 429, retryAfterMs })
})

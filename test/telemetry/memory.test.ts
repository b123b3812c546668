import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RECEIVER_ARGS } from '@/jobs/receiver/node-args'
import { systemClock } from '@/lib/core/clock'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { JSON_TYPE, PROTOBUF, send } from './otlp'

/** Stated in docs/guides/telemetry.md, with the default budget of 128 MiB. */
const RESIDENT_MAX_MB = 800
const BODY_BYTES = 19 * 1024 * 1024
const SENDERS = 4
const IDLE_CONNECTIONS = 200

let database: TestDatabase
let receiver: ChildProcess
beforeAll(async () => {
  database = await createTestDatabase()
  receiver = spawn(process.execPath, RECEIVER_ARGS, {
    env: {
      NODE_ENV: 'production',
      PATH: process.env.PATH ?? '',
      DATABASE_URL: database.url,
      OTLP_PORT: '0',
      IDEMSCOPE_KEY_SECRET: 'k'.repeat(32),
      IDEMSCOPE_LOG_LEVEL: 'error',
    },
    stdio: 'ignore',
  })
})
afterAll(async () => {
  receiver.kill('SIGKILL')
  await database.close()
})

const nowNs = (BigInt(systemClock.now().getTime()) * 1_000_000n).toString()
let serial = 0
const spanHead = () => {
  serial += 1
  const id = serial.toString(16)
  return `"traceId":"${id.padStart(32, '0')}","spanId":"${id.padStart(16, '0')}","startTimeUnixNano":"${nowNs}"`
}
const inBody = (spans: string) => `{"resourceSpans":[{"scopeSpans":[{"spans":[${spans}]}]}]}`
const repeat = (piece: string, bytes: number) =>
  Array(Math.floor(bytes / (piece.length + 1)))
    .fill(piece)
    .join()

/** What costs most for its bytes: each is close to the limit of 20 MiB. */
const HOSTILE: Record<string, () => string> = {
  'millions of attributes': () =>
    inBody(`{${spanHead()},"attributes":[${repeat('{"key":"a"}', BODY_BYTES)}]}`),
  'nested arrays': () => {
    const value = `${'{"arrayValue":{"values":['.repeat(300_000)}${']}}'.repeat(300_000)}`
    return inBody(`{${spanHead()},"attributes":[{"key":"a","value":${value}}]}`)
  },
  'one long string': () => inBody(`{${spanHead()},"name":"${'x'.repeat(BODY_BYTES)}"}`),
  'many small spans': () => inBody(Array.from({ length: 24_000 }, () => `{${spanHead()}}`).join()),
  'full spans': () => {
    const attribute = `{"key":"k","value":{"stringValue":"${'\\u0001'.repeat(2_000)}"}}`
    const span = () => `{${spanHead()},"attributes":[${Array(64).fill(attribute).join()}]}`
    return inBody(Array.from({ length: 20 }, span).join())
  },
}

const peakMb = () => {
  const kib = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${receiver.pid}/status`, 'utf8'))?.[1]
  return (Number(kib) * 1024) / 1e6
}

async function listening(): Promise<string> {
  const port = () =>
    database.db.pool
      .query("SELECT detail->>'port' AS port FROM process_heartbeat WHERE kind = 'receiver'")
      .then(({ rows }) => rows[0]?.port as string | undefined)
  await expect.poll(port).toBeTruthy()
  return `http://127.0.0.1:${await port()}`
}

it('whatever senders do at once, memory stays within its bound, and the receiver goes on', async () => {
  const url = await listening()
  const sockets = Array.from({ length: IDLE_CONNECTIONS }, () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(
      `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${JSON_TYPE}\r\ncontent-length: 9000000\r\n\r\n{`,
    )
    return socket
  })
  const statuses: number[] = []
  for (const [name, make] of Object.entries(HOSTILE)) {
    const answers = await Promise.all(
      Array.from({ length: SENDERS }, (_, index) => {
        const body = make()
        const compressed = index % 2 === 0
        const headers = { 'content-type': JSON_TYPE, ...(compressed ? { 'content-encoding': 'gzip' } : {}) }
        return send(url, compressed ? gzipSync(body, { level: 1 }) : Buffer.from(body), headers)
      }),
    )
    for (const { status } of answers) expect([200, 400, 413, 429, 503], name).toContain(status)
    statuses.push(...answers.map(({ status }) => status))
    expect(peakMb(), name).toBeLessThan(RESIDENT_MAX_MB)
  }
  expect(statuses).toContain(200)
  for (const socket of sockets) socket.destroy()
  expect((await send(url, Buffer.alloc(0), { 'content-type': PROTOBUF })).status).toBe(200)
}, 240_000)

import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Receiver } from '@/jobs/receiver/server'
import { decodeLogsJson } from '@/lib/telemetry/decode/json-logs'
import { decodeLogsProtobuf } from '@/lib/telemetry/decode/protobuf-logs'
import { MalformedError } from '@/lib/telemetry/decode/span'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { readKeyLogs, readTraceLogs } from '@/lib/telemetry/read/traces/logs'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { encodeLogs } from './oracle'
import { clock, JSON_TYPE, openReceiver, PROTOBUF, startNs } from './otlp'
import { Random } from './random'
import { hash } from './spans'

let database: TestDatabase
let receiver: Receiver
let base: string
beforeAll(async () => {
  database = await createTestDatabase()
  await ensurePartitions(database.db, clock)
  const opened = await openReceiver(database.db)
  receiver = opened.receiver
  base = opened.url
})
afterAll(async () => {
  await receiver.close(500)
  await database.close()
})

const TRACE = 'ab'.repeat(16)
const SPAN = 'cd'.repeat(8)
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } })
const record = (extra: object = {}) => ({
  timeUnixNano: startNs(),
  observedTimeUnixNano: startNs(2),
  severityNumber: 13,
  severityText: 'WARN',
  eventName: 'payment.retried',
  body: { stringValue: 'charged already' },
  attributes: [
    text('idempotency.key.hash', hash('logged')),
    text('idempotency.scope.name', 'web/POST /v1/payments'),
  ],
  traceId: TRACE,
  spanId: SPAN,
  ...extra,
})
const body = (...logRecords: object[]) => ({
  resourceLogs: [
    { resource: { attributes: [text('service.name', 'payments')] }, scopeLogs: [{ logRecords }] },
  ],
})
const asProto = (request: ReturnType<typeof body>) => ({
  resourceLogs: request.resourceLogs.map(({ resource, scopeLogs }) => ({
    resource,
    scopeLogs: scopeLogs.map(({ logRecords }) => ({
      logRecords: logRecords.map((each) => ({
        ...each,
        traceId: Buffer.from(TRACE, 'hex'),
        spanId: Buffer.from(SPAN, 'hex'),
      })),
    })),
  })),
})
const post = (bytes: Buffer | string, headers: Record<string, string>) =>
  fetch(`${base}/v1/logs`, {
    method: 'POST',
    body: typeof bytes === 'string' ? bytes : new Uint8Array(bytes),
    headers,
  })

describe('log records', () => {
  it('both encodings read alike', () => {
    const request = body(record(), record({ body: { kvlistValue: { values: [text('a', 'b')] } } }))
    const json = decodeLogsJson(Buffer.from(JSON.stringify(request)), new Map())
    const proto = decodeLogsProtobuf(encodeLogs(asProto(request)))
    expect(proto).toEqual(json)
    expect(json[0]).toMatchObject({
      severity: 13,
      severityText: 'WARN',
      eventName: 'payment.retried',
      traceId: TRACE,
    })
  })

  it('flipped, removed and added bytes never do worse than malformed', () => {
    const random = new Random(11)
    const whole = encodeLogs(asProto(body(record(), record())))
    for (let round = 0; round < 3000; round++) {
      const bytes = Buffer.from(whole)
      for (let flips = 1 + random.below(4); flips > 0; flips--)
        bytes[random.below(bytes.length)] = random.below(256)
      try {
        decodeLogsProtobuf(bytes.subarray(0, random.chance(0.3) ? random.below(bytes.length) : bytes.length))
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedError)
      }
    }
  })

  it('are stored once, found by trace and by key, and credentials are not kept', async () => {
    const request = body(
      record(),
      record(),
      record({
        attributes: [
          text('http.request.header.authorization', 'Bearer secret'),
          text('idempotency_key', '"raw-key"'),
        ],
      }),
    )
    const send = () =>
      post(gzipSync(encodeLogs(asProto(request))), { 'content-type': PROTOBUF, 'content-encoding': 'gzip' })
    for (const answer of [await send(), await send()]) {
      expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, 0])
    }
    const logs = await readTraceLogs(database.db, TRACE)
    // Two equal ones of one request are two; sent again they are the same two.
    expect(logs).toHaveLength(3)
    expect(logs[0]).toMatchObject({
      service: 'payments',
      severityText: 'WARN',
      body: 'charged already',
      spanId: SPAN,
    })
    expect(JSON.stringify(logs)).not.toMatch(/secret|raw-key/)
    const byKey = await readKeyLogs(database.db, {
      keyHash: hash('logged'),
      scope: 'web/POST /v1/payments',
      limit: 10,
    })
    expect(byKey).toHaveLength(2)
    expect(await readKeyLogs(database.db, { keyHash: hash('raw-key'), limit: 10 })).toHaveLength(1)
    const { rows } = await database.db.pool.query(
      'SELECT sum(logs)::int AS logs, sum(spans)::int AS spans FROM telemetry.minute_intake',
    )
    expect(rows[0]).toEqual({ logs: 3, spans: 0 })
  })

  it('single records are rejected with the reason', async () => {
    const request = body(
      record({ timeUnixNano: '0', observedTimeUnixNano: '0' }),
      record({ timeUnixNano: startNs(-30 * 86_400_000) }),
    )
    const answer = await post(JSON.stringify(request), { 'content-type': JSON_TYPE })
    const { partialSuccess } = (await answer.json()) as {
      partialSuccess: { rejectedLogRecords: string; errorMessage: string }
    }
    expect(partialSuccess.rejectedLogRecords).toBe('2')
    expect(partialSuccess.errorMessage).toMatch(/time_unix_nano.*days ago/)
  })
})

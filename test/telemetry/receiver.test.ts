import { deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Receiver } from '@/jobs/receiver/server'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { readTrace } from '@/lib/telemetry/read/traces/trace'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { decodeResponse } from './oracle'
import {
  bodyJson,
  clock,
  JSON_TYPE,
  openReceiver,
  PROTOBUF,
  send,
  spanJson,
  startNs,
  toProtobuf,
} from './otlp'

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

const post = (body: Buffer | string, headers: Record<string, string>, path = '/v1/traces') =>
  fetch(base + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers,
  })

const stored = async (traceId: string) => (await readTrace(database.db, traceId)).spans.length

describe('OTLP/HTTP', () => {
  it.each(['', 'gzip', 'deflate'])(
    'takes both encodings, compressed %s, and answers 200 after COMMIT',
    async (coding) => {
      const compress = (bytes: Buffer) =>
        coding === 'gzip' ? gzipSync(bytes) : coding === 'deflate' ? deflateSync(bytes) : bytes
      const header: Record<string, string> = coding === '' ? {} : { 'content-encoding': coding }
      const one = spanJson()
      const json = await post(compress(Buffer.from(JSON.stringify(bodyJson(one)))), {
        'content-type': `${JSON_TYPE}; charset=utf-8`,
        ...header,
      })
      expect([json.status, json.headers.get('content-type'), await json.text()]).toEqual([
        200,
        JSON_TYPE,
        '{}',
      ])
      expect(await stored(one.traceId)).toBe(1)
      const two = spanJson()
      const proto = await post(compress(toProtobuf(two)), { 'content-type': PROTOBUF, ...header })
      expect([
        proto.status,
        proto.headers.get('content-type'),
        (await proto.arrayBuffer()).byteLength,
      ]).toEqual([200, PROTOBUF, 0])
      expect(await stored(two.traceId)).toBe(1)
    },
  )

  it('rejects single spans through partial_success, with the reasons, and stores the rest', async () => {
    const good = spanJson()
    const bad = [
      spanJson({ startTimeUnixNano: startNs(-30 * 86_400_000) }),
      spanJson({ startTimeUnixNano: '9'.repeat(19) }),
      spanJson({ traceId: '0'.repeat(32) }),
    ]
    const json = await post(JSON.stringify(bodyJson(...bad, good)), { 'content-type': JSON_TYPE })
    expect(json.status).toBe(200)
    const { partialSuccess } = (await json.json()) as {
      partialSuccess: { rejectedSpans: string; errorMessage: string }
    }
    expect(partialSuccess.rejectedSpans).toBe('3')
    expect(partialSuccess.errorMessage).toMatch(/days ago.*future.*trace_id/)
    expect(await stored(good.traceId)).toBe(1)
    const proto = await post(
      toProtobuf(spanJson({ startTimeUnixNano: startNs(-30 * 86_400_000) }) as never),
      { 'content-type': PROTOBUF },
    )
    const answer = decodeResponse(Buffer.from(await proto.arrayBuffer())) as {
      partialSuccess: { rejectedSpans: string }
    }
    expect(answer.partialSuccess.rejectedSpans).toBe('1')
  })

  const TIMED = { timeUnixNano: startNs() }
  it.each([
    {
      path: '/v1/traces',
      body: (...items: object[]) => ({
        resourceSpans: [{ instrumentationLibrarySpans: [{ spans: items }] }],
      }),
      item: spanJson,
      fault: { kind: 'SPAN_KIND_OTHER' },
      partialSuccess: {
        rejectedSpans: '2',
        errorMessage: '2 × json: kind has no value SPAN_KIND_OTHER',
      },
    },
    {
      path: '/v1/logs',
      body: (...items: object[]) => ({
        resourceLogs: [{ instrumentationLibraryLogs: [{ logRecords: items }] }],
      }),
      item: (extra: object = {}) => ({ ...TIMED, traceId: spanJson().traceId, ...extra }),
      fault: { severityNumber: 'SEVERITY_NUMBER_LOUD' },
      partialSuccess: {
        rejectedLogRecords: '2',
        errorMessage: '2 × json: severityNumber has no value SEVERITY_NUMBER_LOUD',
      },
    },
  ])(
    'says through partial_success what its decoder refuses, and stores the rest: $path',
    async ({ path, body, item, fault, partialSuccess }) => {
      const good = item()
      const answer = await post(
        JSON.stringify(body(item(fault), good, item(fault))),
        { 'content-type': JSON_TYPE },
        path,
      )
      expect([answer.status, await answer.json()]).toEqual([200, { partialSuccess }])
      const { rows } = await database.db.pool.query(
        `SELECT count(*)::int AS stored FROM telemetry.${path === '/v1/logs' ? 'log' : 'span'}
         WHERE trace_id = decode($1, 'hex')`,
        [good.traceId],
      )
      expect(rows).toEqual([{ stored: 1 }])
    },
  )

  it.each([
    ['/v1/traces', { resourceSpans: [{ librarySpans: [{ spans: [spanJson()] }] }] }],
    ['/v1/logs', { resourceLogs: [{ libraryLogs: [{ logRecords: [TIMED] }] }] }],
  ])('says that it found nothing in a request of an unknown shape: %s', async (path, body) => {
    const answer = await post(JSON.stringify(body), { 'content-type': JSON_TYPE }, path)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({
      partialSuccess: expect.objectContaining({
        errorMessage: expect.stringContaining('nothing was found in the request'),
      }),
    })
  })

  it.each([
    ['malformed JSON', '{', { 'content-type': JSON_TYPE }, 400, 3],
    ['malformed gzip', 'nonsense', { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' }, 400, 3],
    [
      'truncated gzip',
      gzipSync('{"resourceSpans":[]}').subarray(0, 20),
      { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' },
      400,
      3,
    ],
    ['another type', 'x', { 'content-type': 'text/plain' }, 415, 3],
    ['another coding', 'x', { 'content-type': JSON_TYPE, 'content-encoding': 'br' }, 415, 3],
    ['a browser', '{}', { 'content-type': JSON_TYPE, origin: 'https://example.test' }, 403, 7],
    ['too large', Buffer.alloc(20 * 1024 * 1024 + 1, 32), { 'content-type': JSON_TYPE }, 413, 8],
    [
      'a bomb',
      gzipSync(Buffer.alloc(21 * 1024 * 1024)),
      { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' },
      413,
      8,
    ],
  ])('%s is refused with a Status', async (_name, body, headers, status, code) => {
    const response = await send(base, body, headers)
    expect(response.status).toBe(status)
    const told = JSON.parse(response.body.toString()) as { code: number; message: string }
    expect(told.code).toBe(code)
    expect(told.message.length).toBeGreaterThan(10)
    expect(receiver.stats().heldBytes).toBe(0)
  })

  it('a malformed protobuf gets its Status in protobuf', async () => {
    const response = await post(Buffer.from([0x0a, 0x7f]), { 'content-type': PROTOBUF })
    expect([response.status, response.headers.get('content-type')]).toEqual([400, PROTOBUF])
    const bytes = Buffer.from(await response.arrayBuffer())
    expect([bytes[0], bytes[1], bytes[2]]).toEqual([0x08, 3, 0x12])
    expect(bytes.subarray(4).toString()).toMatch(/truncated/)
  })

  it('other methods and paths', async () => {
    const get = await fetch(`${base}/v1/traces`)
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
    expect((await post('{}', { 'content-type': JSON_TYPE }, '/v1/profiles')).status).toBe(404)
    const health = await fetch(`${base}/healthz`)
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }])
  })

  it('the same request a hundred times at once is stored once', async () => {
    const one = spanJson()
    const body = JSON.stringify(
      bodyJson(one, spanJson({ traceId: one.traceId }), spanJson({ traceId: one.traceId })),
    )
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => post(body, { 'content-type': JSON_TYPE })),
    )
    expect(answers.every((answer) => answer.status === 200)).toBe(true)
    expect(await stored(one.traceId)).toBe(3)
  })

  it('hostile attributes are stored whole or cut, and poison nothing', async () => {
    const attributes = [
      { key: 'idempotency.scope.name', value: { stringValue: `web/POST ${'x'.repeat(5000)}` } },
      { key: 'idempotency.key.hash', value: { stringValue: 'a\0b' } },
      { key: 'idempotency.outcome', value: { stringValue: 'executed' } },
      { key: 'idempotency.record.created_at', value: { stringValue: '2026-02-30T24:00:00Z' } },
      { key: 'idempotency.record.expires_at', value: { stringValue: '0000-01-01T00:00:00Z' } },
      { key: 'idempotency.lock.fence', value: { intValue: '-9223372036854775808' } },
      { key: 'idempotency.store.errors', value: { intValue: '99999999999' } },
      { key: 'http.request.method', value: { stringValue: 'POST' } },
      { key: 'http.route', value: { stringValue: '/\ttab\\N\n' } },
      { key: 'nan', value: { doubleValue: 'NaN' } },
      { key: '__proto__', value: { stringValue: 'p' } },
      {
        key: 'http.request.header.authorization',
        value: { arrayValue: { values: [{ stringValue: 'Bearer secret' }] } },
      },
      {
        key: 'http.request.header.idempotency-key',
        value: { arrayValue: { values: [{ stringValue: '"raw-key"' }] } },
      },
    ]
    const one = spanJson({ attributes, name: 'a\\.\n\t\u0000', kind: 77_777_777 })
    const other = spanJson({ traceId: one.traceId, attributes, kind: 2 })
    const response = await post(JSON.stringify(bodyJson(one, other)), { 'content-type': JSON_TYPE })
    expect([response.status, await response.text()]).toEqual([200, '{}'])
    const { spans } = await readTrace(database.db, one.traceId)
    expect(spans).toHaveLength(2)
    expect(spans[0]?.attributes).toMatchObject({
      nan: 'NaN',
      'http.request.header.authorization': '[redacted]',
    })
    expect(JSON.stringify(spans)).not.toContain('raw-key')
  })
})

import { gzipSync } from 'node:zlib'
import { DiagLogLevel, diag, metrics } from '@opentelemetry/api'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Receiver } from '@/jobs/receiver/server'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { decodeMetricsResponse, encodeMetrics } from './oracle'
import { JSON_TYPE, openReceiver, PROTOBUF } from './otlp'

let database: TestDatabase
let receiver: Receiver
let base: string
beforeAll(async () => {
  database = await createTestDatabase()
  const opened = await openReceiver(database.db)
  receiver = opened.receiver
  base = opened.url
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await receiver.close(500)
  await database.close()
})

const number = { timeUnixNano: '1700000000000000000', asDouble: 1.5 }
const REQUEST = {
  resourceMetrics: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'payments' } }] },
      scopeMetrics: [
        {
          metrics: [
            { name: 'g', gauge: { dataPoints: [number, number] } },
            { name: 's', sum: { dataPoints: [number], aggregationTemporality: 2, isMonotonic: true } },
            { name: 'h', histogram: { dataPoints: [{ count: '3', sum: 2, bucketCounts: ['3'] }] } },
            { name: 'e', exponentialHistogram: { dataPoints: [{ count: '1', scale: 2 }] } },
            { name: 'q', summary: { dataPoints: [{ count: '1', sum: 1 }] } },
          ],
        },
        { metrics: [{ name: 'empty' }] },
      ],
    },
    {},
  ],
}
const post = (body: string | Buffer, headers: Record<string, string>) =>
  fetch(`${base}/v1/metrics`, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers,
  })
const DROPPED = {
  partialSuccess: { rejectedDataPoints: '6', errorMessage: expect.stringContaining('not collected here') },
}

it.each([
  ['as they are', (bytes: Buffer) => bytes, {}],
  ['compressed', (bytes: Buffer) => gzipSync(bytes), { 'content-encoding': 'gzip' }],
])(
  'metrics %s are accepted and dropped, with their number, in both encodings',
  async (_, encode, headers) => {
    const json = await post(encode(Buffer.from(JSON.stringify(REQUEST))), {
      'content-type': JSON_TYPE,
      ...headers,
    })
    expect([json.status, await json.json()]).toEqual([200, DROPPED])

    const proto = await post(encode(encodeMetrics(REQUEST)), { 'content-type': PROTOBUF, ...headers })
    expect([proto.status, proto.headers.get('content-type')]).toEqual([200, PROTOBUF])
    expect(decodeMetricsResponse(Buffer.from(await proto.arrayBuffer()))).toEqual(DROPPED)
  },
)

it('an export without data points is a full success', async () => {
  const json = await post('{"resource_metrics":[]}', { 'content-type': JSON_TYPE })
  expect([json.status, await json.text()]).toEqual([200, '{}'])
  const proto = await post(Buffer.alloc(0), { 'content-type': PROTOBUF })
  expect([proto.status, (await proto.arrayBuffer()).byteLength]).toEqual([200, 0])
})

it.each([
  ['malformed JSON', '{', JSON_TYPE, 400],
  [
    'JSON of another shape',
    '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"sum":[]}]}]}]}',
    JSON_TYPE,
    400,
  ],
  ['malformed protobuf', Buffer.from([0x0a, 0x7f]), PROTOBUF, 400],
  ['another type', 'x', 'text/plain', 415],
  ['too large', Buffer.alloc(20 * 1024 * 1024 + 1, 32), JSON_TYPE, 413],
])('%s is refused as anywhere', async (_, body, type, status) => {
  const answer = await post(body, { 'content-type': type })
  expect(answer.status).toBe(status)
  expect(receiver.stats().heldBytes).toBe(0)
})

it('an OpenTelemetry SDK with its default settings logs no error', async () => {
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', base)
  const errors: unknown[] = []
  const quiet = () => undefined
  const log = { error: (...said: unknown[]) => errors.push(said), warn: quiet, info: quiet, debug: quiet }
  diag.setLogger({ ...log, verbose: quiet }, DiagLogLevel.ERROR)
  const before = receiver.stats()
  const sdk = new NodeSDK({ serviceName: 'payments', instrumentations: [], autoDetectResources: false })
  sdk.start()
  metrics.getMeter('test').createCounter('orders').add(1)
  await sdk.shutdown()
  diag.disable()
  expect(errors).toEqual([])
  expect(receiver.stats()).toMatchObject({ requests: before.requests + 1, refused: before.refused })
})

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Receiver } from '@/jobs/receiver/server'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { readArrivals } from '@/lib/telemetry/read/arrivals'
import { readCoverage } from '@/lib/telemetry/read/coverage'
import { readTrace } from '@/lib/telemetry/read/traces/trace'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { bodyJson, clock, JSON_TYPE, openReceiver, spanJson, startNs } from './otlp'
import { hash } from './spans'

// Instrumentations spell the same thing in many ways: each must mean the same, and hide the same.

let database: TestDatabase
let receiver: Receiver
let url: string
beforeAll(async () => {
  database = await createTestDatabase()
  await ensurePartitions(database.db, clock)
  const opened = await openReceiver(database.db)
  receiver = opened.receiver
  url = opened.url
})
afterAll(async () => {
  await receiver.close(500)
  await database.close()
})

async function post(path: string, body: unknown) {
  const response = await fetch(url + path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': JSON_TYPE },
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } })
const texts = (key: string, ...values: string[]) => ({
  key,
  value: { arrayValue: { values: values.map((stringValue) => ({ stringValue })) } },
})
const map = (key: string, ...values: object[]) => ({ key, value: { kvlistValue: { values } } })

async function keyOf(traceId: string): Promise<{ key: string | null; endpoint: string; outcome: string }[]> {
  const { rows } = await database.db.pool.query(
    `SELECT encode(key_hash, 'hex') AS key, endpoint, outcome FROM telemetry.keyed_request WHERE trace_id = decode($1, 'hex')`,
    [traceId],
  )
  return rows
}

it.each([
  ['dashes, a list', texts('http.request.header.idempotency-key', 'pay-1')],
  ['underscores, a list', texts('http.request.header.idempotency_key', 'pay-1')],
  ['underscores, a text', text('http.request.header.idempotency_key', 'pay-1')],
  ['capitals', texts('http.request.header.Idempotency-Key', 'pay-1')],
  ['a bare name', text('idempotency_key', 'pay-1')],
  ['camel case', text('idempotencyKey', 'pay-1')],
  ['a quoted string', texts('http.request.header.idempotency_key', '"pay-1"')],
  ['the older header', texts('http.request.header.x_idempotency_key', 'pay-1')],
])('a captured key is a key, and its raw value is not stored: %s', async (_how, attribute) => {
  const route = [text('http.request.method', 'POST'), text('http.route', '/charges')]
  const span = spanJson({ attributes: [...route, attribute] })
  expect(await post('/v1/traces', bodyJson(span))).toEqual({ status: 200, body: {} })
  expect(await keyOf(span.traceId)).toEqual([
    { key: hash('pay-1'), endpoint: 'POST /charges', outcome: 'observed' },
  ])
  expect(JSON.stringify(await readTrace(database.db, span.traceId))).not.toContain('pay-1')
})

const SECRETS = [
  texts('http.request.header.authorization', 'hush'),
  texts('http.request.header.proxy_authorization', 'hush'),
  texts('http.request.header.X-Api-Key', 'hush'),
  text('http.request.header.x_api_key', 'hush'),
  texts('http.response.header.set_cookie', 'sid=hush'),
  text('http.request.header.cookie', 'sid=hush'),
  texts('http.request.header.x_amz_security_token', 'hush'),
  texts('http.request.header.stripe_signature', 'hush'),
  text('db.password', 'hush'),
  text('client.accessToken', 'hush'),
  text('url.full', 'https://pay.test/charges?api_key=hush&page=2&access_token=hush'),
  text('url.query', 'api_key=hush&page=2'),
  text('url_full', 'https://pay.test/charges?page=2&apiKey=hush'),
  text('urlQuery', '?X-Amz-Credential=hush&X-Amz-Signature=hush'),
  text('http.target', '/charges;jsessionid=hush?client%5Fsecret=hush'),
  texts(
    'http.request.header.referer',
    'https://shop.test/?next=https%3A%2F%2Fpay.test%3Ftoken%3Dhush%26page%3D2',
  ),
  texts('http.response.header.location', 'https://shop.test/callback?code=hush#access_token=hush'),
  text('exception.message', 'request to https://pay.test/charges?idempotency_key=hush failed'),
  text('connection', 'https://merchant:hush@pay.test/charges'),
  map('http.request.headers', text('Authorization', 'hush'), map('more', text('set_cookie', 'hush'))),
  {
    key: 'list',
    value: { arrayValue: { values: [{ kvlistValue: { values: [text('password', 'hush')] } }] } },
  },
  texts('http.request.header.idempotency_key', 'hush'),
]
const PLAIN = [
  text('http.request.header.content_type', 'application/json'),
  text('gen_ai.usage.input_tokens', '12'),
  text('session.id', 'kept'),
  text('idempotency.key', 'opted-in'),
  text('code.location', 'code=200 in https://pay.test/a=1?page=2&sort=key'),
]

it('credentials in any spelling are stored in no part of a span', async () => {
  const url = 'https://pay.test/charges?api_key=hush'
  const span = spanJson({
    name: `GET ${url}`,
    status: { code: 2, message: `${url} failed` },
    attributes: [...SECRETS, ...PLAIN],
    events: [{ timeUnixNano: startNs(), name: 'e', attributes: [...SECRETS, ...PLAIN] }],
    links: [{ traceId: 'ab', spanId: 'cd', attributes: SECRETS }],
  })
  const resource = { attributes: [text('service.name', url), ...SECRETS] }
  const body = { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }
  expect((await post('/v1/traces', body)).body).toEqual({})
  const [stored] = (await readTrace(database.db, span.traceId)).spans
  expect(JSON.stringify(stored)).not.toContain('hush')
  expect(stored?.service).toBe('https://pay.test/charges?api_key=[redacted]')
  expect(stored?.name).toBe('GET https://pay.test/charges?api_key=[redacted]')
  expect(stored?.attributes).toMatchObject({
    'http.request.header.x_api_key': '[redacted]',
    'http.request.header.idempotency_key': '[hashed]',
    'url.full': 'https://pay.test/charges?api_key=[redacted]&page=2&access_token=[redacted]',
    'url.query': 'api_key=[redacted]&page=2',
    'http.request.header.referer': [
      'https://shop.test/?next=https%3A%2F%2Fpay.test%3Ftoken%3D[redacted]%26page%3D2',
    ],
    'exception.message': 'request to https://pay.test/charges?idempotency_key=[redacted] failed',
    connection: 'https://[redacted]@pay.test/charges',
    'code.location': 'code=200 in https://pay.test/a=1?page=2&sort=key',
    'http.request.header.content_type': 'application/json',
    'gen_ai.usage.input_tokens': '12',
    'session.id': 'kept',
    'idempotency.key': 'opted-in',
  })
  expect(stored?.events).toMatchObject([{ name: 'e', attributes: { 'session.id': 'kept' } }])
})

it('credentials in any spelling are stored in no part of a log record', async () => {
  const record = {
    timeUnixNano: startNs(),
    severityNumber: 'SEVERITY_NUMBER_WARN2',
    body: { kvlistValue: { values: [...SECRETS, ...PLAIN] } },
    attributes: [...SECRETS, ...PLAIN],
  }
  const answer = await post('/v1/logs', { resource_logs: [{ scope_logs: [{ log_records: [record] }] }] })
  expect(answer).toEqual({ status: 200, body: {} })
  const { rows } = await database.db.pool.query('SELECT body, attributes, severity FROM telemetry.log')
  expect(rows).toMatchObject([{ severity: 14, attributes: { 'session.id': 'kept' } }])
  expect(JSON.stringify(rows)).not.toContain('hush')
})

it.each([
  ['new names', [text('http.request.method', 'POST'), text('url.path', '/charges/1')], 'POST (no route)'],
  ['old names', [text('http.method', 'GET'), text('http.target', '/charges/1')], 'GET (no route)'],
  ['a method of its own', [text('http.request.method', 'PURGE9')], '_OTHER (no route)'],
])(
  'a server span without a route is counted under a bounded name: %s',
  async (_how, attributes, endpoint) => {
    const span = spanJson({ attributes })
    await post('/v1/traces', bodyJson(span))
    expect(await keyOf(span.traceId)).toEqual([{ key: null, endpoint, outcome: 'unkeyed' }])
  },
)

it('Sources counts the requests without a route by service', async () => {
  const resource = { attributes: [text('service.name', 'plain-http')] }
  const spans = [1, 2].map(() => spanJson({ attributes: [text('http.request.method', 'POST')] }))
  const routed = spanJson({ attributes: [text('http.request.method', 'POST'), text('http.route', '/a')] })
  await post('/v1/traces', { resourceSpans: [{ resource, scopeSpans: [{ spans: [...spans, routed] }] }] })
  await rollUpDirtyMinutes(database.db, clock, { limit: 100 })
  const nowMs = clock.now().getTime()
  const window = { from: new Date(nowMs - 3_600_000), to: new Date(nowMs + 60_000) }
  const found = (await readArrivals(database.db, window)).find(({ service }) => service === 'plain-http')
  expect(found).toMatchObject({ spans: 3, unrouted: 2 })
})

it('coverage counts the keys that are spelled with underscores, and the request that has none', async () => {
  const route = [text('http.request.method', 'POST'), text('http.route', '/covered')]
  const resource = { attributes: [text('service.name', 'underscores')] }
  const keys = [
    [text('http.request.header.idempotency_key', 'a')],
    [texts('http.request.header.idempotency_key', 'b')],
    [],
  ]
  const spans = keys.map((key) => spanJson({ attributes: [...route, ...key] }))
  await post('/v1/traces', { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] })
  await rollUpDirtyMinutes(database.db, clock, { limit: 100 })
  const nowMs = clock.now().getTime()
  const window = { from: new Date(nowMs - 3_600_000), to: new Date(nowMs + 60_000), service: 'underscores' }
  expect(await readCoverage(database.db, window)).toEqual({ keyed: 2n, all: 3n })
})

it('the server side of a call is stored beside the client side that shares its id and start', async () => {
  const client = spanJson({ kind: 3 })
  const server = {
    ...client,
    kind: 2,
    attributes: [text('http.request.method', 'POST'), text('http.route', '/s')],
  }
  await post('/v1/traces', bodyJson(client))
  await post('/v1/traces', bodyJson(server))
  await post('/v1/traces', bodyJson(client, server))
  const { spans } = await readTrace(database.db, client.traceId)
  expect(spans.map(({ kind }) => kind).sort()).toEqual([2, 3])
  expect(await keyOf(client.traceId)).toHaveLength(1)
})

it.each([
  ['/v1/traces', { spans: [spanJson()] }],
  ['/v1/logs', { logs: [] }],
])('a request in which nothing is found is answered with a warning: %s', async (path, body) => {
  const answer = await post(path, body)
  expect(answer.status).toBe(200)
  expect(JSON.stringify(answer.body)).toContain('nothing was found in the request')
})

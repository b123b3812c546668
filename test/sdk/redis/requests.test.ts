import { trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type IdempotentHandler, type IdempotentOptions, idempotent } from '@/sdk/idempotent'
import type { RedisStore } from '@/sdk/stores/redis'
import type { RedisServer } from '../../support/redis-server'
import { createManualClock, KEY_SECRET, postJson } from '../support'
import { createRedisFixture, TTL_MS } from './fixture'

const fixture = createRedisFixture()
const spans = new InMemorySpanExporter()
let server: RedisServer
let store: RedisStore
let serial = 0
let key = ''
beforeAll(async () => {
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
  server = await fixture.server()
  store = await fixture.store(server)
  await store.registerTier('default', TTL_MS)
})
beforeEach(() => {
  key = `key-${++serial}`
  spans.reset()
})
afterAll(fixture.close)

const wrap = (handler: IdempotentHandler, over: Partial<IdempotentOptions> = {}) =>
  idempotent(handler, {
    store,
    keySecret: KEY_SECRET,
    scope: () => ({ caller: 'web', route: '/v1/payments' }),
    ...over,
  })
const post = (body: unknown = {}) => postJson(body, { 'idempotency-key': key })

it('100 requests with one key execute once, and all have its answer', async () => {
  let runs = 0
  const handle = wrap(
    async () => {
      runs += 1
      return Response.json({ runs }, { status: 201 })
    },
    { waitMs: 20_000 },
  )
  const answers = await Promise.all(Array.from({ length: 100 }, () => handle(post())))
  expect(runs).toBe(1)
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
  expect(new Set(await Promise.all(answers.map((answer) => answer.text())))).toEqual(new Set(['{"runs":1}']))
})

it('each request’s span says how durable the store is', async () => {
  await wrap(() => new Response(null, { status: 201 }))(post())
  expect(spans.getFinishedSpans()[0]?.attributes).toMatchObject({
    'idempotency.store.system': 'redis',
    'idempotency.store.durability': 'memory',
    'idempotency.outcome': 'executed',
  })
})

it('a transaction of the application is refused, with the reason', async () => {
  const handle = wrap(async (_request, context) => context.transaction(async () => new Response()))
  await expect(handle(post())).rejects.toThrow(
    /the redis store cannot complete in the application's transaction/,
  )
})

it('a hold stops new executions within two seconds of a process, and replays go on', async () => {
  const time = createManualClock()
  const watching = await fixture.store(server, { clock: time.clock })
  await watching.registerTier('default', TTL_MS)
  const handle = wrap(() => new Response(null, { status: 201 }), { store: watching })
  await handle(post())
  const { id } = await store.placeHold({
    ...({ kind: 'route', route: 'POST /v1/payments' } as const),
    ...{ reason: 'Customers are charged twice', by: 'test' },
  })
  time.skip(2_001)
  expect((await handle(post())).headers.get('idempotent-replayed')).toBe('true')
  key = `key-${++serial}`
  const held = await handle(post())
  expect([held.status, ((await held.json()) as { type: string }).type]).toEqual([
    503,
    'urn:idemscope:problem:held',
  ])
  await store.liftHold(id, 'The provider is mended', 'test')
  time.skip(2_001)
  expect((await handle(post())).status).toBe(201)
})

it('without the server the request is refused, and nothing runs', async () => {
  const gone = await fixture.server()
  const other = await fixture.store(gone, { operationTimeoutMs: 500 })
  await other.registerTier('default', TTL_MS)
  await gone.kill()
  const answer = await wrap(
    () => {
      throw new Error('it is executed')
    },
    { store: other },
  )(post())
  expect(answer.status).toBe(503)
})

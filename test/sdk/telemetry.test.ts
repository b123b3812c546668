import { context, metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import type { PoolClient } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { StoreUnavailableError } from '@/sdk/errors'
import { type IdempotentHandler, type IdempotentOptions, idempotent } from '@/sdk/idempotent'
import { hashKey } from '@/sdk/key-hash'
import { createPostgresStore } from '@/sdk/stores/postgres'
import {
  createGate,
  createStoreFixture,
  expireLease,
  KEY_SECRET,
  postJson,
  type StoreFixture,
} from './support'

const spans = new InMemorySpanExporter()
const points = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter: points, exportIntervalMillis: 3_600_000 })
let fixture: StoreFixture

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  fixture = await createStoreFixture()
})
afterAll(() => fixture.close())
beforeEach(() => spans.reset())

const wrap = (handler: IdempotentHandler<PoolClient>, over: Partial<IdempotentOptions<PoolClient>> = {}) =>
  idempotent<PoolClient>(handler, {
    store: fixture.store,
    keySecret: KEY_SECRET,
    owner: 'process-1',
    scope: () => ({ caller: 'web', route: '/v1/payments' }),
    ...over,
  })

const charging: IdempotentHandler<PoolClient> = async (_request, idem) => {
  const output = { reference: 'ch_1', amountMinor: 1050n, currency: 'USD' }
  await idem.effect('charge', { name: 'stripe.charge' }, async () => output)
  return Response.json({}, { status: 201 })
}

const requestSpans = (): ReadableSpan[] =>
  spans.getFinishedSpans().filter((span) => span.kind === SpanKind.SERVER)
const last = (): ReadableSpan => {
  const span = requestSpans().at(-1)
  if (span === undefined) throw new Error('no request span')
  return span
}
const post = (key: string) => postJson({}, { 'idempotency-key': key })

describe('the request span', () => {
  it('says all of an execution, and its effect', async () => {
    await wrap(charging)(post('said'))
    const [record] = await fixture.query<{
      created_at: Date
      expires_at: Date
      fence: string
      trace_id: Buffer
    }>("SELECT * FROM idem_record WHERE key = idem_key_bytes('said')")
    expect(last().name).toBe('POST /v1/payments')
    expect(last().attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/v1/payments',
      'url.path': '/v1/payments',
      'http.response.status_code': 201,
      'idempotency.key.hash': hashKey(KEY_SECRET, 'said'),
      'idempotency.scope.name': 'web/POST /v1/payments',
      'idempotency.store.system': 'postgresql',
      'idempotency.outcome': 'executed',
      'idempotency.record.state': 'completed',
      'idempotency.record.created_at': record?.created_at.toISOString(),
      'idempotency.record.expires_at': record?.expires_at.toISOString(),
      'idempotency.attempt.number': 1,
      'idempotency.lock.fence': Number(record?.fence),
      'idempotency.lock.owner.id': 'process-1',
      'idempotency.lock.lease.duration': 10,
      'idempotency.store.operations': 4,
      'idempotency.store.errors': 0,
    })
    expect(record?.trace_id.toString('hex')).toBe(last().spanContext().traceId)
    const effect = spans.getFinishedSpans().find((span) => span.kind === SpanKind.CLIENT)
    expect(effect?.parentSpanContext?.spanId).toBe(last().spanContext().spanId)
    expect(effect?.attributes).toEqual({
      'idempotency.scope.name': 'web/POST /v1/payments',
      'idempotency.effect.name': 'stripe.charge',
      'idempotency.effect.step': 'charge',
      'idempotency.effect.kind': 'http',
      'idempotency.effect.transactional': false,
      'idempotency.effect.key.hash': hashKey(KEY_SECRET, 'said'),
      'idempotency.effect.outcome': 'committed',
      'idempotency.effect.id': 'ch_1',
      'idempotency.effect.amount': 1050,
      'idempotency.effect.currency': 'USD',
    })
  })

  it('links a replay to its original trace', async () => {
    await wrap(charging)(post('linked'))
    const original = last().spanContext().traceId
    await wrap(charging)(post('linked'))
    expect(last().attributes).toMatchObject({
      'idempotency.outcome': 'replayed',
      'idempotency.record.state': 'completed',
      'idempotency.fingerprint.match': true,
      'idempotency.original.trace_id': original,
      'idempotency.store.operations': 1,
    })
    expect(last().links).toMatchObject([{ context: { traceId: original } }])
  })

  it('is the active server span where there is one', async () => {
    const tracer = trace.getTracer('framework')
    await tracer.startActiveSpan('framework', { kind: SpanKind.SERVER }, async (span) => {
      await wrap(charging)(post('framework'))
      span.end()
    })
    expect(requestSpans()).toHaveLength(1)
    expect(last().name).toBe('framework')
    expect(last().attributes).toMatchObject({
      'idempotency.outcome': 'executed',
      'http.route': '/v1/payments',
    })
  })

  it('carries the raw key only where asked to', async () => {
    await wrap(charging, { recordRawKey: true })(post('raw'))
    expect(last().attributes['idempotency.key']).toBe('raw')
  })

  it('of an unkeyed request has scope and route but no outcome', async () => {
    await wrap(charging)(postJson({}))
    expect(last().attributes).toMatchObject({
      'http.route': '/v1/payments',
      'http.response.status_code': 400,
    })
    expect(last().attributes).not.toHaveProperty('idempotency.outcome')
    expect(last().attributes).not.toHaveProperty('idempotency.key.hash')
  })
})

describe('idempotency.outcome', () => {
  const outcome = () => [
    last().attributes['idempotency.outcome'],
    last().attributes['idempotency.record.state'],
  ]

  it('mismatch', async () => {
    await wrap(charging)(post('mismatch'))
    await wrap(charging)(postJson({ other: 1 }, { 'idempotency-key': 'mismatch' }))
    expect(outcome()).toEqual(['mismatch', 'completed'])
    expect(last().attributes['idempotency.fingerprint.match']).toBe(false)
  })

  it('in_progress, waited, takeover, stale', async () => {
    const stop = createGate()
    const reached = createGate()
    const blocked: IdempotentHandler<PoolClient> = async (_request, idem) => {
      reached.resolve()
      await stop.promise
      await idem.effect('charge', { name: 'stripe.charge' }, async () => ({ reference: 'late' }))
      return new Response('zombie')
    }
    const zombie = wrap(blocked)(post('fought'))
    await reached.promise
    await wrap(charging)(post('fought'))
    expect(outcome()).toEqual(['in_progress', 'leased'])
    const go = createGate()
    const waiting = wrap(charging, { waitMs: 20_000 })
    await expireLease(fixture, 'fought')
    const second = wrap(async (request, idem) => {
      await go.promise
      return charging(request, idem)
    })(post('fought'))
    // The second holder is in when the fence has changed.
    while (
      (await fixture.query("SELECT FROM idem_lease WHERE key = idem_key_bytes('fought') AND attempts = 2"))
        .length === 0
    );
    const third = waiting(post('fought'))
    go.resolve()
    await second
    expect(outcome()).toEqual(['takeover', 'completed'])
    await third
    expect(last().attributes['idempotency.outcome']).toMatch(/waited|replayed/)
    stop.resolve()
    expect((await zombie).status).toBe(409)
    expect(outcome()[0]).toBe('stale')
  })

  it('retryable and unknown after a throw', async () => {
    const failing =
      (first: boolean): IdempotentHandler<PoolClient> =>
      async (_request, idem) => {
        if (!first) await idem.effect('charge', { name: 'stripe.charge' }, async () => ({ reference: 'x' }))
        throw new Error('bug')
      }
    await expect(wrap(failing(true))(post('thrown'))).rejects.toThrow()
    expect(outcome()).toEqual(['executed', 'retryable'])
    expect(last().status.code).toBe(SpanStatusCode.ERROR)
    await expect(wrap(failing(false))(post('thrown'))).rejects.toThrow()
    expect(outcome()).toEqual(['takeover', 'unknown'])
    await wrap(charging)(post('thrown'))
    expect(outcome()).toEqual(['in_progress', 'unknown'])
  })

  it('store_error and bypassed', async () => {
    const acquire = async () => {
      throw new StoreUnavailableError('down')
    }
    const store = { ...fixture.store, acquire }
    await wrap(charging, { store })(post('down'))
    expect(outcome()).toEqual(['store_error', undefined])
    expect(last().attributes).toMatchObject({
      'idempotency.store.operations': 1,
      'idempotency.store.errors': 1,
    })
    await wrap(charging, { store, failMode: 'open' })(post('down'))
    expect(outcome()).toEqual(['bypassed', undefined])
  })

  it('held, with what became of the key when its execution had begun', async () => {
    const store = createPostgresStore({ pool: fixture.pool })
    const place = async (kind: string, step: string | null) =>
      fixture.query("SELECT idem_place_hold($1, $2, 'Held by a test', 'test', p_step => $3)", [
        kind,
        kind,
        step,
      ])
    const twoSteps: IdempotentHandler<PoolClient> = async (_request, idem) => {
      await idem.effect('charge', { name: 'stripe.charge' }, async () => ({ reference: 'ch_1' }))
      await idem.effect('mail', { name: 'mail.send' }, async () => ({}))
      return new Response()
    }
    await place('step', 'mail')
    await wrap(twoSteps, { store })(post('held-later'))
    expect(outcome()).toEqual(['held', 'retryable'])
    await place('store', null)
    await wrap(charging, { store: createPostgresStore({ pool: fixture.pool }) })(post('held-at-once'))
    expect(outcome()).toEqual(['held', undefined])
    expect(last().attributes).toMatchObject({
      'http.response.status_code': 503,
      'idempotency.store.operations': 1,
    })
    store.close()
    await fixture.query('DELETE FROM idem_hold')
  })
})

it('the metrics count outcomes, durations and effects', async () => {
  await reader.forceFlush()
  const latest = points.getMetrics().at(-1)?.scopeMetrics[0]?.metrics ?? []
  const names = latest.map((metric) => metric.descriptor.name)
  for (const name of [
    'requests',
    'acquire.duration',
    'lock.hold.duration',
    'lock.active',
    'write.rejections',
    'effects',
  ]) {
    expect(names).toContain(`idempotency.${name}`)
  }
  const requests = latest.find((metric) => metric.descriptor.name === 'idempotency.requests')
  const outcomes = requests?.dataPoints.map((point) => point.attributes['idempotency.outcome'])
  expect(outcomes).toEqual(
    expect.arrayContaining(['executed', 'replayed', 'mismatch', 'stale', 'store_error', 'bypassed', 'held']),
  )
  const active = latest.find((metric) => metric.descriptor.name === 'idempotency.lock.active')
  expect(active?.dataPoints.map((point) => point.value)).toEqual([0])
})

import { ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resources, tracing } from '@opentelemetry/sdk-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '@/lib/core/clock'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { readTrace } from '@/lib/telemetry/read/traces/trace'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { openReceiver } from './otlp'
import { hash } from './spans'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  await ensurePartitions(database.db, systemClock)
})
afterAll(() => database.close())

describe('the OpenTelemetry SDK as it is', () => {
  it('spans arrive once, with resource, keyed request and effect', async () => {
    const { receiver: live, url } = await openReceiver(database.db, { clock: systemClock })
    const exporter = new OTLPTraceExporter({
      url: `${url}/v1/traces`,
      compression: 'gzip' as never,
    })
    const provider = new tracing.BasicTracerProvider({
      resource: resources.resourceFromAttributes({
        'service.name': 'demo',
        'service.version': '2.1',
        'cloud.region': 'eu',
      }),
      spanProcessors: [new tracing.BatchSpanProcessor(exporter)],
    })
    const tracer = provider.getTracer('test')
    const server = tracer.startSpan('POST /v1/payments', { kind: 1 })
    server.setAttributes({
      'idempotency.scope.name': 'web/POST /v1/payments',
      'idempotency.key.hash': hash('sdk'),
      'idempotency.outcome': 'executed',
      'http.response.status_code': 201,
    })
    server.addEvent('claimed', { step: 'charge' })
    const parent = trace.setSpan(ROOT_CONTEXT, server)
    const effect = tracer.startSpan('charge', { kind: 2 }, parent)
    effect.setAttributes({
      'idempotency.effect.name': 'stripe.charge',
      'idempotency.effect.step': 'charge',
      'idempotency.effect.id': 'ch_sdk',
      'idempotency.effect.key.hash': hash('sdk'),
      'idempotency.effect.outcome': 'committed',
      'idempotency.effect.amount': 1050,
      'idempotency.effect.currency': 'usd',
    })
    effect.end()
    server.end()
    await provider.shutdown()
    const { spans } = await readTrace(database.db, server.spanContext().traceId)
    expect(spans.map((span) => [span.name, span.kind, span.service, span.version]).sort()).toEqual([
      ['POST /v1/payments', 2, 'demo', '2.1'],
      ['charge', 3, 'demo', '2.1'],
    ])
    const { rows } = await database.db.pool.query(
      "SELECT scope, effect_id, amount_minor, currency FROM telemetry.effect WHERE effect_id = 'ch_sdk'",
    )
    // The effect span did not name its scope: its trace did.
    expect(rows).toEqual([
      { scope: 'web/POST /v1/payments', effect_id: 'ch_sdk', amount_minor: '1050', currency: 'USD' },
    ])
    await live.close(200)
  })
})

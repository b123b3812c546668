import { context, propagation, SpanKind, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { consume } from '@/sdk/consume'
import { hashKey } from '@/sdk/key-hash'
import { createOutbox } from '@/sdk/outbox'
import { createRecorder, drain, inTransaction, message, relayOn } from '../outbox/fixture'
import { createStoreFixture, KEY_SECRET, type StoreFixture } from '../support'

const spans = new InMemorySpanExporter()
let fixture: StoreFixture
beforeAll(async () => {
  trace.disable()
  context.disable()
  propagation.disable()
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
  fixture = await createStoreFixture()
})
afterAll(async () => {
  trace.disable()
  context.disable()
  propagation.disable()
  await fixture.close()
})

test('sending and processing link to where the message was created', async () => {
  const outbox = createOutbox()
  const id = await inTransaction(fixture.pool, (tx) => outbox.publish(tx, message('order.paid', 'k')))
  const { state, publisher } = createRecorder()
  await drain(relayOn(fixture, publisher))
  const { handle } = consume(
    { store: fixture.store, group: 'inventory', topic: 'orders', keySecret: KEY_SECRET, system: 'kafka' },
    () => {},
  )
  for (const delivery of [1, 2]) {
    const [published] = state.published
    if (published === undefined) throw new Error('not published')
    await handle({ ...published, deliveryAttempt: delivery, redelivered: delivery > 1 })
  }
  const [created, sent, first, second] = spans.getFinishedSpans()
  expect(created).toMatchObject({
    name: 'create orders',
    kind: SpanKind.PRODUCER,
    attributes: { 'messaging.operation.type': 'create', 'messaging.message.id': id },
  })
  const link = { context: { traceId: created?.spanContext().traceId, spanId: created?.spanContext().spanId } }
  expect(sent).toMatchObject({
    name: 'send orders',
    kind: SpanKind.CLIENT,
    attributes: { 'messaging.system': 'recorder', 'messaging.message.id': id },
    links: [link],
  })
  expect(first).toMatchObject({
    name: 'process orders',
    kind: SpanKind.CONSUMER,
    links: [link],
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'orders',
      'messaging.consumer.group.name': 'inventory',
      'messaging.message.id': id,
      'idempotency.scope.name': 'inventory/CONSUME orders',
      'idempotency.key.hash': hashKey(KEY_SECRET, id),
      'idempotency.outcome': 'executed',
      'idempotency.record.state': 'completed',
      'idempotency.delivery.attempt': 1,
      'idempotency.delivery.redelivered': false,
    },
  })
  expect(second?.attributes).toMatchObject({
    'idempotency.outcome': 'replayed',
    'idempotency.delivery.redelivered': true,
    'idempotency.original.trace_id': first?.spanContext().traceId,
  })
})

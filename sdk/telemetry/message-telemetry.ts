import { type Attributes, context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { RecordState } from '../stores/store'
import { createRequestTelemetry, type Outcome, type RequestTelemetry, type Said } from '../telemetry'
import { getInstruments, tracer } from './instruments'
import { linkTo } from './message-spans'

type MessageFacts = {
  topic: string
  storeSystem: string
  headers: Readonly<Record<string, string>>
  attributes: Attributes
}

/** What was said last, for whoever has to answer the broker. */
export type MessageTelemetry = RequestTelemetry & {
  last(): { outcome: Outcome | undefined; state: RecordState | 'absent' | undefined }
}

/** Runs `serve` inside the message's own CONSUMER span, linked to the one that created the message. */
export async function traceMessage<T>(
  { topic, storeSystem, headers, attributes }: MessageFacts,
  serve: (telemetry: MessageTelemetry) => Promise<T>,
): Promise<T> {
  const span = tracer().startSpan(`process ${topic}`, {
    kind: SpanKind.CONSUMER,
    attributes: {
      ...attributes,
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'process',
      'messaging.destination.name': topic,
    },
    links: linkTo(headers),
  })
  const tally = { operations: 0, errors: 0 }
  const said: Said = { ended: false }
  let state: RecordState | 'absent' | undefined
  const telemetry = createRequestTelemetry(span, tally, said)
  try {
    return await context.with(trace.setSpan(context.active(), span), () =>
      serve({
        ...telemetry,
        outcome(outcome, given) {
          state = given
          telemetry.outcome(outcome, given)
        },
        last: () => ({ outcome: said.outcome, state }),
      }),
    )
  } catch (error) {
    telemetry.recordError(error)
    throw error
  } finally {
    if (said.outcome === 'store_error') span.setStatus({ code: SpanStatusCode.ERROR })
    said.ended = true
    span.setAttributes({
      'idempotency.store.operations': tally.operations,
      'idempotency.store.errors': tally.errors,
    })
    if (said.outcome !== undefined) {
      span.setAttribute('idempotency.outcome', said.outcome)
      getInstruments().requests.add(1, {
        'idempotency.outcome': said.outcome,
        'idempotency.store.system': storeSystem,
        'messaging.destination.name': topic,
      })
    }
    span.end()
  }
}

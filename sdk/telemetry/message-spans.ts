import {
  type Attributes,
  type Context,
  context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import type { EncodedMessage, OutboxMessage } from '../outbox/message'
import { tracer } from './instruments'

/** OpenTelemetry's semantic conventions for messaging. A consumer links to this span by the `traceparent` that it writes. */
export function startCreateSpan(message: Pick<EncodedMessage, 'topic' | 'headers'>) {
  const span = tracer().startSpan(`create ${message.topic}`, {
    kind: SpanKind.PRODUCER,
    attributes: {
      'messaging.operation.type': 'create',
      'messaging.operation.name': 'create',
      'messaging.destination.name': message.topic,
    },
  })
  propagation.inject(trace.setSpan(context.active(), span), message.headers)
  return {
    created: (id: string) => void span.setAttribute('messaging.message.id', id),
    end: () => span.end(),
  }
}

/** More links than this are cut by most exporters. */
const LINKS_MAX = 128

/** The span of one call to the broker, linked to where its messages were created. */
export async function traceSend<T>(
  system: string,
  messages: readonly OutboxMessage[],
  send: () => Promise<T>,
): Promise<T> {
  const topics = new Set(messages.map(({ topic }) => topic))
  const [topic] = topics
  const named: Attributes =
    topics.size === 1 && topic !== undefined ? { 'messaging.destination.name': topic } : {}
  const [only] = messages
  const counted: Attributes =
    messages.length === 1 && only !== undefined
      ? { 'messaging.message.id': only.id }
      : { 'messaging.batch.message_count': messages.length }
  const span = tracer().startSpan(topics.size === 1 ? `send ${topic}` : 'send', {
    kind: SpanKind.CLIENT,
    attributes: {
      'messaging.system': system,
      'messaging.operation.type': 'send',
      'messaging.operation.name': 'send',
      ...named,
      ...counted,
    },
    links: messages.slice(0, LINKS_MAX).flatMap(({ headers }) => linkTo(headers)),
  })
  try {
    return await context.with(trace.setSpan(context.active(), span), send)
  } catch (error) {
    span.recordException(error instanceof Error ? error : String(error))
    span.setStatus({ code: SpanStatusCode.ERROR })
    throw error
  } finally {
    span.end()
  }
}

/** A link to the span that a message's headers name; none without. */
export function linkTo(headers: Readonly<Record<string, string>>): Link[] {
  const extracted: Context = propagation.extract(ROOT_CONTEXT, headers)
  const spanContext = trace.getSpanContext(extracted)
  return spanContext === undefined ? [] : [{ context: spanContext }]
}

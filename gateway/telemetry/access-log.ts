import { type Attributes, SpanKind } from '@opentelemetry/api'
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-node'
import type { Logger } from 'pino'

/** Of a request's span, by the name in the log. Never the key, the query or a header: they hold what is secret. */
const FIELDS = {
  method: 'http.request.method',
  path: 'url.path',
  route: 'http.route',
  status: 'http.response.status_code',
  client: 'client.address',
  scope: 'idempotency.scope.name',
  keyHash: 'idempotency.key.hash',
  outcome: 'idempotency.outcome',
  state: 'idempotency.record.state',
  attempt: 'idempotency.attempt.number',
} as const

/** One line for each request that has ended, made of its span: log, traces and charts say the same. */
export function createAccessLog(log: Logger): SpanProcessor {
  return {
    onStart() {},
    onEnd(span) {
      if (span.kind === SpanKind.SERVER) log.info(lineOf(span), 'request')
    },
    async forceFlush() {},
    async shutdown() {},
  }
}

function lineOf(span: ReadableSpan): Attributes {
  const { attributes, duration } = span
  const line: Attributes = {}
  for (const [field, name] of Object.entries(FIELDS)) {
    const value = attributes[name]
    if (value !== undefined) line[field] = value
  }
  const [seconds, nanoseconds] = duration
  line.durationMs = Math.round(seconds * 1e6 + nanoseconds / 1e3) / 1e3
  line.traceId = span.spanContext().traceId
  return line
}

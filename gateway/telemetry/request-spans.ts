import type { IncomingMessage } from 'node:http'
import {
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { peerAddress } from '../upstream/headers'

/** The SERVER span of each request, on which the SDK writes what it did; log and metrics are made of it. */
export type RequestSpans = {
  trace(incoming: IncomingMessage, serve: (span: Span) => Promise<number>): Promise<void>
}

export const createRequestSpans = (tracer: Tracer): RequestSpans => ({
  async trace(incoming, serve) {
    const method = incoming.method ?? ''
    const [path = ''] = (incoming.url ?? '').split('?', 1)
    const parent = propagation.extract(ROOT_CONTEXT, incoming.headers)
    const span = tracer.startSpan(
      method,
      {
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': method,
          'url.path': path,
          'client.address': peerAddress(incoming),
        },
      },
      parent,
    )
    try {
      const status = await context.with(trace.setSpan(parent, span), () => serve(span))
      span.setAttribute('http.response.status_code', status)
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    } catch (error) {
      span.recordException(error instanceof Error ? error : String(error))
      span.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      span.end()
    }
  },
})

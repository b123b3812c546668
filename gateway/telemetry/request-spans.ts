import type { IncomingMessage } from 'node:http'
import {
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { peerAddress } from '../upstream/headers'

/** The SERVER span of a request that the SDK does not serve, and so does not trace. */
export type RequestSpans = {
  /** Runs `serve`, which resolves to the status that was sent. */
  trace(
    incoming: IncomingMessage,
    route: string | null,
    serve: (span: Span) => Promise<number>,
  ): Promise<void>
}

/** It may hold a password. */
const OF_ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i

export const createRequestSpans = (tracer: Tracer): RequestSpans => ({
  async trace(incoming, route, serve) {
    const method = incoming.method ?? ''
    const path = (incoming.url ?? '').replace(OF_ABSOLUTE_FORM, '').split(/[?#]/, 1)[0] ?? ''
    const attributes = {
      'http.request.method': method,
      'url.path': path,
      'client.address': peerAddress(incoming),
      ...(route === null ? {} : { 'http.route': route }),
    }
    const parent = propagation.extract(ROOT_CONTEXT, incoming.headers)
    const name = route === null ? method : `${method} ${route}`
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent)
    try {
      const status = await serve(span)
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

/** Continues the trace of a span in a request to another process. */
export const spanContextOf = (span: Span) => trace.setSpan(ROOT_CONTEXT, span)

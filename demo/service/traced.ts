import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'

const tracer = trace.getTracer('demo.payments')

const headersGetter = {
  get: (headers: Headers, name: string) => headers.get(name) ?? undefined,
  keys: (headers: Headers) => [...headers.keys()],
}

/** Runs a handler in a SERVER span of the caller's trace. */
export function traced(
  request: Request,
  method: string,
  route: string,
  handle: () => Promise<Response>,
): Promise<Response> {
  const parent = propagation.extract(context.active(), request.headers, headersGetter)
  const attributes = {
    'http.request.method': method,
    'http.route': route,
    'url.path': new URL(request.url).pathname,
  }
  const options = { kind: SpanKind.SERVER, attributes }
  return tracer.startActiveSpan(`${method} ${route}`, options, parent, async (span) => {
    try {
      const response = await handle()
      span.setAttribute('http.response.status_code', response.status)
      if (response.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
      return response
    } catch (error) {
      span.setAttribute('http.response.status_code', 500)
      span.recordException(error instanceof Error ? error : String(error))
      span.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      span.end()
    }
  })
}

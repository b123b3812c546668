import {
  type Attributes,
  context,
  INVALID_SPANID,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import type { RequestHead } from './requests/head'
import type { AcquiredOrExpired, RecordState } from './stores/store'
import { getInstruments, tracer } from './telemetry/instruments'

export type Outcome =
  | 'executed'
  | 'replayed'
  | 'in_progress'
  | 'mismatch'
  | 'waited'
  | 'takeover'
  | 'bypassed'
  | 'stale'
  | 'store_error'
  | 'held'

/** The telemetry of one request: the active SERVER span where there is one, else one of its own. */
export type RequestTelemetry = {
  readonly traceId: string | null
  readonly span: Span
  set(attributes: Attributes): void
  /** The last one said counts. */
  outcome(outcome: Outcome, state?: RecordState | 'absent'): void
  /** Counts one operation of the store, and its failure. */
  meter<T>(operation: () => Promise<T>): Promise<T>
  linkOriginal(traceId: string | null): void
  recordError(error: unknown): void
}

/** A handler may outlive its answer (the execution deadline): the span is closed then. */
export type Said = { outcome?: Outcome; ended: boolean }

type RequestFacts = {
  method: string
  route: string
  path: string
  headers: RequestHead['headers']
  storeSystem: string
  attributes: Attributes
}

/** Runs `serve` inside the request's span and writes what it said onto it. */
export async function traceRequest(
  facts: RequestFacts,
  serve: (telemetry: RequestTelemetry) => Promise<Response>,
): Promise<Response> {
  const { span, own } = requestSpan(facts)
  const tally = { operations: 0, errors: 0 }
  const said: Said = { ended: false }
  const telemetry = createRequestTelemetry(span, tally, said)
  const active = trace.setSpan(own ? ownParent(facts.headers) : context.active(), span)
  try {
    const response = await context.with(active, () => serve(telemetry))
    span.setAttribute('http.response.status_code', response.status)
    if (response.status >= 500 && own) span.setStatus({ code: SpanStatusCode.ERROR })
    return response
  } catch (error) {
    telemetry.recordError(error)
    if (own) span.setAttribute('http.response.status_code', 500)
    throw error
  } finally {
    said.ended = true
    span.setAttributes({
      'idempotency.store.operations': tally.operations,
      'idempotency.store.errors': tally.errors,
    })
    if (said.outcome !== undefined) {
      span.setAttribute('idempotency.outcome', said.outcome)
      getInstruments().requests.add(1, {
        'idempotency.outcome': said.outcome,
        'idempotency.store.system': facts.storeSystem,
        'http.route': facts.route,
      })
    }
    if (own) span.end()
  }
}

function requestSpan({ method, route, path, headers, attributes }: RequestFacts): {
  span: Span
  own: boolean
} {
  const active = trace.getActiveSpan()
  const all = { ...attributes, 'http.request.method': method, 'http.route': route }
  if (active !== undefined && isServerSpan(active)) {
    active.setAttributes(all)
    return { span: active, own: false }
  }
  // The key's hash is there from the start, so that a sampler can keep every keyed span.
  const span = tracer().startSpan(
    `${method} ${route}`,
    { kind: SpanKind.SERVER, attributes: { ...all, 'url.path': path } },
    ownParent(headers),
  )
  return { span, own: true }
}

// The API hides a span's kind; every SDK has it.
const isServerSpan = (span: Span): boolean =>
  span.isRecording() && 'kind' in span && span.kind === SpanKind.SERVER

function ownParent(headers: RequestFacts['headers']) {
  if (trace.getActiveSpan() !== undefined) return context.active()
  return propagation.extract(ROOT_CONTEXT, headers, {
    get: (carrier, name) => carrier.get(name) ?? undefined,
    keys: (carrier) => [...carrier.keys()],
  })
}

export function createRequestTelemetry(
  span: Span,
  tally: { operations: number; errors: number },
  said: Said,
): RequestTelemetry {
  const { traceId } = span.spanContext()
  return {
    span,
    traceId: /^0*$/.test(traceId) ? null : traceId,
    set(attributes) {
      if (!said.ended) span.setAttributes(attributes)
    },
    outcome(outcome, state) {
      if (said.ended) return
      said.outcome = outcome
      if (state !== undefined && state !== 'absent') span.setAttribute('idempotency.record.state', state)
    },
    async meter(operation) {
      tally.operations += 1
      try {
        return await operation()
      } catch (error) {
        tally.errors += 1
        throw error
      }
    },
    linkOriginal(original) {
      if (original === null) return
      span.setAttribute('idempotency.original.trace_id', original)
      // Only the trace is known; the specification allows an empty span id beside attributes.
      span.addLink({
        context: {
          traceId: original,
          spanId: INVALID_SPANID,
          traceFlags: TraceFlags.SAMPLED,
          isRemote: true,
        },
        attributes: { 'idempotency.link': 'original' },
      })
    },
    recordError(error) {
      if (said.ended) return
      span.recordException(error instanceof Error ? error : String(error))
      span.setStatus({
        code: SpanStatusCode.ERROR,
        message: error instanceof Error ? error.message : String(error),
      })
    },
  }
}

/** What an acquire said, as attributes. */
export function acquiredAttributes(acquired: AcquiredOrExpired, leaseMs: number): Attributes {
  if (acquired.kind === 'held' || acquired.kind === 'expired') return {}
  if (acquired.kind === 'mismatch') {
    return { 'idempotency.fingerprint.match': false, 'idempotency.record.state': acquired.state }
  }
  const common = {
    'idempotency.attempt.number': acquired.attempt,
    'idempotency.lock.fence': fenceAttribute(acquired.fence),
    'idempotency.record.created_at': acquired.createdAt.toISOString(),
    ...(acquired.kind === 'acquired' ? {} : { 'idempotency.fingerprint.match': true }),
  }
  if (acquired.kind === 'replay') {
    return {
      ...common,
      'idempotency.record.state': acquired.state,
      'idempotency.record.expires_at': acquired.expiresAt.toISOString(),
    }
  }
  return {
    ...common,
    'idempotency.record.state': acquired.kind === 'unknown' ? 'unknown' : 'leased',
    'idempotency.lock.owner.id': acquired.owner,
    'idempotency.lock.lease.duration': leaseMs / 1000,
    ...(acquired.kind === 'takeover' && acquired.recoveryPoint !== null
      ? { 'idempotency.recovery_point.name': acquired.recoveryPoint }
      : {}),
  }
}

// Epoch µs stays below 2^53 until the year 2255; a number is what attributes can hold.
const fenceAttribute = (fence: bigint): number => Number(fence)

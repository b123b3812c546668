import { acquireWaiting } from './acquire-waiting'
import { isResponse, orThrownAnswer } from './answer'
import { readBody } from './body'
import { abortAfter } from './clock'
import type { IdempotentHandler } from './context'
import { IdempotencyUsageError, StoreUnavailableError } from './errors'
import type { Exchange } from './exchange'
import { fingerprintRequest } from './fingerprint'
import { heldResponse } from './holds'
import { parseIdempotencyKey } from './idempotency-key'
import { hashKey } from './key-hash'
import { type IdempotentOptions, resolveOptions, type Settings, scopeName } from './options'
import { problemResponse } from './problem'
import { runHeld } from './run-held'
import { runUnprotected } from './run-unprotected'
import { isSafeMethod } from './safe-methods'
import { replayResponse } from './stored-response'
import type { AcquiredOrHeld, AcquireRequest } from './stores/store'
import { acquiredAttributes, type RequestTelemetry, traceRequest } from './telemetry'
import { getInstruments } from './telemetry/instruments'

export type {
  EffectOptions,
  EffectReport,
  EffectResult,
  IdempotencyContext,
  IdempotentHandler,
} from './context'
export type { IdempotentOptions, ScopeParts } from './options'
export { REPLAY_HEADERS_DEFAULT } from './stored-response'

/**
 * Makes a Web-standard handler idempotent by the request's `Idempotency-Key`: one execution for each key, its answer
 * replayed to every duplicate. What the handler throws is thrown on, after the key was settled.
 */
export function idempotent<Tx = unknown, Extra = undefined>(
  handler: IdempotentHandler<Tx, Extra>,
  options: IdempotentOptions<Tx, Extra>,
): (
  request: Request,
  ...extra: Extra extends undefined ? [extra?: unknown] : [extra: Extra]
) => Promise<Response> {
  const settings = resolveOptions(options)
  return async (request, ...[given]) => {
    const extra = given as Extra
    const parts = await orThrownAnswer(request, () => options.scope(request, extra))
    if (isResponse(parts)) return parts
    const scope = scopeName(request.method, parts)
    const header = parseIdempotencyKey(request.headers.get('idempotency-key'))
    const key = header.kind === 'key' && !isSafeMethod(request.method) ? header.key : null
    const exchange: Exchange<Tx, Extra> = { settings, handler, request, extra, scope }
    const facts = {
      method: request.method,
      route: parts.route,
      path: new URL(request.url).pathname,
      headers: request.headers,
      storeSystem: settings.store.system,
      attributes: {
        'idempotency.scope.name': scope,
        'idempotency.store.system': settings.store.system,
        ...settings.store.attributes?.(),
        ...(key === null ? {} : { 'idempotency.key.hash': hashKey(settings.keySecret, key) }),
        ...(key !== null && settings.recordRawKey ? { 'idempotency.key': key } : {}),
      },
    }
    return traceRequest(facts, (telemetry) => {
      if (key !== null) return serveKeyed(exchange, key, telemetry)
      if (!isSafeMethod(request.method)) {
        if (header.kind === 'malformed')
          return refuse('keyMalformed', `The Idempotency-Key header is not usable: ${header.reason}.`)
        if (settings.required) return refuse('keyMissing')
      }
      return runUnprotected(exchange, null, request, telemetry)
    })
  }
}

const refuse = async (
  ...problem: [name: 'keyMissing'] | [name: 'keyMalformed', detail: string]
): Promise<Response> => problemResponse(problem[0], problem[1] === undefined ? {} : { detail: problem[1] })

async function serveKeyed<Tx, Extra>(
  exchange: Exchange<Tx, Extra>,
  key: string,
  telemetry: RequestTelemetry,
): Promise<Response> {
  const { settings, scope } = exchange
  const body = await readWholeBody(exchange.request, settings)
  if (body instanceof Response) return body
  // The body is read already; the handler gets a request of its own that it can read again.
  const { url, method, headers } = exchange.request
  const request = new Request(url, { method, headers, body: body.byteLength === 0 ? null : body })

  let acquired: AcquiredOrHeld
  let waited: boolean
  const startedMs = settings.clock.nowMs()
  try {
    const wanted: AcquireRequest = {
      scope,
      key,
      tier: settings.tier,
      fingerprint: fingerprintRequest(exchange.request, body),
      owner: settings.owner,
      leaseMs: settings.leaseMs,
      traceId: telemetry.traceId,
      retry: exchange.request.headers.get('idempotency-retry') === '?1',
    }
    ;({ acquired, waited } = await acquireWaiting(settings, wanted, telemetry))
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error
    return withoutStore(exchange, key, request, telemetry, error)
  } finally {
    getInstruments().acquireDuration.record((settings.clock.nowMs() - startedMs) / 1000, {
      'idempotency.store.system': settings.store.system,
    })
  }
  telemetry.set(acquiredAttributes(acquired, settings.leaseMs))
  if (acquired.kind === 'acquired' || acquired.kind === 'takeover') {
    return runHeld({ ...exchange, request }, key, acquired, telemetry)
  }
  return answerDuplicate(acquired, waited, telemetry)
}

/** Nothing is leased yet, but a slow upload may not take longer than the handler could. */
async function readWholeBody<Tx>(
  request: Request,
  { clock, bodyBytesMax, executionDeadlineMs }: Settings<Tx>,
): Promise<Uint8Array<ArrayBuffer> | Response> {
  if (request.bodyUsed || request.body?.locked) throw unseenBody('was read before')
  const declared = Number(request.headers.get('content-length'))
  if (declared > bodyBytesMax) return problemResponse('tooLarge')
  const upload = abortAfter(clock, executionDeadlineMs, new Error('the body did not arrive in time'))
  try {
    const body = await readBody(request, bodyBytesMax, upload.signal)
    if (body === null) return problemResponse('tooLarge')
    if (declared > 0 && body.byteLength === 0) throw unseenBody('is missing, though it has a length')
    return body
  } catch (error) {
    if (error === upload.signal.reason) return problemResponse('bodyTimeout')
    throw error
  } finally {
    upload.cancel()
  }
}

const unseenBody = (why: string) =>
  new IdempotencyUsageError(
    `the request's body ${why}, so it cannot be compared with a retry's: let nothing read the request before this ` +
      'handler, or read request.clone()',
  )

async function withoutStore<Tx, Extra>(
  exchange: Exchange<Tx, Extra>,
  key: string,
  request: Request,
  telemetry: RequestTelemetry,
  error: StoreUnavailableError,
): Promise<Response> {
  if (exchange.settings.failMode === 'closed') {
    telemetry.recordError(error)
    telemetry.outcome('store_error')
    return problemResponse('storeUnavailable', { retryAfterS: 1 })
  }
  telemetry.outcome('bypassed')
  return runUnprotected(exchange, key, request, telemetry)
}

/** Soon enough for a short handler, seldom enough for a long one; the client's own backoff grows from it. */
const IN_PROGRESS_RETRY_S = 1
/** An operator or the reconciler has to settle it first. */
const UNKNOWN_RETRY_S = 30

function answerDuplicate(
  acquired: Exclude<AcquiredOrHeld, { kind: 'acquired' | 'takeover' }>,
  waited: boolean,
  telemetry: RequestTelemetry,
): Response {
  switch (acquired.kind) {
    case 'replay':
      telemetry.outcome(waited ? 'waited' : 'replayed')
      telemetry.linkOriginal(acquired.traceId)
      return replayResponse(acquired)
    case 'mismatch':
      telemetry.outcome('mismatch')
      return problemResponse('keyReused')
    case 'in_progress':
      telemetry.outcome('in_progress')
      return problemResponse('outstanding', { retryAfterS: IN_PROGRESS_RETRY_S })
    case 'unknown':
      telemetry.outcome('in_progress')
      return problemResponse('unknownOutcome', { retryAfterS: UNKNOWN_RETRY_S })
    case 'held':
      telemetry.outcome('held')
      return heldResponse(acquired.hold)
  }
}

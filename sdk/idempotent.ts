import { acquireWaiting } from './acquire-waiting'
import { isResponse, orThrownAnswer } from './answer'
import type { IdempotentHandler } from './context'
import { StoreUnavailableError } from './errors'
import type { Exchange } from './exchange'
import { heldResponse } from './holds'
import { hashKey } from './key-hash'
import { nameOperation } from './keys/operation'
import { findKey, type RequestKey, refuseKey } from './keys/request-key'
import { scopeName } from './keys/scope'
import { readWholeBody } from './keys/whole-body'
import { type IdempotentOptions, resolveOptions, type Settings } from './options'
import { problemResponse } from './problem'
import { runHeld } from './run-held'
import { runUnprotected } from './run-unprotected'
import { replayResponse } from './stored-response'
import type { AcquiredOrExpired } from './stores/store'
import { acquiredAttributes, type RequestTelemetry, traceRequest } from './telemetry'
import { getInstruments } from './telemetry/instruments'

export type {
  EffectOptions,
  EffectReport,
  EffectResult,
  IdempotencyContext,
  IdempotentHandler,
} from './context'
export type { KeyParts, KeySource } from './keys/content-key'
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
    const found = findKey(settings, request, scope)
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
        ...(found.kind === 'key' ? keyAttributes(settings, found.key) : {}),
      },
    }
    return traceRequest(facts, async (telemetry) => {
      if (found.kind === 'refused') return refuseKey(found.problem, found.detail)
      if (found.kind === 'none') return runUnprotected(exchange, null, request, telemetry)
      return serveKeyed(exchange, found, telemetry)
    })
  }
}

const keyAttributes = <Tx>({ keySecret, recordRawKey }: Settings<Tx>, key: string) => ({
  'idempotency.key.hash': hashKey(keySecret, key),
  ...(recordRawKey ? { 'idempotency.key': key } : {}),
})

async function serveKeyed<Tx, Extra>(
  exchange: Exchange<Tx, Extra>,
  found: Extract<RequestKey, { kind: 'key' | 'derived' }>,
  telemetry: RequestTelemetry,
): Promise<Response> {
  const { settings, scope } = exchange
  const body = await readWholeBody(exchange.request, settings)
  if (body instanceof Response) return body
  // The body is read already; the handler gets a request of its own that it can read again.
  const { url, method, headers } = exchange.request
  const request = new Request(url, { method, headers, body: body.byteLength === 0 ? null : body })
  const named = await nameOperation(exchange, found, request, body)
  if (named === null) {
    if (!settings.required) return runUnprotected(exchange, null, request, telemetry)
    return refuseKey('keyMissing', 'The request has nothing in it that names this operation.')
  }
  if (isResponse(named)) return named
  if (found.kind === 'derived') telemetry.set(keyAttributes(settings, named.key))

  let acquired: AcquiredOrExpired
  let waited: boolean
  const startedMs = settings.clock.nowMs()
  const [fingerprint, ...otherFingerprints] = named.fingerprints
  const wanted = {
    scope,
    key: named.key,
    tier: settings.tier,
    fingerprint,
    otherFingerprints,
    owner: settings.owner,
    leaseMs: settings.leaseMs,
    traceId: telemetry.traceId,
    retry: headers.get('idempotency-retry') === '?1',
    mayBegin: !named.issued?.expired,
  }
  try {
    ;({ acquired, waited } = await acquireWaiting(settings, wanted, telemetry))
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error
    return withoutStore(exchange, named.key, request, telemetry, error)
  } finally {
    getInstruments().acquireDuration.record((settings.clock.nowMs() - startedMs) / 1000, {
      'idempotency.store.system': settings.store.system,
    })
  }
  telemetry.set(acquiredAttributes(acquired, settings.leaseMs))
  if (acquired.kind === 'acquired' || acquired.kind === 'takeover') {
    return runHeld({ ...exchange, request, issued: named.issued }, named.key, acquired, telemetry)
  }
  return answerDuplicate(acquired, waited, telemetry)
}

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
  acquired: Exclude<AcquiredOrExpired, { kind: 'acquired' | 'takeover' }>,
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
    case 'expired':
      return refuseKey('keyExpired')
  }
}

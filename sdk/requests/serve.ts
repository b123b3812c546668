import { StoreUnavailableError } from '../errors'
import { hashKey } from '../key-hash'
import { nameOperation } from '../keys/operation'
import { findKey, type RequestKey, refuseKey } from '../keys/request-key'
import { scopeName } from '../keys/scope'
import { isResponse, orThrownAnswer } from '../responses/answer'
import { problemResponse } from '../responses/problem'
import { replayResponse } from '../responses/stored-response'
import { acquireWaiting } from '../run/acquire-waiting'
import type { IdempotencyContext } from '../run/context'
import type { Exchange } from '../run/exchange'
import { heldResponse } from '../run/holds'
import { type IdempotentOptions, resolveOptions, type Settings } from '../run/options'
import { runHeld } from '../run/run-held'
import { runUnprotected } from '../run/run-unprotected'
import type { AcquiredOrExpired } from '../stores/store'
import { acquiredAttributes, type RequestTelemetry, traceRequest } from '../telemetry'
import { getInstruments } from '../telemetry/instruments'
import type { RequestHead } from './head'
import type { RequestKind } from './kind'

type OptionsOf<R, Tx, Extra> = Omit<IdempotentOptions<Tx, Extra>, 'scope'> & {
  scope: (request: R, extra: Extra) => ReturnType<IdempotentOptions['scope']>
}
type Handler<R, Tx, Extra> = (
  request: R,
  context: IdempotencyContext<Tx, Extra>,
) => Promise<Response> | Response

/** `idempotent` for requests of one kind. */
export function idempotentOf<R extends RequestHead, Tx, Extra>(
  kind: RequestKind<R>,
  handler: Handler<R, Tx, Extra>,
  options: OptionsOf<R, Tx, Extra>,
): (request: R, extra: Extra) => Promise<Response> {
  const settings = resolveOptions(options)
  return async (request, extra) => {
    const parts = await orThrownAnswer(request, () => options.scope(request, extra))
    if (isResponse(parts)) return parts
    const scope = scopeName(request.method, parts)
    const found = findKey(settings, request, scope)
    const keyHash = found.kind === 'key' ? hashKey(settings.keySecret, found.key) : null
    const handle = (context: IdempotencyContext<Tx, Extra>) => handler(request, context)
    const exchange: Exchange<Tx, Extra> = { settings, handle, request, extra, scope, keyHash }
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
        ...(found.kind === 'key' && keyHash !== null ? keyAttributes(settings, found.key, keyHash) : {}),
      },
    }
    return traceRequest(facts, async (telemetry) => {
      if (found.kind === 'refused') return refuseKey(found.problem, found.detail)
      if (found.kind === 'none') return runUnprotected(exchange, null, telemetry)
      const body = await kind.readBody(request, settings)
      if (body instanceof Response) return body
      // The body is read already; the handler gets a request of its own that it can read again.
      const read = kind.withBody(request, body)
      const derive = () => deriveOf(kind, exchange, read, body)
      const handleRead: typeof handle = (context) => handler(read, context)
      return serveKeyed({ ...exchange, handle: handleRead }, found, body, derive, telemetry)
    })
  }
}

function deriveOf<R extends RequestHead, Tx, Extra>(
  { deriveKey }: RequestKind<R>,
  { settings: { keyFrom, bodyBytesMax }, scope }: Exchange<Tx, Extra>,
  request: R,
  body: Uint8Array,
) {
  if (keyFrom === 'header' || deriveKey === undefined)
    throw new Error('keys of these requests come in their header')
  return deriveKey(keyFrom, scope, request, body, bodyBytesMax)
}

const keyAttributes = <Tx>({ recordRawKey }: Settings<Tx>, key: string, keyHash: string) => ({
  'idempotency.key.hash': keyHash,
  ...(recordRawKey ? { 'idempotency.key': key } : {}),
})

async function serveKeyed<Tx, Extra>(
  exchange: Exchange<Tx, Extra>,
  found: Extract<RequestKey, { kind: 'key' | 'derived' }>,
  body: Uint8Array,
  derive: () => ReturnType<typeof deriveOf>,
  telemetry: RequestTelemetry,
): Promise<Response> {
  const { settings, scope, request } = exchange
  const named = await nameOperation(exchange, found, body, derive)
  if (named === null) {
    if (!settings.required) return runUnprotected(exchange, null, telemetry)
    return refuseKey('keyMissing', 'The request has nothing in it that names this operation.')
  }
  if (isResponse(named)) return named
  const keyHash = exchange.keyHash ?? hashKey(settings.keySecret, named.key)
  if (found.kind === 'derived') telemetry.set(keyAttributes(settings, named.key, keyHash))

  let acquired: AcquiredOrExpired
  let waited: boolean
  const startedMs = settings.clock.nowMs()
  const wanted = {
    scope,
    key: named.key,
    tier: settings.tier,
    fingerprint: named.fingerprint,
    otherFingerprints: named.otherFingerprints,
    owner: settings.owner,
    leaseMs: settings.leaseMs,
    traceId: telemetry.traceId,
    retry: request.headers.get('idempotency-retry') === '?1',
    mayBegin: !named.issued?.expired,
  }
  try {
    ;({ acquired, waited } = await acquireWaiting(settings, wanted, telemetry))
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error
    return withoutStore({ ...exchange, keyHash }, named.key, telemetry, error)
  } finally {
    getInstruments().acquireDuration.record((settings.clock.nowMs() - startedMs) / 1000, {
      'idempotency.store.system': settings.store.system,
    })
  }
  telemetry.set(acquiredAttributes(acquired, settings.leaseMs))
  if (acquired.kind === 'acquired' || acquired.kind === 'takeover') {
    return runHeld({ ...exchange, keyHash, issued: named.issued }, named.key, acquired, telemetry)
  }
  return answerDuplicate(acquired, waited, telemetry)
}

async function withoutStore<Tx, Extra>(
  exchange: Exchange<Tx, Extra>,
  key: string,
  telemetry: RequestTelemetry,
  error: StoreUnavailableError,
): Promise<Response> {
  if (exchange.settings.failMode === 'closed') {
    telemetry.recordError(error)
    telemetry.outcome('store_error')
    return problemResponse('storeUnavailable', { retryAfterS: 1 })
  }
  telemetry.outcome('bypassed')
  return runUnprotected(exchange, key, telemetry)
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

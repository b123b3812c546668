import { type Clock, sleep } from '@/sdk/clock'
import { EffectFailedError } from '@/sdk/errors'
import type { IdempotencyContext } from '@/sdk/idempotent'
import type { RouteConfig } from './config/schema'
import type { KeyedRequest } from './keyed-request'
import { AnswerLostError, type LossPhase, NotSentError, StillUnknownError } from './upstream/errors'
import { type Exchange, forward, probe } from './upstream/forward'
import type { Upstream } from './upstream/upstream'

/** The one thing that a keyed request does. */
export const STEP = 'upstream'
export const EFFECT_NAME = 'gateway.upstream'

export type KeyedRoute = Omit<RouteConfig, 'responseBytes'> & { responseBytes: number }
type Context = IdempotencyContext<unknown, Exchange>
type Deps = { route: KeyedRoute; upstream: Upstream; clock: Clock; onLoss: (phase: LossPhase) => void }

/** The upstream's word that it did nothing, as a failure that carries its answer. */
class RefusedByUpstream extends EffectFailedError {
  constructor(readonly answer: Response) {
    super(`the upstream answered ${answer.status}`)
  }
}

/**
 * What runs under the key's lease: sends the request to the upstream at most once, unless the route says how a second time is
 * safe (docs/decisions/068-what-a-gateway-knows.md).
 */
export function createKeyedHandler(
  deps: Deps,
): (request: KeyedRequest, context: Context) => Promise<Response> {
  const { whenUnknown } = deps.route
  if (whenUnknown === 'keep') return (request, context) => sendAtMostOnce(deps, request, context)
  if (whenUnknown === 'idempotent') return (request, context) => sendAgain(deps, request, context)
  return (request, context) => sendAfterProbe(deps, request, context)
}

/** That it was begun is in the store before a byte is sent; begun and not settled, it is never begun again. */
async function sendAtMostOnce(deps: Deps, { body }: KeyedRequest, context: Context): Promise<Response> {
  let answer: Response | undefined
  const isFailure = (error: unknown) => error instanceof NotSentError
  try {
    await context.effect(STEP, { name: EFFECT_NAME, providerKeyed: false, isFailure }, async () => {
      answer = await forward(deps.upstream, deps.route, context.extra, body, context)
      if (isRefusal(deps, answer)) throw new RefusedByUpstream(answer)
      return { result: null }
    })
  } catch (error) {
    if (error instanceof RefusedByUpstream) return error.answer
    await noteLoss(deps, context, error)
    throw error
  }
  // An earlier attempt has settled it and could not write its answer.
  if (answer === undefined) throw new AnswerLostError('an earlier attempt was answered', 'recording')
  return answer
}

/** The upstream answers a repeated key by itself. */
async function sendAgain(deps: Deps, { body }: KeyedRequest, context: Context): Promise<Response> {
  await requireLease(deps, context)
  return sendUnprotected(deps, body, context)
}

const NOT_EXECUTED = 'not-executed'

async function sendAfterProbe(deps: Deps, { body }: KeyedRequest, context: Context): Promise<Response> {
  if (context.attempt > 1 && context.checkpointData(NOT_EXECUTED) !== context.attempt - 1) {
    const found = await findOutcome(deps, context)
    if (found !== null) return found
  }
  await requireLease(deps, context)
  try {
    const answer = await sendUnprotected(deps, body, context)
    if (isRefusal(deps, answer) && context.attempt > 1) await noteNotExecuted(context)
    return answer
  } catch (error) {
    if (error instanceof NotSentError) await noteNotExecuted(context)
    if (!(error instanceof AnswerLostError) || context.key === null) throw error
    const probed = await askProbe(deps, context)
    if (probed.kind !== 'found') throw error
    return probed.answer
  }
}

/** Spares the next attempt its probe, which without this note it makes. */
const noteNotExecuted = ({ checkpoint, attempt }: Context) =>
  checkpoint(NOT_EXECUTED, attempt).catch(() => {})

/**
 * What became of an earlier attempt: its answer, or null when it was not executed and cannot be any more. Absent counts only
 * when it still is after the time that the upstream may take to end what it had been sent.
 */
async function findOutcome(deps: Deps, context: Context): Promise<Response | null> {
  const { whenUnknown } = deps.route
  const settleMs = typeof whenUnknown === 'string' ? 0 : whenUnknown.settle
  for (const isLast of [false, true]) {
    const probed = await askProbe(deps, context)
    if (probed.kind === 'found') return probed.answer
    if (probed.kind === 'unclear') throw new StillUnknownError(probed.why)
    if (!isLast) await sleep(deps.clock, settleMs)
  }
  return null
}

function askProbe({ upstream, route }: Deps, { extra, key }: Context) {
  if (typeof route.whenUnknown === 'string' || key === null) throw new Error('this route has no probe')
  return probe(upstream, route.whenUnknown, route.responseBytes, extra, key)
}

/** Nothing but the lease keeps another holder from sending: it must be surely held when that begins. */
async function requireLease({ clock, route }: Deps, context: Context): Promise<void> {
  const { fence, attempt, extra } = context
  if (fence === null) return
  if (attempt > 1 || clock.nowMs() - extra.receivedAtMs > route.lease / 2)
    await context.checkpoint('sending', attempt)
}

async function sendUnprotected(deps: Deps, body: Uint8Array, context: Context): Promise<Response> {
  const report = (outcome: 'committed' | 'failed' | 'unknown') =>
    context.reportEffect({ name: EFFECT_NAME, step: STEP, outcome })
  try {
    const answer = await forward(deps.upstream, deps.route, context.extra, body, context)
    report(isRefusal(deps, answer) ? 'failed' : 'committed')
    return answer
  } catch (error) {
    report(error instanceof NotSentError ? 'failed' : 'unknown')
    await noteLoss(deps, context, error)
    throw error
  }
}

/** What is known stays with the key, for whoever settles it. */
async function noteLoss(deps: Deps, context: Context, error: unknown): Promise<void> {
  if (!(error instanceof AnswerLostError)) return
  const { phase, facts, message } = error
  deps.onLoss(phase)
  if (context.fence === null) return
  const data = { attempt: context.attempt, phase, message, ...facts }
  // The outcome is unknown with this note or without it.
  await context.checkpoint('answer-lost', data).catch(() => {})
}

const isRefusal = ({ route }: Deps, { status }: Response): boolean => route.notStored.includes(status)

import { sleep } from '../clock'
import { ExecutionDeadlineError, HeldError, StaleHolderError, StoreUnavailableError } from '../errors'
import { answerOf } from '../responses/answer'
import { passThrough } from '../responses/passed-through'
import { problemResponse } from '../responses/problem'
import { captureResponse } from '../responses/stored-response'
import type { Acquired, Holder, StoredResponse } from '../stores/store'
import { recordStateOf } from '../stores/store'
import type { RequestTelemetry } from '../telemetry'
import { getInstruments } from '../telemetry/instruments'
import type { Exchange } from './exchange'
import { countRejection, createHeldContext, type HeldState } from './held-context'
import { heldResponse, requireNotHeld } from './holds'
import { guardLease, type LeaseGuard } from './lease-guard'
import { warnOfUsage } from './usage-warning'

type Run<Tx, Extra> = {
  exchange: Exchange<Tx, Extra>
  holder: Holder
  guard: LeaseGuard
  telemetry: RequestTelemetry
  state: HeldState
  /** executed, or takeover for a later attempt; held when it was stopped by a hold. */
  outcome: 'executed' | 'takeover' | 'held'
}

/** Executes the handler under a lease and settles the key by how it ended. */
export async function runHeld<Tx, Extra>(
  exchange: Exchange<Tx, Extra>,
  key: string,
  acquired: Extract<Acquired, { kind: 'acquired' | 'takeover' }>,
  telemetry: RequestTelemetry,
): Promise<Response> {
  const { store, clock, leaseMs, heartbeatMs, executionDeadlineMs, owner, tier } = exchange.settings
  const holder: Holder = { scope: exchange.scope, key, fence: acquired.fence, owner, tier }
  const state: HeldState = { pending: new Set(), inTransaction: false, unknownCommit: null, completed: null }
  // A key that its transaction completed is no longer leased, and no longer to be lost.
  const beat = async () =>
    state.completed !== null ||
    (await telemetry.meter(() => store.heartbeat(holder, leaseMs))) ||
    state.completed !== null
  const { clockMarginMs } = store.capabilities
  const stopping =
    clockMarginMs === undefined ? undefined : { leftMs: acquired.leaseLeftMs, marginMs: clockMarginMs }
  const guard = guardLease({ clock, executionDeadlineMs, lease: { leaseMs, heartbeatMs, beat, stopping } })
  const outcome = acquired.kind === 'takeover' ? 'takeover' : 'executed'
  telemetry.outcome(outcome)

  const run: Run<Tx, Extra> = { exchange, holder, guard, telemetry, state, outcome }
  const context = createHeldContext({ exchange, holder, acquired, guard, telemetry, state })
  const finished = measureHold(exchange, () =>
    finish(run, async () => {
      await requireNotHeld(exchange, key)
      return answerOf(exchange.request, () => exchange.handle(context))
    }),
  )
  const first = await Promise.race([finished, guard.deadline])
  if (first !== 'deadline') return first
  // The handler may still run, or its body still come: its lease is left to expire. If it ends after all, it settles the
  // key where the fence still lets it; nobody is left to hear of an error.
  finished.catch(() => {})
  return state.completed === null ? answerDeadline(run) : answerCompleted(run, state.completed)
}

async function measureHold<Tx, Extra>({ settings }: Exchange<Tx, Extra>, work: () => Promise<Response>) {
  const attributes = { 'idempotency.store.system': settings.store.system }
  const instruments = getInstruments()
  const startedMs = settings.clock.nowMs()
  instruments.lockActive.add(1, attributes)
  try {
    return await work()
  } finally {
    instruments.lockActive.add(-1, attributes)
    instruments.lockHoldDuration.record((settings.clock.nowMs() - startedMs) / 1000, attributes)
  }
}

async function finish<Tx, Extra>(run: Run<Tx, Extra>, handle: () => Promise<Response>): Promise<Response> {
  const { guard, state } = run
  const ended = await handle().then(
    (response) => () => settleReturned(run, response),
    (error: unknown) => () => settleThrown(run, error),
  )
  // An effect or a transaction that was not awaited is still part of this execution, and so is what follows it.
  while (state.pending.size > 0) await Promise.allSettled(state.pending)
  guard.close()
  // The lease is kept until the end is written: the body may take longer than the handler.
  return ended().finally(guard.stop)
}

async function settleReturned<Tx, Extra>(run: Run<Tx, Extra>, response: Response): Promise<Response> {
  const { exchange, guard, telemetry, state } = run
  const { settings } = exchange
  if (state.completed !== null) return answerCompleted(run, state.completed)
  if (state.unknownCommit !== null) return answerUnknownCommit(run, state.unknownCommit)

  let captured: Awaited<ReturnType<typeof captureResponse>>
  try {
    if (settings.notStored(response)) return giveBack(run, response)
    captured = await captureResponse(response, settings, () => guard.lapsed)
  } catch (error) {
    return settleThrown(run, error)
  }
  try {
    const record = await completePersistently(run, captured.stored)
    if (record === 'stale') {
      countRejection(exchange)
      return answerStale(run)
    }
    return answerCompleted(run, { record, ...captured })
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error
    telemetry.recordError(error)
    telemetry.outcome('store_error')
    // The work is done but not noted: a retry finds the lease expired, and its committed effects in the steps.
    if (settings.failMode === 'open') return captured.response
    return problemResponse('storeUnavailable', { retryAfterS: settings.leaseMs / 1000 })
  }
}

function answerCompleted<Tx, Extra>(
  run: Run<Tx, Extra>,
  { record, stored, response }: NonNullable<HeldState['completed']>,
) {
  run.telemetry.outcome(run.outcome, recordStateOf(stored.status))
  run.telemetry.set({
    'idempotency.record.created_at': record.createdAt.toISOString(),
    'idempotency.record.expires_at': record.expiresAt.toISOString(),
  })
  const { issued, settings } = run.exchange
  if (issued !== undefined && issued.expiresAt > record.expiresAt)
    warnOfUsage(
      settings,
      `tier ${settings.tier} forgets this key before it expires, and would let it be used again: issue keys for a shorter ` +
        'time, or keep records longer',
    )
  return response
}

/** Completing twice with one fence is harmless: the store recognises its own record. */
const completePersistently = <Tx, Extra>(run: Run<Tx, Extra>, stored: StoredResponse) =>
  persistently(run, () => run.exchange.settings.store.complete(run.holder, stored))

const RETRY_DELAYS_MS = [50, 250]

async function persistently<Tx, Extra, T>(
  { exchange, telemetry }: Run<Tx, Extra>,
  end: () => Promise<T>,
): Promise<T> {
  for (const delayMs of RETRY_DELAYS_MS) {
    try {
      return await telemetry.meter(end)
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      await sleep(exchange.settings.clock, delayMs)
    }
  }
  return telemetry.meter(end)
}

/** The response says "not like this": it is sent, not stored, and the same key may be used again. */
async function giveBack<Tx, Extra>(run: Run<Tx, Extra>, response: Response) {
  const { exchange, holder, telemetry, outcome } = run
  try {
    // Until it is, the key takes no corrected request. Twice is harmless: the second finds the fence gone.
    const ended = await persistently(run, () => exchange.settings.store.giveBack(holder))
    if (ended === 'stale') telemetry.outcome('stale')
    else telemetry.outcome(outcome, ended)
  } catch (error) {
    // Not given back, the lease expires by itself; the response stands.
    if (!(error instanceof StoreUnavailableError)) throw error
    telemetry.recordError(error)
  }
  return passThrough(response, exchange.settings)
}

async function settleThrown<Tx, Extra>(run: Run<Tx, Extra>, error: unknown): Promise<Response> {
  const { exchange, holder, telemetry, state, outcome } = run
  if (state.completed !== null) {
    // It threw after its transaction had committed: the operation is done, and this is its answer.
    telemetry.recordError(error)
    return answerCompleted(run, state.completed)
  }
  if (state.unknownCommit !== null) return answerUnknownCommit(run, state.unknownCommit)
  // As for a hang: never released, since what it waited for may still be running.
  if (error instanceof ExecutionDeadlineError) return answerDeadline(run)
  // What it was not let do, it has not done: the key stays retryable, with the effects that it has committed.
  if (error instanceof HeldError) return giveBack({ ...run, outcome: 'held' }, heldResponse(error.hold))
  try {
    const ended = await telemetry.meter(() => exchange.settings.store.abandon(holder))
    if (ended !== 'stale') telemetry.outcome(outcome, ended)
    else if (error instanceof StaleHolderError) return answerStale(run)
  } catch (storeError) {
    if (!(storeError instanceof StoreUnavailableError)) throw storeError
    telemetry.recordError(storeError)
  }
  if (error instanceof StoreUnavailableError) {
    telemetry.recordError(error)
    telemetry.outcome('store_error')
    return problemResponse('storeUnavailable', { retryAfterS: 1 })
  }
  if (error instanceof StaleHolderError) return answerStale(run)
  throw error
}

function answerDeadline<Tx, Extra>({ exchange, telemetry, outcome }: Run<Tx, Extra>): Response {
  telemetry.outcome(outcome, 'leased')
  return problemResponse('deadline', { retryAfterS: exchange.settings.leaseMs / 1000 })
}

/** Whatever the handler makes of it, the record will say: the lease is left to expire. */
function answerUnknownCommit<Tx, Extra>({ exchange, telemetry }: Run<Tx, Extra>, error: Error): Response {
  telemetry.recordError(error)
  telemetry.outcome('store_error')
  return problemResponse('storeUnavailable', { retryAfterS: exchange.settings.leaseMs / 1000 })
}

/** Another holder has the key, or has finished with it: the next try is answered with its result. */
function answerStale<Tx, Extra>({ telemetry }: Run<Tx, Extra>): Response {
  telemetry.outcome('stale')
  return problemResponse('outstanding', { retryAfterS: 1 })
}

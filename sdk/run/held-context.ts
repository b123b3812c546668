import { doEffect, type EffectScope, reportEffect } from '../effects/effects'
import { toStorableJson } from '../effects/storable'
import { IdempotencyUsageError, StaleHolderError, StoreUnavailableError, UnknownCommitError } from '../errors'
import { answerOfTransaction } from '../responses/answer'
import { captureResponse } from '../responses/stored-response'
import type { Acquired, Completed, Holder, StoredResponse } from '../stores/store'
import type { RequestTelemetry } from '../telemetry'
import { getInstruments } from '../telemetry/instruments'
import type { IdempotencyContext } from './context'
import type { Exchange } from './exchange'
import { requireStepNotHeld } from './holds'
import type { LeaseGuard } from './lease-guard'
import { warnOfUsage } from './usage-warning'

/** What a holder's execution has done so far. */
export type HeldState = {
  /** Effects and transactions that the handler may not have awaited. */
  readonly pending: Set<Promise<unknown>>
  inTransaction: boolean
  /** Set when nobody can say whether a transaction was committed: none may begin any more. */
  unknownCommit: UnknownCommitError | null
  /** Set when a transaction completed the key and committed. */
  completed: { record: Completed; stored: StoredResponse; response: Response } | null
}

type Held<Tx, Extra> = {
  exchange: Exchange<Tx, Extra>
  holder: Holder
  acquired: Extract<Acquired, { kind: 'acquired' | 'takeover' }>
  guard: LeaseGuard
  telemetry: RequestTelemetry
  state: HeldState
}

export function createHeldContext<Tx, Extra>(held: Held<Tx, Extra>): IdempotencyContext<Tx, Extra> {
  const { exchange, holder, acquired, guard, telemetry, state } = held
  const { store, leaseMs, clock } = exchange.settings
  const steps = acquired.kind === 'takeover' ? acquired.steps : []
  const checkpoints = new Map(
    steps.filter((step) => step.kind === 'checkpoint').map((step) => [step.step, step.result]),
  )
  const committed = new Set(
    steps.filter(({ kind, state }) => kind !== 'checkpoint' && state === 'committed').map(({ step }) => step),
  )
  /** How often each step was begun. */
  const beginnings = new Map<string, number>()
  // Their withdrawal may still arrive at the store, where it would end a call that was begun after it.
  const withdrawing = new Set<string>()
  const effects: EffectScope = {
    scope: holder.scope,
    key: holder.key,
    keyHash: exchange.keyHash,
    span: telemetry.span,
    get signal() {
      return guard.signal
    },
    clock,
    warn: (message) => warnOfUsage(exchange.settings, message),
    log: {
      async begin(effect) {
        requireOutsideTransaction(state, 'effect')
        guard.check()
        if (checkpoints.has(effect.step))
          throw new IdempotencyUsageError(
            `${effect.step} is a checkpoint: an effect of that name would pass for done. Name one of them otherwise`,
          )
        if (withdrawing.has(effect.step))
          throw new StoreUnavailableError(
            `the store has not said whether effect ${effect.step} was begun: only another attempt can know`,
          )
        await store.holds?.refresh()
        // What was done before is not begun: its result is given again.
        if (!committed.has(effect.step)) requireStepNotHeld(store, holder.scope, effect.step)
        beginnings.set(effect.step, (beginnings.get(effect.step) ?? 0) + 1)
        const begun = await telemetry
          .meter(() => store.beginEffect(holder, { ...effect, leaseMs }))
          .catch(async (error: unknown) => {
            // It may be written though its answer was lost. Only this holder could have called, and has not: unless it
            // began the step once more meanwhile, whose call a withdrawal would end.
            if (beginnings.get(effect.step) === 1) {
              withdrawing.add(effect.step)
              if (await withdraw(held, effect.step)) withdrawing.delete(effect.step)
            }
            throw error
          })
        // Time passes while the store answers: look again right before the call.
        if (begun.kind === 'begun') await refuseIfEnded(held, effect.step)
        if (begun.kind === 'stale') countRejection(exchange)
        return begun
      },
      async settle(step, end) {
        const settled = await telemetry.meter(() => store.settleEffect(holder, step, end))
        if (settled && end.state === 'committed') committed.add(step)
        return settled
      },
    },
  }
  return {
    scope: holder.scope,
    key: holder.key,
    attempt: acquired.attempt,
    fence: holder.fence,
    get signal() {
      return guard.signal
    },
    extra: exchange.extra,
    recoveryPoint: acquired.kind === 'takeover' ? acquired.recoveryPoint : null,
    checkpointData: (name) => checkpoints.get(name),
    async checkpoint(name, data = null) {
      guard.check()
      const { json, leftOut } = toStorableJson(data)
      if (leftOut.length > 0) {
        const parts = leftOut.join(', ')
        warnOfUsage(exchange.settings, `checkpoint ${name} does not survive JSON; left out: ${parts}`)
      }
      const kept = await telemetry.meter(() => store.checkpoint(holder, name, json))
      if (!kept) throw staleWrite(exchange, `checkpoint ${name}`)
      checkpoints.set(name, json)
      telemetry.set({ 'idempotency.recovery_point.name': name })
    },
    effect(step, options, call) {
      return track(state, doEffect(effects, step, options, call))
    },
    reportEffect: (report) => reportEffect(effects, report),
    transaction: (work) =>
      track(
        state,
        answerOfTransaction(exchange.request, work, (work) => completeInTransaction(held, work)),
      ),
  }
}

function track<T>(state: HeldState, work: Promise<T>): Promise<T> {
  state.pending.add(work)
  const forget = () => state.pending.delete(work)
  work.then(forget, forget)
  return work
}

/** The deadline passed or a hold came between begin and call: this call surely did not happen, so the step says so. */
async function refuseIfEnded<Tx, Extra>(held: Held<Tx, Extra>, step: string) {
  try {
    await held.exchange.settings.store.holds?.refresh()
    held.guard.check()
    requireStepNotHeld(held.exchange.settings.store, held.holder.scope, step)
  } catch (error) {
    await withdraw(held, step)
    throw error
  }
}

/** False = not answered. Unwritten, the step stays begun, which is as careful as unknown. */
const withdraw = <Tx, Extra>({ exchange, holder, telemetry }: Held<Tx, Extra>, step: string) =>
  telemetry
    .meter(() => exchange.settings.store.settleEffect(holder, step, { state: 'not_called' }))
    .then(
      () => true,
      () => false,
    )

async function completeInTransaction<Tx, Extra>(
  { exchange, holder, guard, telemetry, state }: Held<Tx, Extra>,
  work: (tx: Tx) => Promise<Response>,
): Promise<Response> {
  const { store, notStored } = exchange.settings
  const { transaction, completeWithin } = store
  if (transaction === undefined || completeWithin === undefined) {
    throw new IdempotencyUsageError(
      `the ${store.system} store cannot complete in the application's transaction`,
    )
  }
  requireOutsideTransaction(state, 'transaction')
  if (state.completed !== null)
    throw new IdempotencyUsageError('a transaction has completed this key already')
  if (state.unknownCommit !== null) throw state.unknownCommit
  guard.check()
  // Not this transaction itself, which is added when it has been called.
  const effectsUnderWay = [...state.pending]
  const end: { completed: HeldState['completed']; response: Response | null } = {
    completed: null,
    response: null,
  }
  state.inTransaction = true
  try {
    // The completion takes the steps with it: the end of an effect that is under way could be written nowhere.
    await Promise.race([Promise.allSettled(effectsUnderWay), guard.deadline])
    guard.check()
    await telemetry.meter(() =>
      transaction.call(store, holder, async (tx) => {
        const response = await work(tx)
        end.response = response
        if (notStored(response)) return 'rollback'
        const captured = await captureResponse(response, exchange.settings, () => guard.signal)
        guard.check()
        const record = await completeWithin.call(store, tx, holder, captured.stored)
        if (record === 'stale') throw staleWrite(exchange, 'completion')
        end.completed = { record, ...captured }
        end.response = captured.response
        return 'commit'
      }),
    )
  } catch (error) {
    if (error instanceof UnknownCommitError) state.unknownCommit = error
    throw error
  } finally {
    state.inTransaction = false
  }
  // Only now, after COMMIT.
  state.completed = end.completed
  if (end.response === null) throw new IdempotencyUsageError('the transaction gave no response')
  return end.response
}

function requireOutsideTransaction(state: HeldState, what: string): void {
  if (state.inTransaction) throw new IdempotencyUsageError(`no ${what} inside a transaction: do it before`)
}

export function countRejection<Tx, Extra>({ settings }: Exchange<Tx, Extra>): void {
  getInstruments().writeRejections.add(1, { 'idempotency.store.system': settings.store.system })
}

function staleWrite<Tx, Extra>(exchange: Exchange<Tx, Extra>, what: string): StaleHolderError {
  countRejection(exchange)
  return new StaleHolderError(`${what} refused: this holder's fence is stale`)
}

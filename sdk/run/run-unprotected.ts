import { doEffect, type EffectScope, reportEffect } from '../effects/effects'
import { HeldError, IdempotencyUsageError } from '../errors'
import { answerOf, answerOfTransaction } from '../responses/answer'
import { passThrough } from '../responses/passed-through'
import { captureResponse } from '../responses/stored-response'
import type { RequestTelemetry } from '../telemetry'
import type { IdempotencyContext } from './context'
import type { Exchange } from './exchange'
import { heldResponse, requireNotHeld, requireStepNotHeld } from './holds'
import { guardLease } from './lease-guard'
import { warnOfUsage } from './usage-warning'

/**
 * Runs a handler without a lease: unkeyed, or keyed while the store is down on a route that fails open. Effects keep
 * the key that they always had, so the provider still stops a double. At the deadline no effect may begin any more, but
 * the client is not sent away: nothing would stop its second try.
 */
export async function runUnprotected<Tx, Extra>(
  exchange: Exchange<Tx, Extra>,
  key: string | null,
  telemetry: RequestTelemetry,
): Promise<Response> {
  const { settings, handle, request, scope, extra, keyHash } = exchange
  const { store, clock } = settings
  const guard = guardLease({ clock, executionDeadlineMs: settings.executionDeadlineMs, lease: null })
  const effects: EffectScope = {
    scope,
    key: key ?? crypto.randomUUID(),
    keyHash: key === null ? null : keyHash,
    span: telemetry.span,
    get signal() {
      return guard.signal
    },
    clock,
    warn: (message) => warnOfUsage(settings, message),
    log: {
      async begin({ step, providerKey }) {
        await store.holds?.refresh()
        guard.check()
        requireStepNotHeld(store, scope, step)
        return { kind: 'begun', providerKey }
      },
      settle: async () => true,
    },
  }
  const context: IdempotencyContext<Tx, Extra> = {
    scope,
    key,
    attempt: 0,
    fence: null,
    get signal() {
      return guard.signal
    },
    extra,
    recoveryPoint: null,
    checkpointData: () => undefined,
    checkpoint: async () => {},
    effect: (step, options, call) => doEffect(effects, step, options, call),
    reportEffect: (report) => reportEffect(effects, report),
    transaction: (work) => answerOfTransaction(request, work, transact),
  }
  try {
    await requireNotHeld(exchange, key)
    return passThrough(await answerOf(request, () => handle(context)), settings)
  } catch (error) {
    if (!(error instanceof HeldError)) throw error
    if (key !== null) telemetry.outcome('held')
    return heldResponse(error.hold)
  }

  /** As under a lease: the answer is read before COMMIT, since its body may come from the transaction. */
  async function transact(work: (tx: Tx) => Promise<Response>): Promise<Response> {
    if (store.transaction === undefined)
      throw new IdempotencyUsageError(`the ${store.system} store has no transactions`)
    let answer: Response | undefined
    await store.transaction(null, async (tx) => {
      answer = await work(tx)
      if (settings.notStored(answer)) return 'rollback'
      answer = (await captureResponse(answer, settings, () => guard.signal)).response
      guard.check()
      return 'commit'
    })
    if (answer === undefined) throw new IdempotencyUsageError('the transaction gave no response')
    return answer
  }
}

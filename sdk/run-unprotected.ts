import type { IdempotencyContext } from './context'
import { doEffect, type EffectScope, reportEffect } from './effects'
import { IdempotencyUsageError } from './errors'
import type { Exchange } from './exchange'
import { hashKey } from './key-hash'

/**
 * Runs a handler without a lease: unkeyed, or keyed while the store is down on a route that fails open. Effects keep
 * the key that they always had, so the provider still stops a double.
 */
export async function runUnprotected<Tx, Extra>(
  { settings, handler, scope, extra }: Exchange<Tx, Extra>,
  key: string | null,
  request: Request,
): Promise<Response> {
  const { store, clock, keySecret } = settings
  const signal = AbortSignal.timeout(settings.executionDeadlineMs)
  const effects: EffectScope = {
    scope,
    key: key ?? crypto.randomUUID(),
    keyHash: key === null ? null : hashKey(keySecret, key),
    signal,
    clock,
    log: { begin: async () => ({ kind: 'begun' }), settle: async () => true },
  }
  const context: IdempotencyContext<Tx, Extra> = {
    scope,
    key,
    attempt: 0,
    fence: null,
    signal,
    extra,
    recoveryPoint: null,
    checkpointData: () => undefined,
    checkpoint: async () => {},
    effect: (step, options, call) => doEffect(effects, step, options, call),
    reportEffect: (report) => reportEffect(effects, report),
    async transaction(work) {
      if (store.transaction === undefined)
        throw new IdempotencyUsageError(`the ${store.system} store has no transactions`)
      let response: Response | undefined
      await store.transaction(null, async (tx) => {
        response = await work(tx)
        return settings.notStored(response) ? 'rollback' : 'commit'
      })
      if (response === undefined) throw new IdempotencyUsageError('the transaction gave no response')
      return response
    },
  }
  return handler(request, context)
}

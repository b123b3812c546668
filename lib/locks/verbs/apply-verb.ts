import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import type { SystemContext } from '@/lib/context'
import { invariant } from '@/lib/core/errors'
import type { RefusalReason } from '@/lib/core/refusals'
import type { KeyAction } from '@/lib/core/states'
import {
  type IntentSource,
  type OperateOptions,
  SourceUnavailableError,
  type StoredResponse,
  type StoreOutcome,
} from '@/lib/sources/contracts'
import { type Asker, type Inspection, inspect, type Reading, type Target } from '../assess/inspect'
import { failedResponse } from '../assess/recover-response'
import type { KeySettings } from '../settings'

export type VerbOutcome =
  | { kind: 'done'; reading: Reading }
  | { kind: 'refused'; reason: RefusalReason; reading: Reading | null }
  /** The connection broke over the write: settle it by reading again. */
  | { kind: 'unknown'; message: string; reading: Reading }

export type ApplyVerb = {
  verb: KeyAction
  target: Target
  actionId: string
  asker?: Asker | undefined
  /**
   * Called with the evidence just before the write, when all else allows it: writes down what is about to be written,
   * and says why it must not be, if so.
   */
  beforeWrite(reading: Reading, response: StoredResponse | null): Promise<RefusalReason | null>
}

/**
 * Reads store and provider again and compares-and-sets on everything seen. The caller has committed the intent and
 * commits the result. Throws `kill_switch` when writes were switched off meanwhile; nothing was changed then.
 */
export async function applyVerb(
  ctx: SystemContext,
  input: ApplyVerb,
  settings: KeySettings,
): Promise<VerbOutcome> {
  const { verb, target, actionId } = input
  const inspection = await inspect(ctx, verb, target, settings, input.asker)
  if (inspection.kind === 'refused') return inspection
  const { reading } = inspection
  const response = verb === 'fail' ? failedResponse(actionId) : inspection.response
  const reason = await input.beforeWrite(reading, response)
  if (reason !== null) return { kind: 'refused', reason, reading }
  await assertWritesEnabled(ctx.db)
  return write(ctx, inspection, verb, actionId, response, settings)
}

async function write(
  ctx: SystemContext,
  { store, reading }: Extract<Inspection, { kind: 'ready' }>,
  verb: KeyAction,
  actionId: string,
  response: StoredResponse | null,
  settings: KeySettings,
): Promise<VerbOutcome> {
  try {
    const outcome = await compareAndSet(
      store.source,
      verb,
      reading,
      { actionId, graceMs: settings.graceMs, ...(reading.aheadMs > 0 ? { aheadMs: settings.skewMs } : {}) },
      response,
    )
    return outcome.kind === 'done'
      ? { kind: 'done', reading }
      : { kind: 'refused', reason: outcome.reason, reading }
  } catch (error) {
    // The store itself said no (read-only, a timeout, a missing permission): it has rolled the statement back.
    if (error instanceof SourceUnavailableError && error.refused) {
      ctx.log.warn({ err: error, actionId, source: store.id }, `the store refused the ${verb}`)
      const reason = error.fault === 'permission' ? 'not_supported' : 'store_unreachable'
      return { kind: 'refused', reason, reading }
    }
    ctx.log.error(
      { err: error, actionId, source: store.id },
      `it is not known whether the ${verb} was applied`,
    )
    return { kind: 'unknown', message: error instanceof Error ? error.message : String(error), reading }
  }
}

function compareAndSet(
  source: IntentSource,
  verb: KeyAction,
  { lease, assessment }: Reading,
  options: OperateOptions,
  response: StoredResponse | null,
): Promise<StoreOutcome> {
  if (verb === 'release') return source.release(lease.seen, options)
  invariant(response !== null, `${verb} has a response`)
  if (verb === 'fail') return source.fail(lease.seen, { ...options, response })
  const { effect } = assessment
  invariant(effect !== null, 'a completion has its effect')
  const settled = [
    {
      step: effect.step,
      reference: effect.id,
      amountMinor: BigInt(effect.amount.minor),
      currency: effect.amount.currency,
    },
  ]
  return source.complete(lease.seen, { ...options, response, settled })
}

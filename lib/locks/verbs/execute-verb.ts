import { execute } from '@/lib/actions/execute'
import type { ActionView } from '@/lib/actions/view'
import type { Context, SystemContext } from '@/lib/context'
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
import { type KeySettings, keySettings } from '../settings'
import { saveOperatedLock } from './save-operated-lock'
import { refused, type VerbEnd } from './verb-end'

/** What a person asks for. */
export type OperateKey = {
  sourceId: string
  scope: string
  key: string
  /** The version that the operator looked at. */
  seen: string
  reason: string
  lockId?: string | undefined
  caseId?: string | undefined
  runId?: string | undefined
  snapshotId?: string | undefined
}

export type VerbOptions = { settings?: KeySettings; asker?: Asker }

type ExecuteVerb = {
  verb: KeyAction
  target: Target
  actionId: string
  /**
   * Called with the evidence just before the write, when all else allows it: writes down what is about to be written,
   * and says why it must not be, if so.
   */
  beforeWrite(reading: Reading, response: StoredResponse | null): Promise<RefusalReason | null>
}

/**
 * Carries out a committed intent on a key: store and provider are read again, and the write compares-and-sets on
 * everything seen. Throws `kill_switch` when writes were switched off meanwhile; nothing was changed then.
 */
export async function executeVerb(
  ctx: Context,
  { verb, target, actionId, beforeWrite }: ExecuteVerb,
  { settings = keySettings(), asker }: VerbOptions,
): Promise<ActionView> {
  const { action, ended } = await execute<VerbEnd>(ctx, {
    id: actionId,
    verb: `lock.${verb}`,
    async readAgain() {
      const inspection = await inspect(ctx, verb, target, settings, asker)
      if (inspection.kind === 'refused') return refused(inspection)
      const { reading } = inspection
      const response = verb === 'fail' ? failedResponse(actionId) : inspection.response
      const reason = await beforeWrite(reading, response)
      if (reason !== null) return refused({ reason, reading })
      return { call: () => write(ctx, inspection, verb, actionId, response, settings) }
    },
    whenOff(off) {
      throw off
    },
  })
  await saveOperatedLock(ctx, target, verb, ended)
  return action
}

async function write(
  ctx: SystemContext,
  { store, reading }: Extract<Inspection, { kind: 'ready' }>,
  verb: KeyAction,
  actionId: string,
  response: StoredResponse | null,
  settings: KeySettings,
): Promise<VerbEnd> {
  try {
    const outcome = await compareAndSet(
      store.source,
      verb,
      reading,
      { actionId, graceMs: settings.graceMs, ...(reading.aheadMs > 0 ? { aheadMs: settings.skewMs } : {}) },
      response,
    )
    return outcome.kind === 'done'
      ? { state: 'done', result: {}, reading }
      : refused({ reason: outcome.reason, reading })
  } catch (error) {
    // The store itself said no (read-only, a timeout, a missing permission): it has rolled the statement back.
    if (error instanceof SourceUnavailableError && error.refused) {
      ctx.log.warn({ err: error, actionId, source: store.id }, `the store refused the ${verb}`)
      return refused({
        reason: error.fault === 'permission' ? 'not_supported' : 'store_unreachable',
        reading,
      })
    }
    ctx.log.error(
      { err: error, actionId, source: store.id },
      `it is not known whether the ${verb} was applied`,
    )
    const message = error instanceof Error ? error.message : String(error)
    return { state: 'unknown', result: { error: message }, reading }
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

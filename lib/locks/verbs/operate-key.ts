import { authoriseNow } from '@/lib/access/authorise-now'
import { createAction } from '@/lib/actions/create'
import { commitIntent, type Intent } from '@/lib/actions/execute'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { type ActionView, actionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { reasonSchema } from '@/lib/core/reason'
import type { KeyAction } from '@/lib/core/states'
import type { Tx } from '@/lib/db'
import type { Prisma } from '@/prisma/generated/client'
import { parseLockVersion } from '../assess/lock-version'
import { proposeFail } from '../fail/propose'
import { keySettings } from '../settings'
import { executeVerb, type OperateKey, type VerbOptions } from './execute-verb'
import { evidenceOf, noteEvidence } from './note-evidence'

/** A second click comes within this. Later the store is asked: a failover may have lost what was done. */
const REPEAT_WITHIN_MS = 60_000

/**
 * One verb on one key: intent committed with its audit entry, evidence read again, compare-and-set, result committed
 * with its audit entry. The same person sending it again (a double click) gets the action of the first. To fail a key
 * takes two people: it is only proposed here. Throws `forbidden` when they may not, or not any more.
 */
export async function operateKey(
  asked: Context,
  verb: KeyAction,
  input: OperateKey,
  options: VerbOptions = {},
): Promise<ActionView> {
  const ctx = await authoriseNow(asked, `lock.${verb}`)
  const reason = reasonSchema.parse(input.reason)
  const seen = parseLockVersion(input.seen)
  const settings = options.settings ?? keySettings()
  await assertWritesEnabled(ctx.db)
  if (verb === 'fail') return proposeFail(ctx, { ...input, reason }, { ...options, settings })

  const intent = await commitIntent(ctx, `lock.${verb}`, (tx) => begin(tx, ctx, verb, { ...input, reason }))
  if (intent.kind === 'taken') return actionView(intent.action)
  const { id: actionId } = intent.action
  return executeVerb(
    ctx,
    {
      verb,
      target: { sourceId: input.sourceId, scope: input.scope, key: input.key, seen },
      actionId,
      async beforeWrite(reading, response) {
        // Asked before each key, and once more when its evidence was read.
        await authoriseNow(ctx, `lock.${verb}`)
        return noteEvidence(ctx, actionId, {
          evidence: evidenceOf(reading, response),
          evidenceHash: reading.version.evidence,
        })
      },
    },
    { ...options, settings },
  )
}

/** What an earlier action must be so that this one is the same request once more. A run repeats its own at any time. */
function repeats(ctx: Context, { runId, snapshotId }: OperateKey): Prisma.ActionWhereInput[] {
  const since = new Date(ctx.clock.now().getTime() - REPEAT_WITHIN_MS)
  return [
    { state: { in: ['executing', 'unknown'] } },
    { state: 'done', finishedAt: { gte: since } },
    ...(runId === undefined ? [] : [{ state: 'done', runId }]),
    ...(snapshotId === undefined
      ? []
      : [{ state: 'done', params: { path: ['snapshotId'], equals: snapshotId } }]),
  ]
}

async function begin(tx: Tx, ctx: Context, verb: KeyAction, input: OperateKey): Promise<Intent> {
  const { sourceId, scope, key } = input
  const proposerId = ctx.actor.kind === 'user' ? ctx.actor.userId : null
  const lock = `operate:${sourceId}:${scope}:${key}`
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${lock}, 0))`
  const earlier = await tx.action.findFirst({
    where: {
      kind: verb,
      sourceId,
      scope,
      key,
      proposerId,
      seen: { path: ['version'], equals: input.seen },
      OR: repeats(ctx, input),
    },
  })
  if (earlier !== null) return { kind: 'taken', action: earlier }
  const action = await createAction(tx, ctx, {
    kind: verb,
    state: 'executing',
    reason: input.reason,
    sourceId,
    scope,
    key,
    caseId: input.caseId,
    runId: input.runId,
    params: { by: 'keys', lockId: input.lockId, snapshotId: input.snapshotId },
    seen: { version: input.seen },
  })
  const after = { sourceId, scope, key, seen: input.seen, lockId: input.lockId, runId: input.runId }
  return { kind: 'ours', action, audit: { outcome: 'intent', reason: input.reason, after } }
}

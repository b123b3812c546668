import { assertPersonMay } from '@/lib/actions/approval'
import { createAction } from '@/lib/actions/create'
import { transition } from '@/lib/actions/transition'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import type { Tx } from '@/lib/db'
import { type Asker, type Inspection, inspect } from '../assess/inspect'
import { parseLockVersion } from '../assess/lock-version'
import type { KeySettings } from '../settings'
import type { OperateKey } from '../verbs/execute-verb'
import { saveOperatedLock } from '../verbs/save-operated-lock'
import { refused } from '../verbs/verb-end'
import { failEvidence } from './evidence'

/**
 * Proposes that a key is ended without effect: whoever retries is told to send a new request, so a mistake charges twice.
 * Nothing is written to the store before a second person has approved the same evidence. Sent again by its proposer it
 * answers with the proposal that waits.
 */
export async function proposeFail(
  ctx: Context,
  input: OperateKey,
  options: { settings: KeySettings; asker?: Asker },
): Promise<ActionView> {
  if (input.snapshotId !== undefined || input.runId !== undefined) throw notInBulk()
  const { userId } = await assertPersonMay(ctx, 'lock.fail')
  const { sourceId, scope, key } = input
  const target = { sourceId, scope, key, seen: parseLockVersion(input.seen) }
  const inspection = await inspect(ctx, 'fail', target, options.settings, options.asker)
  const action = await ctx.db.prisma.$transaction(async (tx) => {
    const lock = `operate:${sourceId}:${scope}:${key}`
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${lock}, 0))`
    const waiting = await tx.action.findFirst({
      where: {
        kind: 'fail',
        sourceId,
        scope,
        key,
        state: { in: ['proposed', 'approved', 'executing', 'unknown'] },
      },
    })
    if (waiting === null) return write(tx, ctx, input, inspection)
    const seen = waiting.seen as { version?: unknown }
    if (waiting.state === 'proposed' && waiting.proposerId === userId && seen.version === input.seen)
      return actionView(waiting)
    throw new AppError(
      'conflict',
      `${waiting.id} is to fail this key and is ${waiting.state}: decide on it first.`,
      {
        meta: { actionId: waiting.id },
      },
    )
  })
  if (inspection.kind === 'refused') await saveOperatedLock(ctx, input, 'fail', refused(inspection))
  return action
}

export const notInBulk = () =>
  new AppError(
    'unprocessable',
    'To fail a key is proposed for one key at a time, and approved by a second person: never in bulk.',
  )

/** The proposal, or that it was refused, with its audit entry. */
async function write(tx: Tx, ctx: Context, input: OperateKey, inspection: Inspection): Promise<ActionView> {
  const { sourceId, scope, key, reason } = input
  const id = newId('act')
  const evidence = inspection.kind === 'ready' ? failEvidence(inspection.reading, id) : {}
  const action = await createAction(tx, ctx, {
    id,
    kind: 'fail',
    state: inspection.kind === 'ready' ? 'proposed' : 'executing',
    reason,
    sourceId,
    scope,
    key,
    caseId: input.caseId,
    params: { by: 'keys', lockId: input.lockId },
    seen: { version: input.seen },
    ...evidence,
  })
  const after = { sourceId, scope, key, seen: input.seen, lockId: input.lockId, ...hashOf(evidence) }
  const entry = { verb: 'lock.fail', subject: id, reason, after }
  if (inspection.kind === 'ready') {
    await append(tx, ctx, { ...entry, outcome: 'proposed' })
    return actionView(action)
  }
  const { state, result } = refused(inspection)
  const patch = { result, finishedAt: ctx.clock.now() }
  const row = await transition(tx, { id, from: ['executing'], to: state, patch })
  await append(tx, ctx, { ...entry, outcome: state, after: { ...after, ...result } })
  return actionView(row === 'lost' ? action : row)
}

const hashOf = (evidence: { evidenceHash?: string }) =>
  evidence.evidenceHash === undefined ? {} : { evidenceHash: evidence.evidenceHash }

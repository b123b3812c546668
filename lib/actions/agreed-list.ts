import { z } from 'zod'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { toJsonObject } from '@/lib/core/json-value'
import { reasonSchema } from '@/lib/core/reason'
import type { ALL_ACTION_KINDS } from '@/lib/core/states'
import type { Db, Tx } from '@/lib/db'
import { assertFourEyes, assertProposer } from './approval'
import { createAction } from './create'
import { endProposal } from './end-proposal'
import { evidenceHashOf } from './evidence-hash'
import { assertWritesEnabled } from './kill-switch'
import { putInForce } from './put-in-force'
import { type ActionView, actionView } from './view'

/** A list of rules that is changed as a whole, by two people: kept as a setting, whose version is what they looked at. */
export type AgreedList<Rule> = {
  setting: string
  kind: (typeof ALL_ACTION_KINDS)[number]
  /** What its entries of the audit begin with: `reconciliation.rules`. */
  verb: string
  rules: z.ZodType<Rule[]>
}

export type Agreed<Rule> = { rules: Rule[]; version: number }

/** What is in force. Version 0 = nobody has agreed on anything. */
export async function readAgreed<Rule>(dbOrTx: Db | Tx, list: AgreedList<Rule>): Promise<Agreed<Rule>> {
  const prisma = 'prisma' in dbOrTx ? dbOrTx.prisma : dbOrTx
  const row = await prisma.setting.findUnique({ where: { key: list.setting } })
  if (row === null) return { rules: [], version: 0 }
  return { ...z.object({ rules: list.rules }).parse(row.value), version: row.version }
}

/**
 * Proposes another list; it is in force when another person has approved it. The evidence is the list that it replaces; what
 * `preview` says of it is kept beside it. Throws `conflict` when the list has changed.
 */
export async function proposeAgreed<Rule>(
  ctx: Context,
  list: AgreedList<Rule>,
  { reason, ...after }: Agreed<Rule> & { reason: string },
  preview: (before: Rule[]) => Promise<object>,
): Promise<ActionView> {
  const before = await readAgreed(ctx.db, list)
  if (before.version !== after.version) {
    throw new AppError('conflict', 'The rules have changed: look at them again.', {
      meta: { version: before.version },
    })
  }
  const said = await preview(before.rules)
  return ctx.db.prisma.$transaction(async (tx) => {
    const action = await createAction(tx, ctx, {
      id: newId('act'),
      kind: list.kind,
      state: 'proposed',
      reason,
      params: after,
      evidence: { before: before.rules, after: after.rules, version: after.version, preview: said },
      evidenceHash: evidenceHashOf([before.rules, after.rules]),
    })
    await append(tx, ctx, {
      verb: `${list.verb}.propose`,
      subject: action.id,
      outcome: 'proposed',
      reason,
      before: { rules: before.rules },
      after: { rules: after.rules },
    })
    return actionView(action)
  })
}

type Approval = { actionId: string; evidenceHash: string }

/** Another person approves the list that they saw, where what it replaces is as it was. */
export async function approveAgreed<Rule>(
  ctx: Context,
  list: AgreedList<Rule>,
  input: Approval,
): Promise<ActionView> {
  authorise(ctx, 'action.approve')
  const action = await proposed(ctx, list, input.actionId)
  const approverId = await assertFourEyes(ctx, action)
  await assertWritesEnabled(ctx.db)
  const after = z.strictObject({ rules: list.rules, version: z.int().min(0) }).parse(action.params)
  const now = ctx.clock.now()
  return ctx.db.prisma.$transaction(async (tx) => {
    const before = await readAgreed(tx, list)
    const isAsSeen = evidenceHashOf([before.rules, after.rules]) === input.evidenceHash
    if (action.evidenceHash !== input.evidenceHash || !isAsSeen) {
      throw new AppError('conflict', 'The rules in force are not what was looked at: propose it again.', {
        meta: { reason: 'stale_evidence' },
      })
    }
    const result = { version: after.version + 1 }
    const row = await putInForce(tx, action.id, { approverId, at: now, result })
    await replace(tx, list, after, { at: now, by: actorLabel(ctx.actor) })
    await append(tx, ctx, {
      verb: `${list.verb}.approve`,
      subject: action.id,
      outcome: 'done',
      before: { rules: before.rules },
      after: { rules: after.rules },
    })
    return actionView(row)
  })
}

/** Where the list still is as it was looked at. Throws `conflict`. */
async function replace<Rule>(
  tx: Tx,
  { setting: key }: AgreedList<Rule>,
  { rules, version }: Agreed<Rule>,
  { at, by }: { at: Date; by: string },
): Promise<void> {
  const change = { value: toJsonObject({ rules }), updatedAt: at, updatedBy: by }
  const { count } =
    version === 0
      ? await tx.setting.createMany({ data: [{ key, ...change }], skipDuplicates: true })
      : await tx.setting.updateMany({
          where: { key, version },
          data: { ...change, version: { increment: 1 } },
        })
  if (count === 0) throw new AppError('conflict', 'The rules have changed: look at them again.')
}

type EndOfProposal = { actionId: string; reason: string }

/** Somebody looked and said no. */
export async function rejectAgreed<Rule>(
  ctx: Context,
  list: AgreedList<Rule>,
  { actionId, ...input }: EndOfProposal,
): Promise<ActionView> {
  authorise(ctx, 'action.reject')
  const reason = reasonSchema.parse(input.reason)
  const { id } = await proposed(ctx, list, actionId)
  return endProposal(ctx, id, { outcome: 'rejected', verb: `${list.verb}.reject`, reason })
}

/** Its proposer takes it back; it needs no approver, since nothing was changed. */
export async function withdrawAgreed<Rule>(
  ctx: Context,
  list: AgreedList<Rule>,
  { actionId, ...input }: EndOfProposal,
): Promise<ActionView> {
  authorise(ctx, 'case.propose')
  const reason = reasonSchema.parse(input.reason)
  const action = await proposed(ctx, list, actionId)
  assertProposer(action, ctx.actor)
  return endProposal(ctx, action.id, { outcome: 'withdrawn', verb: `${list.verb}.withdraw`, reason })
}

/** Throws `not_found` when it proposes something else. */
async function proposed<Rule>(ctx: Context, { kind }: AgreedList<Rule>, id: string) {
  const action = await ctx.db.prisma.action.findUnique({ where: { id } })
  if (action === null || action.kind !== kind)
    throw new AppError('not_found', `There are no proposed rules ${id}.`)
  return action
}

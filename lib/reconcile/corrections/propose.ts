import { z } from 'zod'
import { createAction } from '@/lib/actions/create'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { CASE_CLASS_NAMES, caseClass } from '@/lib/core/case-classes'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { reasonSchema } from '@/lib/core/reason'
import { ACTION_KINDS, type ActionKind } from '@/lib/core/states'
import type { ReconciliationCase } from '@/prisma/generated/client'
import { type ReconcileSettings, reconcileSettings } from '../settings'
import { noteOnCase } from './case-note'
import { type CorrectionParams, paramsSchema } from './execute/correction-plan'
import { gather } from './execute/gather'
import { operateStuckKey } from './execute/operate-stuck-key'
import { FOUR_EYES_KINDS, type FourEyesKind, planCorrection } from './execute/plan'
import { ignoreCase } from './ignore'
import { refreshCase } from './refresh-case'

const proposalSchema = z.object({
  caseId: z.string().startsWith('case_'),
  kind: z.enum(ACTION_KINDS),
  params: z.record(z.string(), z.unknown()).default({}).pipe(paramsSchema),
  reason: reasonSchema,
})
export type Proposal = z.input<typeof proposalSchema>

/**
 * Proposes a correction of a case on evidence just read. What moves money or books waits for another person; release
 * and complete are the verbs of the key itself, and ignoring closes the case: those are done at once.
 */
export async function propose(
  ctx: Context,
  raw: Proposal,
  settings: ReconcileSettings = reconcileSettings(),
): Promise<ActionView> {
  authorise(ctx, 'case.propose')
  const input = parse(raw)
  const row = await openCase(ctx, input.caseId)
  assertFits(row, input.kind)
  if (input.kind === 'ignore') return ignoreCase(ctx, row, input.reason)
  if (input.kind === 'refresh') return refreshCase(ctx, row, input.reason, settings)
  await assertWritesEnabled(ctx.db)
  if (input.kind === 'release' || input.kind === 'complete' || input.kind === 'fail') {
    return operateStuckKey(ctx, row, input.kind, input.reason, settings)
  }
  if (!isFourEyes(input.kind)) throw new AppError('unprocessable', `${input.kind} cannot be proposed here.`)
  return proposeForApproval(ctx, row, { ...input, kind: input.kind }, settings)
}

function parse(raw: Proposal): z.output<typeof proposalSchema> {
  const parsed = proposalSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
  throw new AppError('invalid', faults.join('; '))
}

const isFourEyes = (kind: ActionKind): kind is FourEyesKind =>
  (FOUR_EYES_KINDS as readonly ActionKind[]).includes(kind)

async function openCase(ctx: Context, id: string): Promise<ReconciliationCase> {
  const row = await ctx.db.prisma.reconciliationCase.findUnique({ where: { id } })
  if (row === null) throw new AppError('not_found', `There is no case ${id}.`)
  if (row.lifecycle === 'resolved') throw new AppError('conflict', 'The case is resolved already.')
  return row
}

function assertFits(row: ReconciliationCase, kind: ActionKind): void {
  const name = z.enum(CASE_CLASS_NAMES).parse(row.class)
  const { fixes } = caseClass(name)
  if (fixes.includes(kind)) return
  throw new AppError('unprocessable', `${kind} does not correct ${name}: ${fixes.join(', ')} may.`)
}

async function proposeForApproval(
  ctx: Context,
  row: ReconciliationCase,
  input: { kind: FourEyesKind; params: CorrectionParams; reason: string },
  settings: ReconcileSettings,
): Promise<ActionView> {
  const gathered = await gather(ctx, row, settings)
  const plan = planCorrection(input.kind, gathered, input.params)
  const { finding, hash } = gathered
  if (finding === null || hash === null) throw new AppError('conflict', 'It is not found any more.')
  assertFits({ ...row, class: finding.class }, input.kind)
  const supersedesId = await failedBefore(ctx, row.id, input.kind)
  const id = newId('act')
  return ctx.db.prisma.$transaction(async (tx) => {
    const pending = await tx.action.findFirst({
      where: { caseId: row.id, state: { in: ['proposed', 'approved', 'executing', 'unknown'] } },
    })
    if (pending !== null) {
      throw new AppError('conflict', `${pending.id} of this case is ${pending.state} already.`, {
        meta: { actionId: pending.id },
      })
    }
    const action = await createAction(tx, ctx, {
      id,
      kind: input.kind,
      state: 'proposed',
      reason: input.reason,
      sourceId: plan.sourceId,
      caseId: row.id,
      scope: finding.subject.scope ?? undefined,
      key: finding.subject.key ?? undefined,
      provider: plan.provider,
      charge: plan.charge,
      amount: plan.amount,
      params: { ...input.params, step: plan.step },
      seen: { caseVersion: row.version },
      evidence: { class: finding.class, subject: finding.subject, ...finding.evidence },
      evidenceHash: hash,
      supersedesId,
    })
    await noteOnCase(tx, ctx, row.id, 'proposed', { actionId: id, kind: input.kind })
    await append(tx, ctx, {
      verb: `correction.${input.kind}`,
      subject: id,
      outcome: 'proposed',
      reason: input.reason,
      after: { caseId: row.id, evidenceHash: hash, charge: plan.charge, amount: plan.amount },
    })
    return actionView(action)
  })
}

/** A correction that failed and was verified to have done nothing: the new one says that it takes its place. */
async function failedBefore(ctx: Context, caseId: string, kind: FourEyesKind): Promise<string | undefined> {
  const last = await ctx.db.prisma.action.findFirst({
    where: { caseId, kind },
    orderBy: { createdAt: 'desc' },
    select: { id: true, state: true },
  })
  return last?.state === 'failed' ? last.id : undefined
}

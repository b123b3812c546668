import { AppError } from '@/lib/core/errors'
import { providerObject } from '@/lib/mirror/provider-object'
import { nextVersion } from '@/lib/mirror/version'
import { breakId } from '@/lib/reconcile/cases/break-id'
import { classifyOperation } from '@/lib/reconcile/classify/classify-operation'
import { type Finding, type LookUp, lookUpKey } from '@/lib/reconcile/classify/finding'
import type { MoneyPicture } from '@/lib/reconcile/classify/money'
import type { Operation } from '@/lib/reconcile/classify/operation'
import { contextOf, evidenceHash, sharedCoverage } from '@/lib/reconcile/classify/read/classify-all'
import { lookUp } from '@/lib/reconcile/classify/read/look-up'
import { readOperations } from '@/lib/reconcile/classify/read/read-operations'
import { readRules } from '@/lib/reconcile/rules/rules'
import type { ReconcileSettings } from '@/lib/reconcile/settings'
import { commitBatch, type StageContext } from '@/lib/reconcile/stage/batch'
import { SourceUnavailableError } from '@/lib/sources/contracts'
import { openSystem, type SystemSources } from '@/lib/sources/registry'
import type { ReconciliationCase } from '@/prisma/generated/client'
import { sidesOf } from '../../stage/stage'

export type Gathered = {
  sources: SystemSources
  operation: Operation
  /** null = it is not found any more. */
  finding: Finding | null
  hash: string | null
  /** The whole money of each charge of the operation. */
  pictures: readonly MoneyPicture[]
}

/** An operation with more than this is for a person, not for a correction. */
const LOOK_UPS_MAX = 200

/**
 * Evidence as it is now: the provider, the ledger and the store are asked again by id, everything goes through the
 * mirror, and the case is classified anew. Telemetry has no say. Throws `unavailable` when one does not answer.
 */
export async function gather(
  ctx: StageContext,
  row: Pick<ReconciliationCase, 'system' | 'operationId' | 'aspect' | 'objectId'>,
  settings: ReconcileSettings,
): Promise<Gathered> {
  const sources = await openSystem(ctx, row.system)
  const before = await readOne(ctx, row)
  const wanted = questionsOf(before)
  if (wanted.length > LOOK_UPS_MAX) {
    throw new AppError('unprocessable', 'The operation has too many objects to be read again.')
  }
  const answered = await lookUp(ctx, sources, wanted, { left: LOOK_UPS_MAX }, settings)
  const silent = wanted.filter((each) => !answered.has(lookUpKey(each)))
  if (silent.length > 0) {
    throw new AppError('unavailable', 'A source does not answer: the evidence cannot be read again now.')
  }
  await readMoney(ctx, sources, before, settings)
  const operation = await readOne(ctx, row)
  const { rules } = await readRules(ctx.db)
  const { finding, pictures } = await classifyAgain(ctx, row, sources, operation, answered, {
    ...settings,
    rules,
  })
  return { sources, operation, pictures, finding, hash: finding === null ? null : evidenceHash(finding) }
}

async function readOne(
  ctx: StageContext,
  row: Pick<ReconciliationCase, 'system' | 'operationId'>,
): Promise<Operation> {
  const [operation] = await readOperations(ctx.db, row.system, [row.operationId])
  if (operation === undefined)
    throw new AppError('conflict', 'The operation was merged: wait for the next run.')
  return operation
}

/** Whatever is known of an operation, as questions by id. */
export function questionsOf(operation: Operation): LookUp[] {
  const charges = operation.charges.map(({ id }) => id)
  const refunds = operation.refunds.map(({ id }) => id)
  const disputes = operation.disputes.map(({ id }) => id)
  const posted = operation.postings.flatMap(({ kind, providerRef }) =>
    providerRef !== null && (kind === 'charge' || kind === 'refund') ? [{ kind, id: providerRef }] : [],
  )
  const booked = [
    ...operation.postings.map(({ providerRef }) => providerRef),
    ...operation.charges.map(({ feeRef }) => feeRef),
  ].filter((ref) => ref !== null)
  const questions: LookUp[] = [
    ...charges.map((id) => ({ kind: 'charge' as const, id })),
    ...refunds.map((id) => ({ kind: 'refund' as const, id })),
    ...disputes.map((id) => ({ kind: 'dispute' as const, id })),
    ...posted,
    ...[...charges, ...refunds, ...disputes, ...booked].map((ref) => ({
      kind: 'ledger' as const,
      ref,
    })),
    ...operation.lives.map(({ scope, key }) => ({ kind: 'key' as const, scope, key })),
  ]
  return [...new Map(questions.map((each) => [lookUpKey(each), each])).values()]
}

/** Refunds and disputes that nobody staged yet, such as one made a moment ago. */
async function readMoney(
  ctx: StageContext,
  sources: SystemSources,
  operation: Operation,
  settings: ReconcileSettings,
): Promise<void> {
  for (const charge of operation.charges.filter(({ status }) => status === 'succeeded')) {
    const open = sources.providers.find(({ id }) => id === charge.sourceId)
    if (open === undefined) continue
    const version = await nextVersion(ctx.db)
    const parts = await Promise.all([
      open.source.refundsOfCharge(charge.id),
      open.source.disputesOfCharge(charge.id),
    ]).catch((cause: unknown) => {
      throw cause instanceof SourceUnavailableError
        ? new AppError('unavailable', 'The provider does not answer.', { cause })
        : cause
    })
    const objects = parts
      .flat()
      .map((part) => providerObject(part, { version, at: null }, { mode: open.source.mode, ...settings }))
    await commitBatch(ctx, open, objects, open.source.effectNames, async () => undefined)
  }
}

async function classifyAgain(
  ctx: StageContext,
  row: Pick<ReconciliationCase, 'system' | 'aspect' | 'objectId'>,
  sources: SystemSources,
  operation: Operation,
  lookedUp: ReadonlySet<string>,
  settings: ReconcileSettings,
): Promise<Pick<Gathered, 'finding' | 'pictures'>> {
  const stage = { asOf: ctx.clock.now(), sides: sidesOf(sources) }
  const coverage = await sharedCoverage(ctx, sources)
  const { findings, pictures } = classifyOperation(
    operation,
    contextOf({ stage }, coverage, settings, lookedUp, sources),
  )
  const wanted = breakId(row.system, operation.id, row.aspect, row.objectId)
  const finding = findings.find(
    ({ aspect, objectId }) => breakId(row.system, operation.id, aspect, objectId) === wanted,
  )
  return { finding: finding ?? null, pictures }
}

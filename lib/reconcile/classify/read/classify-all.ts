import { createHash } from 'node:crypto'
import { z } from 'zod'
import { canonicalJson } from '@/lib/core/canonical-json'
import { inTransaction } from '@/lib/db'
import { coverageOf } from '@/lib/mirror/read/evidence'
import { breakId } from '@/lib/reconcile/cases/break-id'
import { readRules } from '@/lib/reconcile/rules/rules'
import type { ReconcileSettings } from '@/lib/reconcile/settings'
import type { StageContext } from '@/lib/reconcile/stage/batch'
import type { StageOutcome } from '@/lib/reconcile/stage/stage'
import type { TimeRange } from '@/lib/sources/contracts'
import type { SystemSources } from '@/lib/sources/registry'
import { type Classified, classifyOperation } from '../classify-operation'
import { type ClassifyContext, type Finding, type LookUp, lookUpKey } from '../finding'
import type { Charge, Operation } from '../operation'
import { LOOK_UPS_OF_RUN_MAX, withinShare } from './fair-share'
import { type FailedSource, type LookUpBudget, lookUp } from './look-up'
import { readOperations } from './read-operations'

/** So many operations are in memory at once. */
const OPERATIONS_A_BATCH = 200

export type ClassifyRun = { id: string; system: string; stage: Pick<StageOutcome, 'asOf' | 'sides'> }

/**
 * Classifies what the match kept, batch by batch; a batch's findings and its progress commit together. Returns the sources
 * that did not answer when they were asked by id.
 */
export async function classifyAll(
  ctx: StageContext,
  run: ClassifyRun,
  sources: SystemSources,
  settings: ReconcileSettings,
): Promise<FailedSource[]> {
  const coverage = await sharedCoverage(ctx, sources)
  const failed = new Map<string, FailedSource>()
  const budget: LookUpBudget = { left: LOOK_UPS_OF_RUN_MAX, failed }
  const spent = new Map<string, number>()
  const { rules } = await readRules(ctx.db)
  for (;;) {
    const ids = await nextBatch(ctx, run)
    if (ids.length === 0) return [...failed.values()]
    const operations = await readOperations(ctx.db, run.system, ids)
    const results = await classifyBatch(ctx, run, sources, operations, {
      coverage,
      budget,
      spent,
      settings: { ...settings, rules },
    })
    await saveBatch(ctx, run, ids, results)
  }
}

export type ClassifiedOperation = { operation: Operation; classified: Classified }

/** Classifies, asks by id for what would be called missing, and classifies what the answers left. */
export async function classifyBatch(
  ctx: StageContext,
  run: ClassifyRun,
  sources: SystemSources,
  operations: readonly Operation[],
  with_: {
    coverage: TimeRange | null
    budget: LookUpBudget
    /** Questions of this run by class: each has its own share. */
    spent: Map<string, number>
    settings: ReconcileSettings
  },
): Promise<ClassifiedOperation[]> {
  const context = contextOf(run, with_.coverage, with_.settings, new Set(), sources)
  const first = operations.map((operation) => ({
    operation,
    classified: classifyOperation(operation, context),
  }))
  const open = first.filter(({ classified }) => classified.findings.length > 0)
  if (open.length === 0) return first
  // No cursor shows that a posting was changed or reversed: whatever is not clean is read again, many at a time.
  const { spent } = with_
  const wanted = [
    ...open.flatMap(({ classified }) =>
      withinShare(spent, classified.findings[0]?.class ?? '', classified.lookUps),
    ),
    ...open.flatMap(({ operation }) => postingsOf(operation)),
    ...open.flatMap(({ operation }) => withinShare(spent, 'poll', pollsOf(operation, run.stage.asOf))),
  ]
  const lookedUp = await lookUp(ctx, sources, wanted, with_.budget, with_.settings)
  const ids = open.map(({ operation }) => operation.id)
  const again = new Map((await readOperations(ctx.db, run.system, ids)).map((each) => [each.id, each]))
  return first.map((result) => {
    // An answer may have merged it into another operation: the next run compares that one.
    const operation = again.get(result.operation.id)
    if (operation === undefined) return result
    // Kept by what was answered for it: a negative answer of a source that failed is none.
    const answered = new Set(result.classified.lookUps.map(lookUpKey).filter((key) => lookedUp.has(key)))
    const context = contextOf(run, with_.coverage, with_.settings, answered, sources)
    return { operation, classified: classifyOperation(operation, context) }
  })
}

/** What is open is asked for again after this long: lists show no update, and an event may be lost. */
const POLL_AFTER_MS = 5 * 60_000

/** Objects whose state may have moved without a word: what is pending each time, the rest now and then. */
const pollsOf = (operation: Operation, asOf: Date): LookUp[] => {
  const isDue = ({ status, observedAt }: Pick<Charge, 'status' | 'observedAt'>) =>
    status === 'pending' || (status !== 'absent' && asOf.getTime() - observedAt.getTime() >= POLL_AFTER_MS)
  return [
    ...[...operation.charges, ...operation.payments]
      .filter(isDue)
      .map(({ id }) => ({ kind: 'charge' as const, id })),
    ...operation.refunds.filter(isDue).map(({ id }) => ({ kind: 'refund' as const, id })),
  ]
}

const postingsOf = (operation: Operation): LookUp[] =>
  [
    ...operation.charges.flatMap(({ names }) => names),
    ...operation.refunds.map(({ id }) => id),
    ...operation.postings.flatMap(({ providerRef }) => providerRef ?? []),
  ].map((ref) => ({ kind: 'ledger', ref }))

export const contextOf = (
  run: Pick<ClassifyRun, 'stage'>,
  coverage: TimeRange | null,
  settings: ReconcileSettings,
  lookedUp: ReadonlySet<string>,
  sources: Pick<SystemSources, 'providers' | 'ended'>,
): ClassifyContext => ({
  asOf: run.stage.asOf,
  breakOnMs: settings.breakOnMs,
  leaseGraceMs: settings.leaseGraceMs,
  clockSkewMs: settings.clockSkewMs,
  settleDelayMs: settings.settleDelayMs,
  callMs: settings.callMs,
  rules: settings.rules ?? [],
  sides: run.stage.sides,
  ended: sources.ended,
  coverage,
  canLookUp: (id) => sources.providers.some(({ source }) => source.resolvableId.test(id)),
  lookedUp,
})

/** What every provider of the system covers up to now; null when one of them has no listing yet, or is switched off. */
export async function sharedCoverage(
  ctx: Pick<StageContext, 'db'>,
  sources: SystemSources,
): Promise<TimeRange | null> {
  if (sources.off.some(({ kind }) => kind === 'provider')) return null
  const newest = await Promise.all(
    sources.providers.map(async ({ id }) => (await coverageOf(ctx.db, id)).at(-1)),
  )
  const covered = newest.filter((range) => range !== undefined)
  if (covered.length === 0 || covered.length < newest.length) return null
  return {
    from: new Date(Math.max(...covered.map(({ from }) => from.getTime()))),
    to: new Date(Math.min(...covered.map(({ to }) => to.getTime()))),
  }
}

const CANDIDATES = `SELECT c.operation_id FROM mirror.candidate c
  WHERE c.run_id = $1 AND c.system = $2 AND NOT c.classified`
const WITHOUT_CASE = `NOT EXISTS (SELECT FROM reconciliation_case r
  WHERE r.operation_id = c.operation_id AND r.system = $2 AND r.lifecycle <> 'resolved')`

/** What has no case yet comes first: old cases, asked for again by each run, would use up the shares of what is new. */
export async function nextBatch(
  ctx: StageContext,
  run: Pick<ClassifyRun, 'id' | 'system'>,
): Promise<bigint[]> {
  for (const sql of [`${CANDIDATES} AND ${WITHOUT_CASE}`, CANDIDATES]) {
    const { rows } = await ctx.db.pool.query(`${sql} ORDER BY c.operation_id LIMIT $3`, [
      run.id,
      run.system,
      OPERATIONS_A_BATCH,
    ])
    if (rows.length > 0)
      return rows.map((row) => z.object({ operation_id: z.coerce.bigint() }).parse(row).operation_id)
  }
  return []
}

const INSERT_FINDINGS = `
  INSERT INTO mirror.finding (operation_id, break_on, amount_minor, run_id, system, break_id, aspect, object_id, class,
    severity, outcome, scope, key, reference, currency, effect_ids, evidence, evidence_hash)
  SELECT operation_id, break_on, amount_minor, $2, $3, break_id, aspect, object_id, class, severity, outcome, scope, key,
    reference, currency, ARRAY(SELECT jsonb_array_elements_text(effect_ids)), evidence, evidence_hash
  FROM jsonb_to_recordset($1::jsonb) AS f(operation_id bigint, break_on timestamptz, amount_minor bigint,
    break_id text, aspect text, object_id text, class text, severity text, outcome text, scope text, key text,
    reference text, currency text, effect_ids jsonb, evidence jsonb, evidence_hash text)
  ON CONFLICT (run_id, break_id) DO NOTHING`

async function saveBatch(
  ctx: StageContext,
  run: ClassifyRun,
  ids: readonly bigint[],
  results: readonly ClassifiedOperation[],
): Promise<void> {
  const findings = results.flatMap(({ operation, classified }) =>
    classified.findings.map((finding) => toRow(run.system, operation.id, finding)),
  )
  const rechecks = new Map(results.map(({ operation, classified }) => [operation.id, classified.recheckAt]))
  await inTransaction(ctx.db.pool, async (client) => {
    if (findings.length > 0) {
      await client.query(INSERT_FINDINGS, [JSON.stringify(findings), run.id, run.system])
    }
    await client.query(
      `UPDATE mirror.candidate c SET classified = true, recheck_at = r.recheck_at
       FROM unnest($3::bigint[], $4::timestamptz[]) AS r(operation_id, recheck_at)
       WHERE c.run_id = $1 AND c.system = $2 AND c.operation_id = r.operation_id`,
      [run.id, run.system, ids, ids.map((id) => rechecks.get(id) ?? null)],
    )
    await ctx.inBatch?.(client)
  })
}

export const evidenceHash = (finding: Pick<Finding, 'class' | 'evidence' | 'subject'>): string =>
  createHash('sha256')
    .update(canonicalJson([finding.class, finding.subject, finding.evidence]))
    .digest('hex')

const toRow = (system: string, operationId: bigint, finding: Finding) => ({
  operation_id: operationId.toString(),
  break_on: finding.breakOn,
  amount_minor: finding.amount?.minor.toString() ?? null,
  break_id: breakId(system, operationId, finding.aspect, finding.objectId),
  aspect: finding.aspect,
  object_id: finding.objectId,
  class: finding.class,
  severity: finding.severity,
  outcome: finding.outcome,
  scope: finding.subject.scope,
  key: finding.subject.key,
  reference: finding.subject.reference,
  currency: finding.amount?.currency ?? null,
  effect_ids: finding.subject.effectIds,
  evidence: finding.evidence,
  evidence_hash: evidenceHash(finding),
})

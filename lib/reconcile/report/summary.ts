import { z } from 'zod'
import type { ReconciliationVerdict } from '@/lib/core/states'
import type { Db } from '@/lib/db'
import type { StageOutcome } from '../stage/stage'

/** What a run found in one system. Gross: all that was compared; net: what does not agree. */
export type SystemCounts = {
  system: string
  asOf: string
  incomplete: boolean
  failures: { name: string; message: string }[]
  read: number
  /** Objects that could not be read and are set apart: how many, and some of them by name. */
  unreadable: { count: number; examples: { id: string; reason: string }[] }
  compared: number
  matched: number
  /** Why the run compared nothing, and so proves nothing. null = it did, or there was nothing new. */
  nothingCompared: string | null
  pending: number
  breaks: number
  warnings: number
  byClass: Record<string, { pending: number; breaks: number }>
  /** Minor units in breaks, by currency. */
  atRisk: Record<string, string>
}

const findingRow = z.object({
  class: z.string(),
  outcome: z.enum(['pending', 'break']),
  severity: z.string(),
  currency: z.string().nullable(),
  count: z.coerce.number(),
  amount: z.string().nullable(),
})

export async function summarise(
  db: Db,
  runId: string,
  system: string,
  stage: Pick<StageOutcome, 'asOf' | 'sides' | 'failures' | 'read'>,
  matched: { compared: number; matched: number } | null,
  /** Of a window, a key or a reference: silence is then no sign that nothing is new. */
  onDemand: boolean,
): Promise<SystemCounts> {
  const findings = await db.pool.query(
    `SELECT class, outcome, severity, currency, count(*) AS count, sum(amount_minor)::text AS amount
     FROM mirror.finding WHERE run_id = $1 AND system = $2 GROUP BY class, outcome, severity, currency ORDER BY class`,
    [runId, system],
  )
  const rows = findings.rows.map((row) => findingRow.parse(row))
  const byClass: SystemCounts['byClass'] = {}
  const atRisk: Record<string, bigint> = {}
  for (const row of rows) {
    const entry = byClass[row.class] ?? { pending: 0, breaks: 0 }
    entry[row.outcome === 'break' ? 'breaks' : 'pending'] += row.count
    byClass[row.class] = entry
    if (row.outcome !== 'break' || row.currency === null || row.amount === null) continue
    atRisk[row.currency] = (atRisk[row.currency] ?? 0n) + BigInt(row.amount)
  }
  const sum = (pick: (row: (typeof rows)[number]) => boolean) =>
    rows.filter(pick).reduce((total, { count }) => total + count, 0)
  const isWarning = (row: { severity: string }) => row.severity === 'warn' || row.severity === 'P3'
  return {
    system,
    asOf: stage.asOf.toISOString(),
    incomplete: Object.values(stage.sides).includes('incomplete'),
    failures: stage.failures.map(({ name, message }) => ({ name, message })),
    read: stage.read,
    unreadable: await unreadableIn(db, runId, system),
    compared: matched?.compared ?? 0,
    matched: matched?.matched ?? 0,
    nothingCompared: await whyNothing(db, system, stage.sides, matched?.compared ?? 0, onDemand),
    pending: sum(({ outcome }) => outcome === 'pending'),
    breaks: sum((row) => row.outcome === 'break' && !isWarning(row)),
    warnings: sum((row) => row.outcome === 'break' && isWarning(row)),
    byClass,
    atRisk: Object.fromEntries(
      Object.entries(atRisk).map(([currency, amount]) => [currency, amount.toString()]),
    ),
  }
}

async function whyNothing(
  db: Db,
  system: string,
  sides: StageOutcome['sides'],
  compared: number,
  onDemand: boolean,
): Promise<string | null> {
  const connected = Object.entries(sides).flatMap(([side, state]) => (state === 'none' ? [] : [side]))
  if (connected.length < 2) {
    const only = connected[0] === undefined ? 'no source' : `only the ${connected[0]} side`
    return `${only} of ${system} is connected: there is nothing to compare it with`
  }
  if (compared > 0) return null
  if (onDemand) return `nothing of ${system} was found that could be compared`
  const { rows } = await db.pool.query('SELECT FROM mirror.object WHERE system = $1 LIMIT 1', [system])
  return rows.length > 0 ? null : `nothing was ever read from the sources of ${system}`
}

const EXAMPLES_MAX = 10

const unreadableRow = z.object({
  count: z.coerce.number(),
  examples: z.array(z.object({ id: z.string(), reason: z.string() })),
})

async function unreadableIn(db: Db, runId: string, system: string): Promise<SystemCounts['unreadable']> {
  const { rows } = await db.pool.query(
    `SELECT count(*) AS count, coalesce(jsonb_path_query_array(
       jsonb_agg(jsonb_build_object('id', object_id, 'reason', evidence->>'unreadable') ORDER BY object_id),
       '$[0 to ${EXAMPLES_MAX - 1}]'), '[]') AS examples
     FROM mirror.finding WHERE run_id = $1 AND system = $2 AND evidence ? 'unreadable'`,
    [runId, system],
  )
  return unreadableRow.parse(rows[0])
}

/** Never green where a source failed, or where nothing was compared. */
export function verdictOf(counts: SystemCounts): ReconciliationVerdict {
  if (counts.incomplete || counts.nothingCompared !== null) return 'incomplete'
  if (counts.breaks > 0) return 'breaks'
  if (counts.warnings > 0) return 'with_warnings'
  return counts.pending > 0 ? 'with_pending' : 'reconciled'
}

import { z } from 'zod'
import { CASE_CLASS_NAMES, type CaseClass } from '@/lib/core/case-classes'
import type { MoneyJson } from '@/lib/core/money'
import type { Db } from '@/lib/db'

/** Upper bounds of a case's age, in ms; the last bucket is open. */
export const CASE_AGE_BOUNDS_MS = [15 * 60_000, 3_600_000, 86_400_000] as const

export type ClassCount = {
  class: CaseClass
  severity: string
  open: number
  /** By age, youngest first: one more than there are bounds. */
  byAge: number[]
  atRisk: MoneyJson[]
}

export type CaseCounts = {
  open: number
  snoozed: number
  resolved: number
  bySeverity: Record<string, number>
  /** Open ones, snoozed included, the most severe first. */
  classes: ClassCount[]
}

const countRow = z.object({
  class: z.enum(CASE_CLASS_NAMES),
  severity: z.string(),
  age: z.coerce.number(),
  snoozed: z.boolean(),
  currency: z.string().nullable(),
  count: z.coerce.number(),
  amount: z.string().nullable(),
})

/** Open cases are few by nature (the flood cap); resolved ones are counted by their index. $1 now, $2 bounds in ms. */
const OPEN = `
  SELECT class, severity, currency, triage = 'snoozed' AS snoozed,
    width_bucket(extract(epoch FROM $1::timestamptz - first_seen) * 1000, $2::float8[]) AS age,
    count(*) AS count, sum(amount_minor)::text AS amount
  FROM reconciliation_case WHERE lifecycle <> 'resolved'
  GROUP BY 1, 2, 3, 4, 5`

const RESOLVED_COUNTED_MAX = 10_000
const RESOLVED = `
  SELECT count(*)::int AS count FROM (
    SELECT FROM reconciliation_case WHERE lifecycle = 'resolved' LIMIT ${RESOLVED_COUNTED_MAX}) AS counted`

const SEVERITY_ORDER = ['P1', 'P2', 'P3', 'warn']

/** How many cases there are, by class and age. Resolved ones are counted up to 10,000. */
export async function countCases(db: Db, now: Date): Promise<CaseCounts> {
  const [open, resolved] = await Promise.all([
    db.pool.query(OPEN, [now, [...CASE_AGE_BOUNDS_MS]]),
    db.pool.query<{ count: number }>(RESOLVED),
  ])
  const rows = open.rows.map((row) => countRow.parse(row))
  const sum = (some: typeof rows) => some.reduce((total, { count }) => total + count, 0)
  const awake = rows.filter(({ snoozed }) => !snoozed)
  const bySeverity = Object.fromEntries(
    SEVERITY_ORDER.map((severity) => [severity, sum(awake.filter((row) => row.severity === severity))]),
  )
  const classes = CASE_CLASS_NAMES.flatMap((name): ClassCount[] => {
    const group = rows.filter((row) => row.class === name)
    const [first] = group
    if (first === undefined) return []
    const byAge = Array.from({ length: CASE_AGE_BOUNDS_MS.length + 1 }, (_, age) =>
      sum(group.filter((row) => row.age === age)),
    )
    return [{ class: name, severity: first.severity, open: sum(group), byAge, atRisk: amountsOf(group) }]
  })
  const rank = ({ severity }: ClassCount) => SEVERITY_ORDER.indexOf(severity)
  return {
    open: sum(awake),
    snoozed: sum(rows) - sum(awake),
    resolved: resolved.rows[0]?.count ?? 0,
    bySeverity,
    classes: classes.sort((a, b) => rank(a) - rank(b) || b.open - a.open || (a.class < b.class ? -1 : 1)),
  }
}

function amountsOf(rows: readonly z.infer<typeof countRow>[]): MoneyJson[] {
  const sums = new Map<string, bigint>()
  for (const { currency, amount } of rows) {
    if (currency !== null && amount !== null) sums.set(currency, (sums.get(currency) ?? 0n) + BigInt(amount))
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, minor]) => ({ minor: minor.toString(), currency }))
}

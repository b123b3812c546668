import { z } from 'zod'
import type { MoneyJson } from '@/lib/core/money'
import type { Db } from '@/lib/db'

/** What happened to cases in a day: how many, and the money in them. A case counts once for each kind of event. */
export type DayEvents = { kind: string; cases: number; money: MoneyJson[] }
export type DayFigures = {
  events: DayEvents[]
  /** Runs that ended, dry ones apart, by verdict. */
  runs: { outcome: string; count: number }[]
  dryRuns: number
}

const DAY_MS = 86_400_000

/** $1, $2: the day. By the index on the time of events. */
const EVENTS = `
  WITH day AS (SELECT DISTINCT kind, case_id FROM case_event WHERE at >= $1 AND at < $2)
  SELECT d.kind, c.currency, count(*)::int AS cases, sum(c.amount_minor)::text AS amount
  FROM day d JOIN reconciliation_case c ON c.id = d.case_id
  GROUP BY d.kind, c.currency ORDER BY d.kind, c.currency`

const eventRow = z.object({
  kind: z.string(),
  currency: z.string().nullable(),
  cases: z.number(),
  amount: z.string().nullable(),
})

/** Of a day, UTC: `2026-11-22`. */
export async function readDayFigures(db: Db, day: string): Promise<DayFigures> {
  const from = new Date(`${day}T00:00:00Z`)
  const to = new Date(from.getTime() + DAY_MS)
  const [events, runs] = await Promise.all([
    db.pool.query(EVENTS, [from, to]),
    db.prisma.run.groupBy({
      by: ['outcome', 'dryRun'],
      where: { kind: 'reconciliation', state: 'done', createdAt: { gte: from, lt: to } },
      _count: true,
      orderBy: { outcome: 'asc' },
    }),
  ])
  const kinds = new Map<string, DayEvents>()
  for (const { kind, currency, cases, amount } of events.rows.map((row) => eventRow.parse(row))) {
    const known = kinds.get(kind) ?? { kind, cases: 0, money: [] }
    const money = currency === null || amount === null ? [] : [{ minor: amount, currency }]
    kinds.set(kind, { kind, cases: known.cases + cases, money: [...known.money, ...money] })
  }
  return {
    events: [...kinds.values()],
    runs: runs
      .filter(({ dryRun }) => !dryRun)
      .map(({ outcome, _count }) => ({ outcome: outcome ?? 'unknown', count: _count })),
    dryRuns: runs.filter(({ dryRun }) => dryRun).reduce((total, { _count }) => total + _count, 0),
  }
}

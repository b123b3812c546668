import { z } from 'zod'
import { type Money, type MoneyJson, moneyToJson, sumByCurrency } from '@/lib/core/money'
import { scopeParts } from '@/lib/core/scope'
import type { Db } from '@/lib/db'
import { type AtRisk, readAtRisk } from '@/lib/effects/read-at-risk'
import { LOCK_GROUPS, tallyLocks } from '@/lib/locks/count-locks'
import type { IncidentRange } from './range'

const SHOWN_MAX = 20

/** One caller on one endpoint, and what it has of this. */
export type Affected = {
  client: string
  endpoint: string
  /** Side effects beyond the first of their step. */
  twice: number
  /** Side effects that no record answers for. */
  orphans: number
  /** Keys that are stuck now. */
  stuck: number
  /** Cases that were confirmed, whatever became of them. */
  cases: number
  /** Of effects that happened twice and of orphans. */
  effectMoney: MoneyJson[]
  caseMoney: MoneyJson[]
}

export type AffectedCallers = { items: Affected[]; beyond: number /** Not all was read. */; more: boolean }

const CASES = `
  SELECT scope, currency, count(*)::int AS count, sum(amount_minor)::text AS amount FROM reconciliation_case
  WHERE first_seen >= $1 AND first_seen < $2 AND outcome = 'break' AND scope IS NOT NULL
    AND resolution IS DISTINCT FROM 'merged' AND ($3::text IS NULL OR system = $3)
  GROUP BY 1, 2 ORDER BY count DESC, 1, 2 LIMIT 2000`
const casesSchema = z.array(
  z.object({
    scope: z.string(),
    currency: z.string().nullable(),
    count: z.number(),
    amount: z.string().nullable(),
  }),
)

type Tally = Omit<Affected, 'effectMoney' | 'caseMoney'> & { effects: Money[]; inCases: Money[] }

/** Whom it hits, the most money-moving first: from telemetry, from the stores and from reconciliation. */
export async function readAffected(
  db: Db,
  range: IncidentRange,
  system: string | null,
  twice: AtRisk,
): Promise<AffectedCallers> {
  const [orphans, locks, cases] = await Promise.all([
    readAtRisk(db, { kind: 'orphan', ...range }),
    tallyLocks(db),
    db.pool.query(CASES, [range.from, range.to, system]),
  ])
  const tallies = new Map<string, Tally>()
  const at = (client: string, endpoint: string): Tally => {
    const name = JSON.stringify([client, endpoint])
    const known = tallies.get(name) ?? {
      client,
      endpoint,
      twice: 0,
      orphans: 0,
      stuck: 0,
      cases: 0,
      effects: [],
      inCases: [],
    }
    tallies.set(name, known)
    return known
  }
  for (const [what, { effects }] of [
    ['twice', twice],
    ['orphans', orphans],
  ] as const)
    for (const { scope, amount } of effects) {
      const { client, endpoint } = scopeParts(scope)
      const tally = at(client, endpoint)
      tally[what]++
      if (amount !== null) tally.effects.push(amount)
    }
  const stuckStates: readonly string[] = LOCK_GROUPS.stuck
  for (const { state, client, endpoint, count } of locks.tallies)
    if (stuckStates.includes(state)) at(client, endpoint).stuck += count
  for (const { scope, currency, count, amount } of casesSchema.parse(cases.rows)) {
    const { client, endpoint } = scopeParts(scope)
    const tally = at(client, endpoint)
    tally.cases += count
    if (currency !== null && amount !== null) tally.inCases.push({ minor: BigInt(amount), currency })
  }
  const weight = ({ twice: t, orphans: o, cases: c, stuck }: Tally) => t + o + c + stuck
  const all = [...tallies.values()].toSorted(
    (a, b) =>
      weight(b) - weight(a) || a.client.localeCompare(b.client) || a.endpoint.localeCompare(b.endpoint),
  )
  const json = (amounts: Money[]) => sumByCurrency(amounts).map(moneyToJson)
  return {
    items: all.slice(0, SHOWN_MAX).map(({ effects, inCases, ...tally }) => ({
      ...tally,
      effectMoney: json(effects),
      caseMoney: json(inCases),
    })),
    beyond: Math.max(0, all.length - SHOWN_MAX),
    more: twice.more || orphans.more || locks.more,
  }
}

import { z } from 'zod'
import { ALERTS } from '@/lib/alerts/about'
import { type MoneyJson, moneyToJson } from '@/lib/core/money'
import type { Db } from '@/lib/db'
import { readAtRisk } from '@/lib/effects/read-at-risk'
import { type IncidentRange, incidentRange } from './range'
import type { IncidentAlert } from './read-alerts'
import type { IncidentView } from './view'

/** What one of its alerts has behind it. */
export type MoneyPart = { what: string; amounts: MoneyJson[]; more: boolean }
export type MoneyAtRisk = {
  parts: MoneyPart[]
  /** The largest of the parts in each currency: the same money may be behind several. Null = not known. */
  amounts: MoneyJson[] | null
  /** There is more than was read. */
  more: boolean
}

const NOT_KNOWN: MoneyAtRisk = { parts: [], amounts: null, more: false }
const namedSchema = z.object({ money: z.array(z.object({ minor: z.string(), currency: z.string() })) })

/** What is behind the alerts that fire now, in each currency. */
export async function readMoneyAtRisk(
  db: Db,
  incident: IncidentView,
  alerts: readonly IncidentAlert[],
  now: Date,
): Promise<MoneyAtRisk> {
  if (incident.status === 'closed') return NOT_KNOWN
  const firing = alerts.filter(({ clearedAt }) => clearedAt === null)
  const named = firing.flatMap(({ kind, detail }): MoneyPart[] => {
    const money = namedSchema.safeParse(detail)
    return money.success ? [{ what: ALERTS[kind].title, amounts: money.data.money, more: false }] : []
  })
  const twice = firing.some(({ kind }) => kind === 'duplicate_effects')
    ? [await happenedTwice(db, incidentRange(incident, alerts, now))]
    : []
  const parts = [...twice, ...named]
  if (parts.length === 0) return NOT_KNOWN
  return { parts, amounts: largest(parts), more: parts.some(({ more }) => more) }
}

async function happenedTwice(db: Db, range: IncidentRange): Promise<MoneyPart> {
  const { amounts, more } = await readAtRisk(db, { kind: 'duplicate', ...range })
  return { what: ALERTS.duplicate_effects.title, amounts: amounts.map(moneyToJson), more }
}

function largest(parts: readonly MoneyPart[]): MoneyJson[] {
  const most = new Map<string, bigint>()
  for (const { minor, currency } of parts.flatMap(({ amounts }) => amounts)) {
    const amount = BigInt(minor)
    if (amount > (most.get(currency) ?? -1n)) most.set(currency, amount)
  }
  return [...most]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, minor]) => ({ minor: minor.toString(), currency }))
}

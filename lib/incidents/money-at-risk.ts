import { z } from 'zod'
import { ALERTS } from '@/lib/alerts/about'
import { type MoneyJson, moneyToJson } from '@/lib/core/money'
import { moneyJsonSchema } from '@/lib/core/money-json'
import type { Db } from '@/lib/db'
import { type AtRisk, readAtRisk } from '@/lib/effects/read-at-risk'
import { incidentRange } from './range'
import { type IncidentAlert, readAlertsOf } from './read-alerts'
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
const namedSchema = z.object({ money: z.array(moneyJsonSchema) })

export type IncidentWithMoney = IncidentView & { money: MoneyAtRisk }

/** Each with the money that is behind it now. */
export async function withMoneyAtRisk(
  db: Db,
  incidents: readonly IncidentView[],
  now: Date,
): Promise<IncidentWithMoney[]> {
  const alertsOf = await readAlertsOf(
    db,
    incidents.map(({ id }) => id),
  )
  return Promise.all(
    incidents.map(async (incident) => {
      const alerts = alertsOf(incident.id)
      const readTwice = () => readAtRisk(db, { kind: 'duplicate', ...incidentRange(incident, alerts, now) })
      return { ...incident, money: await moneyAtRisk(incident, alerts, readTwice) }
    }),
  )
}

/** What is behind the alerts that fire now, in each currency. What happened twice is asked for only where it matters. */
export async function moneyAtRisk(
  { status }: Pick<IncidentView, 'status'>,
  alerts: readonly IncidentAlert[],
  readTwice: () => Promise<AtRisk>,
): Promise<MoneyAtRisk> {
  if (status === 'closed') return NOT_KNOWN
  const firing = alerts.filter(({ clearedAt }) => clearedAt === null)
  const named = firing.flatMap(({ kind, detail }): MoneyPart[] => {
    const money = namedSchema.safeParse(detail)
    return money.success ? [{ what: ALERTS[kind].title, amounts: money.data.money, more: false }] : []
  })
  const twice = firing.some(({ kind }) => kind === 'duplicate_effects')
    ? [happenedTwice(await readTwice())]
    : []
  const parts = [...twice, ...named]
  if (parts.length === 0) return NOT_KNOWN
  return { parts, amounts: largest(parts), more: parts.some(({ more }) => more) }
}

const happenedTwice = ({ amounts, more }: AtRisk): MoneyPart => ({
  what: ALERTS.duplicate_effects.title,
  amounts: amounts.map(moneyToJson),
  more,
})

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

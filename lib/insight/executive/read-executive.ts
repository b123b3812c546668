import { isBudgeted, readObjectives } from '@/lib/alerts/objectives'
import type { ReadContext } from '@/lib/context'
import { sumMoneyJson } from '@/lib/core/money'
import type { Db } from '@/lib/db'
import { CONFIRMING } from '@/lib/effects/list-effects'
import { readSuspected } from '@/lib/effects/read-suspected'
import { type IncidentMonth, readIncidentMonths, readIncidentTimes } from '@/lib/incidents/read-history'
import { readDuplicateCost } from '@/lib/reconcile/report/duplicate-cost'
import { hasCompared } from '@/lib/reconcile/report/has-compared'
import { MEASURES, toCount } from '@/lib/telemetry/measures/measure'
import { readFreshness } from '@/lib/telemetry/read/freshness'
import { type RatePoint, readRateSeries } from '@/lib/telemetry/read/requests/rate-series'
import { bucketSeconds, DAY_MS } from '@/lib/telemetry/window'
import { readStorageCost } from '../cost/read-cost'
import type { Executive, ExecutiveFigures, ExecutiveMonth } from './executive'
import { executiveSentence } from './executive-sentence'

type Window = { from: Date; to: Date }

const DAY_SECONDS = 86_400

/** A period of days (UTC), from roll-ups and from what is kept of cases and incidents: never from spans. */
export async function readExecutive(ctx: ReadContext, asked: Window): Promise<Executive> {
  const { db } = ctx
  const now = ctx.clock.now()
  const window = { from: startOfDay(asked.from), to: asked.to }
  const monthsFrom = startOfMonth(window.from)
  const [series, objectives, compared, cost, suspected, storage, incidents] = await Promise.all([
    readRateSeries(db, { from: monthsFrom, to: window.to, measure: 'M2', stepSeconds: DAY_SECONDS }),
    readObjectives(db, window, now),
    hasCompared(db),
    readDuplicateCost(db, CONFIRMING.duplicate, window),
    readSuspected(db, window),
    readStorageCost(db, { from: new Date(window.to.getTime() - DAY_MS), to: window.to }),
    readIncidents(db, now, window, monthsFrom),
  ])
  const points = series.points.filter(({ at }) => at >= window.from)
  const target = objectives.find(({ id }) => id === 'M2')?.target ?? MEASURES.M2.target
  const { openAmounts, amounts: _, ...confirmed } = cost
  const figures: ExecutiveFigures = {
    from: window.from.toISOString(),
    to: window.to.toISOString(),
    days: Math.ceil((window.to.getTime() - window.from.getTime()) / DAY_MS),
    measuredDays: points.length,
    effects: { ...effectsOf(points), target },
    confirmed: compared ? confirmed : null,
    suspected,
    atRisk: sumMoneyJson([...(compared ? openAmounts : []), ...suspected.amounts]),
    incidents: incidents?.times ?? null,
  }
  return {
    ...figures,
    sentence: executiveSentence(figures),
    trend: trendOf(points, window),
    months: monthsOf(monthsFrom, window.to, series.points, incidents),
    budgets: objectives
      .filter(({ id }) => isBudgeted(id))
      .map(({ id, name, value, target: bound, budgetLeft }) => ({
        id,
        name,
        value,
        target: bound,
        budgetLeft,
      })),
    storage: {
      bytes: storage.tiers.length === 0 ? null : storage.bytes,
      costPerMonth: storage.costPerMonth,
      unpriced: storage.unpriced.length,
    },
  }
}

/** The one place where incidents are counted. Null = nothing was ever watched, so that none says nothing. */
async function readIncidents(db: Db, now: Date, window: Window, monthsFrom: Date) {
  const since = await watchedSince(db, now)
  if (since === null) return null
  const [times, months] = await Promise.all([
    readIncidentTimes(db, window),
    readIncidentMonths(db, { from: monthsFrom, to: window.to }),
  ])
  return { since, times, months }
}

/** When the first service sent, or the first source was connected. */
async function watchedSince(db: Db, now: Date): Promise<Date | null> {
  const [services, sources] = await Promise.all([
    readFreshness(db, now),
    db.prisma.source.aggregate({ _min: { createdAt: true } }),
  ])
  const times = [...services.map(({ firstSpanAt }) => firstSpanAt), sources._min.createdAt ?? []].flat()
  return times.length === 0 ? null : new Date(Math.min(...times.map((at) => at.getTime())))
}

/** A point a day, or a few days where a chart has no room for so many. */
function trendOf(points: readonly RatePoint[], { from, to }: Window): Executive['trend'] {
  const seconds = Math.max(DAY_SECONDS, bucketSeconds(from, to))
  const stepMs = seconds * 1000
  const starts = [...new Set(points.map(({ at }) => Math.floor(at.getTime() / stepMs) * stepMs))]
  return {
    bucketSeconds: seconds,
    points: starts.map((start) => {
      const own = points.filter(({ at }) => at.getTime() >= start && at.getTime() < start + stepMs)
      const { duplicates, committed } = effectsOf(own)
      return { at: new Date(start).toISOString(), numerator: duplicates, denominator: committed }
    }),
  }
}

function effectsOf(points: readonly RatePoint[]) {
  const sum = (pick: 'numerator' | 'denominator') =>
    points.reduce((total, point) => total + BigInt(point[pick]), 0n)
  const [duplicates, committed] = [sum('numerator'), sum('denominator')]
  return {
    committed: toCount(committed),
    duplicates: toCount(duplicates),
    rate: committed === 0n ? null : Number(duplicates) / Number(committed),
  }
}

/** Every calendar month that the period touches, whole but for the one that has not ended; the newest first. */
function monthsOf(
  from: Date,
  to: Date,
  points: readonly RatePoint[],
  incidents: { since: Date; months: readonly IncidentMonth[] } | null,
): ExecutiveMonth[] {
  const months: ExecutiveMonth[] = []
  for (let at = from; at < to; at = nextMonth(at)) {
    const [month, end] = [at.toISOString().slice(0, 7), nextMonth(at)]
    const own = points.filter((point) => point.at >= at && point.at < end)
    const opened = incidents?.months.find((each) => each.month === month)
    const isWatched = incidents !== null && incidents.since < end
    months.push({
      month,
      partial: end > to,
      effects: effectsOf(own),
      incidents: isWatched ? { count: opened?.count ?? 0, bySeverity: opened?.bySeverity ?? {} } : null,
    })
  }
  return months.reverse()
}

/** The last days (UTC), the one that has not ended included. */
export const lastDays = (now: Date, days: number): Window => ({
  from: startOfDay(new Date(now.getTime() - (days - 1) * DAY_MS)),
  to: now,
})

const startOfDay = (at: Date): Date => new Date(Math.floor(at.getTime() / DAY_MS) * DAY_MS)
const startOfMonth = (at: Date): Date => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1))
const nextMonth = (at: Date): Date => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1))

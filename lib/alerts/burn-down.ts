import { readTerms, type TermsRule } from '@/lib/conditions/terms'
import type { Db } from '@/lib/db'
import { MEASURES } from '@/lib/telemetry/measures/measure'
import { type RateMeasure, type RatePoint, readRateSeries } from '@/lib/telemetry/read/requests/rate-series'
import { type BudgetedId, LONG_MS, SHORT_MS } from './objectives'
import { agreedShare, isAgreed } from './targets'

/** One bucket: what was left of the range's budget at its end, and how fast it went. */
export type BurnPoint = {
  at: Date
  /** Share of the budget; null = nothing was counted yet. */
  left: number | null
  /** Times the target, over 5 and 60 minutes up to here; null = nothing was counted in them, or the bucket is longer. */
  short: number | null
  long: number | null
  complete: boolean
}

export type BurnDown = { bucketSeconds: number; points: BurnPoint[] }

/** As a share of one. */
const shareOf = (id: BudgetedId, rules: readonly TermsRule[]): number =>
  isAgreed(id) ? agreedShare(id, rules) : MEASURES[id].target

/** The course of one objective's budget over a range, from 100 % down. */
export async function readBurnDown(
  db: Db,
  range: { from: Date; to: Date; measure: BudgetedId & RateMeasure },
  now: Date,
): Promise<BurnDown> {
  const { measure, from, to } = range
  const { rules } = await readTerms(db.pool)
  // The first bucket's long burn looks back before the range.
  const { bucketSeconds, points } = await readRateSeries(db, {
    measure,
    from: new Date(from.getTime() - LONG_MS),
    to,
  })
  return {
    bucketSeconds,
    points: burnDown(points, { ...range, bucketSeconds, target: shareOf(measure, rules), now }),
  }
}

type Terms = { from: Date; to: Date; bucketSeconds: number; target: number; now: Date }

/** Pure: the budget is what the target allows of all that was counted in the range. */
export function burnDown(points: readonly RatePoint[], terms: Terms): BurnPoint[] {
  const { from, to, bucketSeconds, target, now } = terms
  const stepMs = bucketSeconds * 1000
  const counted = new Map(
    points.map(({ at, numerator, denominator }) => [
      at.getTime(),
      { bad: Number(numerator), all: Number(denominator) },
    ]),
  )
  const sum = (fromMs: number, toMs: number) => {
    let [bad, all] = [0, 0]
    for (let at = fromMs; at < toMs; at += stepMs) {
      bad += counted.get(at)?.bad ?? 0
      all += counted.get(at)?.all ?? 0
    }
    return { bad, all }
  }
  const burn = (endMs: number, windowMs: number): number | null => {
    if (windowMs < stepMs) return null
    const { bad, all } = sum(endMs - Math.floor(windowMs / stepMs) * stepMs, endMs)
    return all === 0 || target === 0 ? null : bad / all / target
  }
  const firstMs = Math.floor(from.getTime() / stepMs) * stepMs
  const budget = sum(firstMs, to.getTime()).all * target
  let [spent, seen] = [0, 0]
  const course: BurnPoint[] = []
  for (let at = firstMs; at < to.getTime(); at += stepMs) {
    spent += counted.get(at)?.bad ?? 0
    seen += counted.get(at)?.all ?? 0
    course.push({
      at: new Date(at),
      // Before anything was counted there is nothing to have a budget of, and a target of none at all allows none.
      left: seen === 0 || target === 0 ? null : 1 - spent / budget,
      short: burn(at + stepMs, SHORT_MS),
      long: burn(at + stepMs, LONG_MS),
      complete: at + stepMs <= now.getTime(),
    })
  }
  return course
}

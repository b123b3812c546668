import { samePlace, type TermsRule, termsAt } from '@/lib/conditions/terms'
import type { SystemContext } from '@/lib/context'
import type { ConditionKind, Severity } from '@/lib/core/condition-kinds'
import type { Db } from '@/lib/db'
import { readLatencySeries } from '@/lib/telemetry/read/requests/latency-series'
import { readRateSeries } from '@/lib/telemetry/read/requests/rate-series'
import { BURNING, type Burning, burnIn, type Counted, isAbove, RATE_OF, SPANS } from '../evaluate/burn'
import { ago } from '../evaluate/family'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const WEEK_MS = 7 * 24 * HOUR_MS
/** What comes back sooner is the alert that it was. */
const SAME_ALERT_MS = 5 * MINUTE_MS

/** How often a condition fired in the last 7 days, by the terms before and after a change. */
export type TermsChange = {
  kind: ConditionKind
  when: TermsRule['when']
  before: number
  /** Null = what it would be measured by is not kept. */
  after: number | null
}

type Lists = { before: readonly TermsRule[]; after: readonly TermsRule[] }

const same = (a: TermsRule, b: TermsRule): boolean => JSON.stringify(a) === JSON.stringify(b)

/** The places whose terms differ between two lists. */
function changedPlaces({ before, after }: Lists): TermsRule[] {
  const changed = [
    ...after.filter((rule) => !before.some((other) => same(rule, other))),
    ...before.filter((rule) => !after.some((other) => same(rule, other))),
  ]
  return changed.filter((rule, index) => changed.findIndex((other) => samePlace(rule, other)) === index)
}

/**
 * Rates and latencies are computed again from what was measured. Of all others only the alerts are kept: how often they
 * fired is said, and not how often they would have.
 */
export function previewTerms(ctx: Pick<SystemContext, 'db' | 'clock'>, lists: Lists): Promise<TermsChange[]> {
  const now = ctx.clock.now()
  return Promise.all(
    changedPlaces(lists).map(async ({ kind, when }) => {
      const fired = await readFired(ctx.db, kind, when, now)
      return fired === null
        ? { kind, when, before: await countKept(ctx.db, kind, when, now), after: null }
        : { kind, when, before: fired(lists.before), after: fired(lists.after) }
    }),
  )
}

type When = TermsRule['when']
/** How often it fires by a list of rules. */
type Fired = (rules: readonly TermsRule[]) => number

async function readFired(db: Db, kind: ConditionKind, when: When, now: Date): Promise<Fired | null> {
  if (kind === 'intent_latency') return readSlow(db, when, now)
  if (isBurning(kind)) {
    const over = await readMinutes(db, kind, when, now)
    return (rules) => {
      const { limits, ...terms } = termsAt(rules, kind, when)
      const severityAt = (atMs: number) => burnIn((span) => over(atMs, SPANS[span].ms), limits)?.severity
      return countFired(steps(now, MINUTE_MS), severityAt, terms)
    }
  }
  if (kind === 'expired_key_retries' || kind === 'redeliveries') {
    const over = await readMinutes(db, kind, when, now)
    return (rules) => {
      const { limits, ...terms } = termsAt(rules, kind, when)
      const severityAt = (atMs: number) =>
        isAbove(over(atMs, HOUR_MS), limits.target) ? 'ticket' : undefined
      return countFired(steps(now, MINUTE_MS), severityAt, terms)
    }
  }
  return null
}

const isBurning = (kind: ConditionKind): kind is Burning =>
  (BURNING as readonly ConditionKind[]).includes(kind)

/** P99 of whole five minutes. */
async function readSlow(db: Db, when: When, now: Date): Promise<Fired> {
  const stepMs = SPANS.m5.ms
  const asked = { from: ago(now, WEEK_MS), to: now, service: when.service, endpoint: when.endpoint }
  const { points } = await readLatencySeries(db, { ...asked, stepSeconds: stepMs / 1000 })
  const p99 = new Map(points.map(({ at, p99Ms }) => [at.getTime(), p99Ms]))
  return (rules) => {
    const { limits, ...terms } = termsAt(rules, 'intent_latency', when)
    const severityAt = (atMs: number) => ((p99.get(atMs) ?? 0) > limits.p99Ms ? 'page' : undefined)
    return countFired(steps(now, stepMs), severityAt, terms)
  }
}

/** The moments of the last week at which it is looked, aligned to the epoch. */
function steps(now: Date, stepMs: number): number[] {
  const lastMs = Math.floor(now.getTime() / stepMs) * stepMs
  return Array.from({ length: WEEK_MS / stepMs }, (_, n) => lastMs - WEEK_MS + (n + 1) * stepMs)
}

/** What was counted in the time before a moment of the last week, from sums over minutes. */
async function readMinutes(
  db: Db,
  kind: keyof typeof RATE_OF,
  { service, endpoint }: When,
  now: Date,
): Promise<(atMs: number, beforeMs: number) => Counted> {
  const fromMs = Math.floor((now.getTime() - WEEK_MS - SPANS.d3.ms) / MINUTE_MS) * MINUTE_MS
  const window = { from: new Date(fromMs), to: now, service, endpoint }
  const { points } = await readRateSeries(db, { ...window, measure: RATE_OF[kind], stepSeconds: 60 })
  const length = Math.ceil((now.getTime() - fromMs) / MINUTE_MS)
  const [bad, all] = [Array<bigint>(length + 1).fill(0n), Array<bigint>(length + 1).fill(0n)]
  for (const { at, numerator, denominator } of points) {
    const minute = Math.floor((at.getTime() - fromMs) / MINUTE_MS)
    bad[minute + 1] = BigInt(numerator)
    all[minute + 1] = BigInt(denominator)
  }
  const [badUpTo, allUpTo] = [runningSums(bad), runningSums(all)]
  return (atMs, beforeMs) => {
    const [from, to] = [minutesTo(atMs - beforeMs), minutesTo(atMs)]
    const between = (sums: readonly bigint[]) => (sums[to] ?? 0n) - (sums[from] ?? 0n)
    return { numerator: between(badUpTo), denominator: between(allUpTo) }
  }
  function minutesTo(ms: number): number {
    return Math.min(length, Math.max(0, Math.ceil((ms - fromMs) / MINUTE_MS)))
  }
}

function runningSums(counts: readonly bigint[]): bigint[] {
  let sum = 0n
  return counts.map((count) => {
    sum += count
    return sum
  })
}

/** Alerts, not moments: as conditions are written, one that comes back at once is the alert that it was. */
function countFired(
  moments: readonly number[],
  severityAt: (atMs: number) => Severity | undefined,
  { severity: asked, forMs }: { severity: Severity | 'off' | null; forMs: number },
): number {
  if (asked === 'off') return 0
  let fired = 0
  let sinceMs: number | null = null
  let firing: Severity | null = null
  const clearedMs: Partial<Record<Severity, number>> = {}
  for (const atMs of moments) {
    const found = severityAt(atMs)
    const severity = found === undefined ? null : (asked ?? found)
    sinceMs = severity === null ? null : (sinceMs ?? atMs)
    if (firing !== null && firing !== severity) clearedMs[firing] = atMs
    const fires: Severity | null = firing !== null || atMs - (sinceMs ?? atMs) >= forMs ? severity : null
    if (fires !== null && fires !== firing && atMs - (clearedMs[fires] ?? -Infinity) >= SAME_ALERT_MS)
      fired += 1
    firing = fires
  }
  return fired
}

/** What fired in the last week, whatever the terms were then. */
const countKept = (db: Db, kind: ConditionKind, { system }: When, now: Date): Promise<number> =>
  db.prisma.alertEpisode.count({
    where: {
      kind,
      since: { gte: ago(now, WEEK_MS) },
      ...(system === undefined ? {} : { detail: { path: ['system'], equals: system } }),
    },
  })

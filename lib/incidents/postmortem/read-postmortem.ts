import { alertText } from '@/lib/alerts/about'
import { isBudgeted } from '@/lib/alerts/objectives'
import { readConsoleMeasures } from '@/lib/alerts/read-measures'
import { figuresOf } from '@/lib/alerts/show-alert'
import { targetShare } from '@/lib/alerts/targets'
import type { ReadContext } from '@/lib/context'
import { env, publicUrl } from '@/lib/env'
import type { Measure } from '@/lib/telemetry/measures/measure'
import { readCaseMoney } from '../case-money'
import { type IncidentRange, rangeText } from '../range'
import { readBrief } from '../read-brief'
import { readGaps, readTimeline } from '../timeline/read-timeline'

/** More are told in the console. */
const EVENTS_MAX = 500
/** The SLO's period, of which an incident uses up a share. */
const PERIOD_MS = 30 * 86_400_000

export type Postmortem = Awaited<ReturnType<typeof readPostmortem>>

/** What happened, from stored facts. What is not known or not measured is null, and never 0. */
export async function readPostmortem(ctx: ReadContext, id: string) {
  const now = ctx.clock.now()
  const brief = await readBrief(ctx, id)
  const { incident, alerts, range } = brief
  const context = { incidentId: id, system: incident.system, alerts }
  const [timeline, gaps, money, objectives] = await Promise.all([
    readTimeline(ctx.db, context, range, { limit: EVENTS_MAX }),
    readGaps(ctx.db, range),
    readCaseMoney(ctx.db, range, incident.system),
    readConsumption(ctx, range),
  ])
  return {
    version: 1 as const,
    writtenAt: now.toISOString(),
    environment: env().IDEMSCOPE_ENVIRONMENT,
    url: new URL(`/incidents/${id}`, publicUrl(env())).href,
    incident,
    range: rangeText(range),
    alerts: alerts.map((alert) => ({
      id: alert.id,
      text: alertText(alert),
      severity: alert.severity,
      since: alert.since,
      clearedAt: alert.clearedAt,
      times: alert.times,
      figures: figuresOf(alert),
    })),
    money,
    affected: brief.affected,
    objectives,
    checklist: brief.checklist,
    /** The oldest first. */
    timeline: timeline.items.toReversed(),
    /** The oldest events are left out. */
    timelineCut: timeline.next !== null,
    gaps,
    actions: timeline.items.filter(({ source }) => source === 'action').toReversed(),
  }
}

/** How much of what an objective allows in 30 days the incident used up. Null = not measured. */
async function readConsumption(ctx: ReadContext, range: IncidentRange) {
  const period = { from: new Date(range.to.getTime() - PERIOD_MS), to: range.to }
  const [during, over] = await Promise.all([
    readConsoleMeasures(ctx, range),
    readConsoleMeasures(ctx, period),
  ])
  const inPeriod = new Map(over.map((measure) => [measure.id, measure]))
  return during.flatMap((measure) => {
    const { id, name, value, unit, target, reason = null } = measure
    if (!isBudgeted(id)) return []
    return [
      {
        id,
        name,
        value,
        unit,
        target,
        reason,
        budgetUsed: usedOf(measure, inPeriod.get(id), targetShare(measure)),
      },
    ]
  })
}

/** The bad ones of the incident, as a share of all that the target allows of the period. */
function usedOf({ value, numerator }: Measure, over: Measure | undefined, target: number): number | null {
  const counted = over?.denominator ?? null
  if (value === null || numerator === null || counted === null) return null
  // Nothing was counted, or nothing at all is allowed: there is no budget.
  if (Number(counted) === 0 || target === 0) return null
  return Number(numerator) / (Number(counted) * target)
}

import { cache } from 'react'
import { pageContext } from '@/app/_server/context'
import { readKillSwitch } from '@/lib/actions/kill-switch'
import { ALERTS, isUrgent, pathIn, rangeOf, subjectName } from '@/lib/alerts/about'
import { isEvaluated } from '@/lib/alerts/is-evaluated'
import { countWaiting } from '@/lib/alerts/now/count-waiting'
import { type Firing, readFiring } from '@/lib/alerts/read-firing'
import { readFreshness } from '@/lib/telemetry/read/freshness'
import type { ConditionLine } from './conditions'

// What the bar and a page both say comes from one reading a request.

export const requestNow = cache(async (): Promise<Date> => (await pageContext()).clock.now())

export const freshnessNow = cache(async () => readFreshness((await pageContext()).db, await requestNow()))

export const conditionsNow = cache(async () => readFiring((await pageContext()).db, await requestNow()))

export const evaluatedNow = cache(async () => isEvaluated((await pageContext()).db, await freshnessNow()))

export const killSwitchNow = cache(async () => readKillSwitch((await pageContext()).db))

export const waitingNow = cache(async () => {
  const { db, log } = await pageContext()
  return countWaiting({ db, log, now: await requestNow(), firing: conditionsNow() })
})

/** What fires, for the bar: each opens its alert, with the runbook, in its own range. */
export function conditionLines(firing: readonly Firing[], now: Date): ConditionLine[] {
  return firing.map((alert) => ({
    id: alert.id,
    title: ALERTS[alert.kind].title,
    about: subjectName(alert),
    since: alert.since,
    urgent: isUrgent(alert) && alert.silence === null,
    silencedUntil: alert.silence?.endsAt ?? null,
    href: pathIn(`/alerts?open=${alert.id}`, rangeOf({ ...alert, clearedAt: null }, now)),
  }))
}

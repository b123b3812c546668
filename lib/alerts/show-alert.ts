import {
  countText,
  durationText,
  latencyText,
  percentText,
  plural,
  targetPercentText,
} from '@/lib/core/format-figure'
import { formatMoney } from '@/lib/core/money'
import type { ConditionKind } from '@/lib/core/verdict'
import type { Db } from '@/lib/db'
import { readAtRisk } from '@/lib/effects/read-at-risk'
import { ALERTS, isUrgent, pathIn, rangeOf, subjectName } from './about'
import { serviceOf } from './about-alert'
import { fillRunbook, RUNBOOKS, type Runbook } from './runbooks'
import type { SilenceView } from './silences/view'

type Alert = {
  id: string
  kind: ConditionKind
  subject: string
  environment: string | null
  since: string
  clearedAt: string | null
  /** Null = not any more. */
  checkedAt: string | null
  detail: Record<string, unknown>
  silence: SilenceView | null
}

/** An alert in words: what it is about, its figures, what is behind it, and what to do. */
export type Shown = Alert & {
  title: string
  urgent: boolean
  about: string | null
  figures: string
  /** The money or the count behind it; null = nothing is counted for its kind. */
  behind: string | null
  range: { from: string; to: string }
  /** Where it is looked into, in its own range. */
  href: string
  /** Read for the one that is open. */
  runbook: Runbook | null
}

export async function showAlert(db: Db, alert: Alert, open: boolean, now: Date): Promise<Shown> {
  const { title, path } = ALERTS[alert.kind]
  const range = rangeOf(alert, now)
  const window = { from: new Date(range.from), to: new Date(range.to) }
  const [behind, service] = await Promise.all([
    alert.kind === 'duplicate_effects' ? moneyBehind(db, window) : countBehind(alert),
    open ? serviceOf(db, alert, window, now) : null,
  ])
  return {
    ...alert,
    title,
    urgent: isUrgent(alert),
    about: subjectName(alert),
    figures: figuresOf(alert),
    behind,
    range,
    href: pathIn(path, range),
    runbook: service === null ? null : fillRunbook(RUNBOOKS[alert.kind], { ...range, service }),
  }
}

async function moneyBehind(db: Db, window: { from: Date; to: Date }): Promise<string> {
  const { effects, amounts, more } = await readAtRisk(db, { kind: 'duplicate', ...window })
  const least = more ? 'at least ' : ''
  const money =
    amounts.length === 0 ? '' : `, ${amounts.map((amount) => formatMoney(amount)).join(', ')} at risk`
  return `${least}${plural(effects.length, 'effect')} happened twice since 15 min before${money}`
}

function countBehind({ kind, detail }: Alert): string | null {
  if (kind !== 'store_errors') return null
  const failed = detail.longNumerator
  return isCount(failed) ? `${countText(failed)} store operations failed in 60 min` : null
}

const isCount = (value: unknown): value is number | string =>
  typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value))

/** What the last evaluation found, from what it wrote down. */
export function figuresOf({ kind, detail }: Pick<Alert, 'kind' | 'detail'>): string {
  switch (kind) {
    case 'duplicate_effects':
    case 'store_errors':
      return rateText(detail)
    case 'intent_latency':
      return `P99 ${number(detail.value, latencyText)} over 5 min, limit ${number(detail.limit, latencyText)}`
    case 'case_flood':
      return `${number(detail.wouldOpen, countText)} cases, cap ${number(detail.cap, countText)}; ${detail.opened ? number(detail.opened, countText) : 'none'} opened`
    case 'clock_skew':
      return number(detail.seconds, (seconds) =>
        seconds > 0
          ? `the console is ${durationText(seconds * 1000)} ahead`
          : `the console is ${durationText(-seconds * 1000)} behind`,
      )
    case 'stale_source':
      return typeof detail.error === 'string' ? detail.error : 'no answer lately'
    case 'unread_rows':
      return unreadText(detail)
    case 'stale_telemetry':
      return 'nothing for a minute or more'
    default:
      return kind satisfies never
  }
}

function unreadText({ notUnderstood, late }: Record<string, unknown>): string {
  const parts = [
    ...(isCount(notUnderstood) ? [`${countText(notUnderstood)} not understood`] : []),
    ...(isCount(late) ? [`${countText(late)} booked behind what was read`] : []),
  ]
  return parts.join(', ')
}

function rateText({ value, longValue, target }: Record<string, unknown>): string {
  const share = (each: unknown) => number(each, (ratio) => `${percentText(ratio)} %`)
  const allowed = number(target, (ratio) => `${targetPercentText(ratio)} %`)
  return `${share(value)} over 5 min, ${share(longValue)} over 60 min, target ${allowed}`
}

const number = (value: unknown, text: (value: number) => string): string =>
  typeof value === 'number' ? text(value) : 'not known'

import type { ChartMark } from '@/lib/core/chart-mark'
import type { ConditionKind, Severity } from '@/lib/core/condition-kinds'
import {
  countText,
  durationText,
  latencyText,
  percentText,
  plural,
  targetPercentText,
} from '@/lib/core/format-figure'
import { formatMoney } from '@/lib/core/money'
import type { Db } from '@/lib/db'
import { readAtRisk } from '@/lib/effects/read-at-risk'
import { ALERTS, isUrgent, pathIn, rangeOf, subjectName } from './about'
import { serviceOf } from './about-alert'
import { readChangesBefore } from './changes-before'
import { type Example, examplesOf, groupText, isGroup } from './group'
import { retentionText } from './now/retention-text'
import { fillRunbook, RUNBOOKS } from './runbooks'
import type { Runbook } from './runbooks/runbook'
import type { SilenceView } from './silences/view'

type Alert = {
  id: string
  kind: ConditionKind
  subject: string
  environment: string | null
  severity: Severity
  /** How often it was raised. */
  times: number
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
  /** Some of those that it is about, by name. */
  examples: readonly Example[]
  /** What was done, deployed or run in the hour before it began, the latest first. Read for the one that is open. */
  changes: readonly ChartMark[]
  /** Read for the one that is open. */
  runbook: Runbook | null
}

export async function showAlert(db: Db, alert: Alert, open: boolean, now: Date): Promise<Shown> {
  const { title, path } = ALERTS[alert.kind]
  const range = rangeOf(alert, now)
  const window = { from: new Date(range.from), to: new Date(range.to) }
  const [behind, service, changes] = await Promise.all([
    alert.kind === 'duplicate_effects' ? moneyBehind(db, window) : countBehind(alert),
    open ? serviceOf(db, alert, window, now) : null,
    open ? readChangesBefore(db, new Date(alert.since)) : [],
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
    examples: examplesOf(alert.detail),
    changes,
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
  if (isGroup(kind)) return groupText(kind, detail)
  switch (kind) {
    case 'duplicate_effects':
    case 'store_errors':
    case 'unprotected_requests':
      return burnText(detail)
    case 'expired_key_retries':
    case 'redeliveries':
    case 'key_reuse':
      return `${share(detail.value)} over 60 min, target ${share(detail.target)}`
    case 'worker_dead':
    case 'receiver_dead':
    case 'roll_up_late':
      return typeof detail.lastAt === 'string' ? `the last sign of life at ${detail.lastAt}` : 'none was seen'
    case 'reconciliation_incomplete':
      return typeof detail.error === 'string' ? detail.error : 'a source could not be read'
    case 'storage_days':
      return `full in ${number(detail.leftMs, durationText)} at the growth of the last day`
    case 'collection_late':
      return `${number(detail.lateMs, durationText)} beyond the safety margin`
    case 'outbox_late':
      return `${number(detail.unsent, countText)} unsent, the oldest for ${number(detail.ageMs, durationText)}${typeof detail.heldBy === 'string' ? `; held back by ${detail.heldBy}` : ''}`
    case 'relay_dead':
      return `${number(detail.unsent, countText)} unsent; ${typeof detail.silentMs === 'number' ? `the last relay was silent for ${durationText(detail.silentMs)}` : 'no relay was ever seen'}`
    case 'publishing_held_back':
      return `${number(detail.unsent, countText)} held back for ${number(detail.heldMs, durationText)} by ${String(detail.heldBy)}`
    case 'dead_messages':
      return `${number(detail.dead, countText)} dead`
    case 'consumer_retention':
      return retentionText(detail)
    case 'partitions_late':
      return typeof detail.until === 'string' ? `made up to ${detail.until}` : 'none is there'
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
    case 'notification_failing':
    case 'store_down':
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

function burnText({ value, longValue, target, windows }: Record<string, unknown>): string {
  const [short, long] = Array.isArray(windows) ? windows.map(String) : ['5 min', '60 min']
  return `${share(value)} over ${short}, ${share(longValue)} over ${long}, target ${share(target, targetPercentText)}`
}

const share = (value: unknown, text: (ratio: number) => string = percentText): string =>
  number(value, (ratio) => `${text(ratio)} %`)

const number = (value: unknown, text: (value: number) => string): string =>
  typeof value === 'number' ? text(value) : 'not known'

import { type ConditionKind, isLowFlood } from '@/lib/core/verdict'

type About = {
  title: string
  /** It wakes people; the others can wait for the morning. */
  urgent: boolean
  /** The console's page on which it is looked into. */
  path: string
}

/** What each kind of alert is called everywhere, and where one goes with it. */
export const ALERTS: Record<ConditionKind, About> = {
  duplicate_effects: {
    title: 'Duplicate side effects above target',
    urgent: true,
    path: '/effects?kind=duplicate',
  },
  store_errors: { title: 'Store errors above target', urgent: true, path: '/traces?bar=other' },
  case_flood: {
    title: 'More cases of one class than the cap',
    urgent: true,
    path: '/reconciliation',
  },
  clock_skew: { title: 'Clocks differ', urgent: false, path: '/sources' },
  intent_latency: { title: 'Intent to final above its limit', urgent: false, path: '/traces' },
  stale_source: { title: 'Source cannot be read', urgent: false, path: '/sources' },
  unread_rows: { title: 'Rows of a source are not read', urgent: false, path: '/sources' },
  stale_telemetry: { title: 'Service sends no telemetry', urgent: false, path: '/sources' },
}

/** What wakes people. What clients alone can cause, however much of it, waits for the morning. */
export const isUrgent = (alert: { kind: ConditionKind; detail: Record<string, unknown> }): boolean =>
  ALERTS[alert.kind].urgent && !isLowFlood(alert)

/** The service or source that an alert is about, by its name; null = everything. */
export function subjectName(alert: { subject: string; detail: Record<string, unknown> }): string | null {
  const { name } = alert.detail
  if (typeof name === 'string') return name
  return alert.subject === 'all' ? null : alert.subject
}

/** Source cannot be read, payments-ledger */
export function alertText(alert: {
  kind: ConditionKind
  subject: string
  detail: Record<string, unknown>
}): string {
  const [{ title }, name] = [ALERTS[alert.kind], subjectName(alert)]
  return name === null ? title : `${title}, ${name}`
}

/** A condition holds over some minutes before it fires. */
const BEFORE_MS = 15 * 60_000
const MINUTE_MS = 60_000

/** The alert's own range: from a little before it began to the minute of its end, or to this one. */
export function rangeOf(
  alert: { since: string; clearedAt: string | null },
  now: Date,
): { from: string; to: string } {
  const endMs = alert.clearedAt === null ? now.getTime() : Date.parse(alert.clearedAt)
  return {
    from: wholeSeconds(Math.floor((Date.parse(alert.since) - BEFORE_MS) / MINUTE_MS) * MINUTE_MS),
    to: wholeSeconds(Math.ceil(endMs / MINUTE_MS) * MINUTE_MS),
  }
}

/** As people write it: 2026-11-22T02:42:00Z. */
const wholeSeconds = (atMs: number): string => new Date(atMs).toISOString().replace('.000Z', 'Z')

/** A page of the console in a range. */
export const pathIn = (path: string, range: { from: string; to: string }): string =>
  `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(range)}`

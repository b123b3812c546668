import type { ConditionKind, Severity } from '@/lib/core/condition-kinds'

type About = {
  title: string
  /** The console's page on which it is looked into. */
  path: string
}

/** What each kind of alert is called everywhere, and where one goes with it. */
export const ALERTS: Record<ConditionKind, About> = {
  duplicate_effects: { title: 'Duplicate side effects above target', path: '/effects?kind=duplicate' },
  store_down: { title: 'Idempotency store cannot be read', path: '/sources' },
  store_errors: { title: 'Store errors above target', path: '/traces?bar=other' },
  unprotected_requests: { title: 'Requests run without protection', path: '/traces?bar=other' },
  worker_dead: { title: 'No worker runs', path: '/sources' },
  receiver_dead: { title: 'No receiver runs', path: '/sources' },
  notification_failing: { title: 'A receiver of alerts cannot be reached', path: '/alerts' },
  window_closing: { title: 'Provider’s window closes', path: '/locks' },
  stuck_keys: { title: 'Keys are stuck', path: '/locks' },
  p1_cases: { title: 'P1 cases are open', path: '/reconciliation' },
  orphaned_effects: { title: 'Side effects without a record', path: '/effects?kind=orphan' },
  outbox_late: { title: 'Messages are not published', path: '/messages' },
  relay_dead: { title: 'No relay publishes', path: '/messages' },
  publishing_held_back: { title: 'An open transaction holds messages back', path: '/messages' },
  case_flood: { title: 'More cases of one class than the cap', path: '/reconciliation' },
  clock_skew: { title: 'Clocks differ', path: '/sources' },
  intent_latency: { title: 'Intent to final above its limit', path: '/traces' },
  queue_stuck: { title: 'Runs wait for a worker', path: '/reconciliation' },
  roll_up_late: { title: 'Figures are not of now', path: '/sources' },
  audit_unsealed: { title: 'Audit is not sealed', path: '/audit' },
  unknown_outcomes: { title: 'Nobody knows how an action ended', path: '/reconciliation' },
  approvals_waiting: { title: 'Proposals wait for a second person', path: '/reconciliation' },
  reconciliation_incomplete: { title: 'Reconciliation is incomplete', path: '/reconciliation' },
  suspected_duplicates: { title: 'Suspected duplicates are open', path: '/reconciliation' },
  expired_key_retries: { title: 'Expired keys are retried', path: '/storage' },
  dead_messages: { title: 'Messages are dead', path: '/messages' },
  consumer_retention: { title: 'Records end before a redelivery may come', path: '/messages' },
  redeliveries: { title: 'Messages are delivered again', path: '/now' },
  key_reuse: { title: 'A client sends keys with another body', path: '/keys' },
  storage_days: { title: 'A store is nearly full', path: '/storage' },
  collection_late: { title: 'Expired keys are not collected', path: '/storage' },
  partitions_late: { title: 'Partitions are not made ahead', path: '/storage' },
  stale_source: { title: 'Source cannot be read', path: '/sources' },
  unread_rows: { title: 'Rows of a source are not read', path: '/sources' },
  stale_telemetry: { title: 'Service sends no telemetry', path: '/sources' },
}

/** It wakes people; the others can wait for the morning. */
export const isUrgent = ({ severity }: { severity: Severity }): boolean => severity === 'page'

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
export const wholeSeconds = (atMs: number): string => new Date(atMs).toISOString().replace('.000Z', 'Z')

/** A page of the console in a range. */
export const pathIn = (path: string, range: { from: string; to: string }): string =>
  `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(range)}`

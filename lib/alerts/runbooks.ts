import type { ConditionKind } from '@/lib/core/condition-kinds'
import { pathIn } from './about'
import { AUDIT, NOTIFICATION, PROCESSES } from './runbooks/console'
import { EXPIRED_KEYS, KEY_REUSE, REDELIVERIES, STUCK_KEYS, WINDOW_CLOSING } from './runbooks/keys'
import { CONSUMER_RETENTION, DEAD_MESSAGES, HELD_BACK, OUTBOX_LATE } from './runbooks/messages'
import { OPEN_CASES, ORPHANS } from './runbooks/money'
import { CASES, DRY_RUN, type Runbook } from './runbooks/runbook'
import { STORAGE } from './runbooks/storage'
import { APPROVALS, INCOMPLETE, UNKNOWN_OUTCOMES } from './runbooks/work'

const DUPLICATES: Runbook = {
  id: 'duplicate-side-effects',
  title: 'Customers are charged twice',
  when: 'Duplicate side-effect rate (M2): its budget goes many times too fast.',
  steps: [
    {
      head: 'Does it go on? Stop it.',
      text: 'Hold the route of {service} that charges twice: new executions answer 503 within 2 seconds, replays go on, and it ends by itself after 30 minutes. Not sure which route? Hold the step that charges. It takes one person, also while writes are off.',
      link: { label: 'Hold a route', path: '/holds?place=route' },
      command:
        'POST /api/v1/holds {"source": "src_…", "target": {"kind": "route", "route": "POST /v1/payments"}, "reason": "…"}',
    },
    {
      head: 'Is it real?',
      text: 'Effects shows what happened twice between {from} and {to}, and the money at risk in each currency. Spans suspect; the cases of the classes `duplicate_same_key`, `duplicate_semantic` and `expired_key_retry` are confirmed by store and provider.',
      link: { label: 'Open the duplicate effects', path: '/effects?kind=duplicate' },
      command: CASES('duplicate_same_key,duplicate_semantic,expired_key_retry'),
    },
    {
      head: 'Where from?',
      text: 'Most of it comes from {service}. Endpoints by duplicate rate name the version; a rate that began with a deploy is the deploy.',
      link: { label: 'Open Now in this range', path: '/now' },
      command: 'GET /api/v1/endpoints?from={from}&to={to}',
    },
    {
      head: 'Which class?',
      text: '`duplicate_same_key`: the route calls the provider without a key derived from ours: roll back, or use `effect()`. `expired_key_retry`: clients retry for longer than the TTL: lengthen it before anything else. `duplicate_semantic`: a client makes a new key for each retry: talk to the client; refunds follow.',
      link: { label: 'Open the cases', path: '/reconciliation' },
    },
    {
      head: 'Mend.',
      text: 'Start a dry run on the range, then propose a refund on each case; another person approves the same evidence. The one to refund is the one that neither record nor ledger names; where that does not decide, a person chooses. Never from a chart.',
      command: DRY_RUN,
    },
    {
      head: 'Do not',
      text: 'lift the hold before the cause is gone: the retries that wait execute at once. The kill switch stops our own writes, not those of {service}.',
    },
  ],
}

const STORE_OUTAGE: Runbook = {
  id: 'store-outage',
  title: 'The idempotency store is down',
  when: 'The store cannot be read, fails its operations (M3), or requests run without its protection.',
  steps: [
    {
      head: 'Fail-closed or fail-open?',
      text: 'Closed routes answer 503 and charge nobody. Open ones answer without protection: outcome `bypassed`. Traces lists the requests of {service} between {from} and {to} for which the store was not asked or failed.',
      link: { label: 'Open the unprotected requests', path: '/traces?bar=other' },
    },
    {
      head: 'Which store?',
      text: 'Sources says which one cannot be read, since when, and its error. The console works meanwhile: Now, Sources, Audit. Verbs on that store are refused with `store_unreachable`.',
      link: { label: 'Open the sources', path: '/sources' },
      command: 'GET /api/v1/sources',
    },
    {
      head: 'Back again:',
      text: 'reconcile exactly the time of the outage, first as a dry run, then without `dryRun`. Expect `orphan_effect` for charges whose service died between charge and ledger.',
      link: { label: 'Open reconciliation in this range', path: '/reconciliation' },
      command: DRY_RUN,
    },
    {
      head: 'Mend.',
      text: 'An orphan is adopted into the ledger or refunded: propose, and another person approves.',
      link: { label: 'Open the orphans', path: '/effects?kind=orphan' },
    },
  ],
}

const LATENCY: Runbook = {
  id: 'intent-latency',
  title: 'Intents take too long',
  when: 'Intent-to-final latency (M4): P99 of 5 minutes above its limit.',
  steps: [
    {
      head: 'One endpoint or all?',
      text: 'The table on Now has P95 by endpoint between {from} and {to}. Did P50 move, or only the tail?',
      link: { label: 'Open Now in this range', path: '/now' },
      command: 'GET /api/v1/series/latency?from={from}&to={to}',
    },
    {
      head: 'Only the tail, with stuck locks beside it:',
      text: 'holders died or hang. Locks gives holder, age, the provider’s answer and the verdict for each.',
      link: { label: 'Open the locks', path: '/locks' },
      command: 'GET /api/v1/locks?state=lease_expired',
    },
    {
      head: 'Act on the verdict.',
      text: '`release`: the holder is dead and the provider has nothing; a retry runs it. `complete`: the provider has the effect; the caller’s retry gets the recovered answer. `investigate`: nobody knows yet; do nothing. A verb needs a reason and the version that you saw; it is refused when the token or the heartbeat changed.',
    },
    {
      head: 'All endpoints of {service}:',
      text: 'look at the latency of the store and of the provider themselves first. The slowest traces say in which phase the time goes.',
      link: { label: 'Open the traces', path: '/traces' },
    },
  ],
}

const FLOOD: Runbook = {
  id: 'case-flood',
  title: 'A reconciliation found more cases of one class than the cap',
  when: 'A run of {service} would have opened more cases of one class from one source than IDEMSCOPE_FLOOD_CAP. Of a P1 class the largest amounts are open, up to the cap; of any other class none is. Every other class opened as usual.',
  steps: [
    {
      head: 'Suspect the source, not the payments.',
      text: 'Hundreds of breaks of one class at once are one broken source or mapping, or one client: the alert names class and source. Did a mapping, a schema or a credential of {service} change before {from}? The audit names who changed what.',
      link: { label: 'Open the audit in this range', path: '/audit' },
    },
    {
      head: 'Which side is missing?',
      text: 'The run says what it read of each side. A side with no rows, or rows of another time, is the broken one.',
      link: { label: 'Open the runs', path: '/reconciliation' },
      command: 'GET /api/v1/runs?kind=reconciliation',
    },
    {
      head: 'Try again without opening anything.',
      text: 'A dry run on the range says how many cases there would be now, by class.',
      command: DRY_RUN,
    },
    {
      head: 'Were they real,',
      text: 'raise the cap for one run, and clear the cases class by class: nothing is corrected without a second person. What a flood left without a case is classified again by every run, so that nothing is lost.',
    },
  ],
}

const STALE_SOURCE: Runbook = {
  id: 'stale-source',
  title: 'A source cannot be read',
  when: 'A store, ledger or provider gave no answer, or none lately.',
  steps: [
    {
      head: 'What is not known meanwhile?',
      text: 'Everything that {service} holds since its last answer: locks keep their last verdict and are not released, runs end as incomplete and resolve nothing. Payments go on.',
      link: { label: 'Open the source', path: '/sources' },
      command: 'GET /api/v1/sources',
    },
    {
      head: 'Can its address be reached, and does its role still sign in?',
      text: 'The error stands beside the source, as it is. A changed password, a full connection limit and a failover look different there.',
    },
    {
      head: 'Was it an outage of a store?',
      text: 'Then follow the store’s runbook: requests between {from} and {to} may have been answered without protection.',
      link: { label: 'Open the unprotected requests', path: '/traces?bar=other' },
    },
    {
      head: 'Back again:',
      text: 'reconcile the time that was missed.',
      link: { label: 'Open reconciliation in this range', path: '/reconciliation' },
      command: DRY_RUN,
    },
  ],
}

const UNREAD_ROWS: Runbook = {
  id: 'unread-rows',
  title: 'Rows of a source are not read',
  when: '{service} holds rows that are not understood, or its ledger books into the past, behind what was read.',
  steps: [
    {
      head: 'Which rows, and why?',
      text: 'The source names the latest row and its reason: a missing booking time, a missing value in the column by which rows are read, an amount that is no whole number.',
      link: { label: 'Open the sources', path: '/sources' },
      command: 'GET /api/v1/sources',
    },
    {
      head: 'What is not known meanwhile?',
      text: 'An operation with such a row is set apart as unclassified: no correction of it is offered. Where more rows lack a time than can be read, the whole side counts as incomplete.',
      link: { label: 'Open reconciliation', path: '/reconciliation' },
    },
    {
      head: 'Mend the rows in the service’s database.',
      text: 'They are asked for again by each run, and counted no more once they are understood.',
    },
    {
      head: 'Does the ledger book into the past?',
      text: 'Where entry ids are numbers that grow with an index, such rows are read by their id. Otherwise map the time of insertion as the booking time, or reconcile the time in question on demand.',
      command: DRY_RUN,
    },
  ],
}

const CLOCK_SKEW: Runbook = {
  id: 'clock-skew',
  title: 'Clocks differ',
  when: 'The clock of {service} and that of this console differ by more than IDEMSCOPE_CLOCK_SKEW_MS.',
  steps: [
    {
      head: 'Which of them is wrong?',
      text: 'Where several sources differ by the same seconds, it is the console: check the time service of its machines. Where one differs, it is that source.',
      link: { label: 'Open the sources', path: '/sources' },
      command: 'GET /api/v1/sources',
    },
    {
      head: 'What still holds?',
      text: 'Providers are listed, and what they made is called missing, by their own clock; leases are compared by the clock of their store. Times that people see, approvals that expire and schedules follow the console.',
    },
    {
      head: 'Was a store’s clock set back?',
      text: 'Leases that it wrote before lie in its future until it has caught up. Their locks say so; a holder that renews nothing for the length of its lease while the console watches counts as dead, and the evidence decides.',
      link: { label: 'Open the locks', path: '/locks' },
    },
    {
      head: 'Put right:',
      text: 'reconcile the time in which they differed.',
      link: { label: 'Open reconciliation in this range', path: '/reconciliation' },
      command: DRY_RUN,
    },
  ],
}

const STALE_TELEMETRY: Runbook = {
  id: 'stale-telemetry',
  title: 'A service sends no telemetry',
  when: 'Nothing came from {service} for a minute. Its figures are neither green nor 0.',
  steps: [
    {
      head: 'Is the service up?',
      text: 'A killed process exports nothing. Stuck locks of {service} whose holder is dead say that it died; none say that only its exporter is silent.',
      link: { label: 'Open the locks', path: '/locks' },
    },
    {
      head: 'Does its exporter reach the receiver?',
      text: 'Port 4318, `POST /v1/traces`. 401 = its token; 413 = batches that are too large; 429 and 503 = it has to wait and try again. The receiver’s own figures are on Sources.',
      link: { label: 'Open the sources', path: '/sources' },
      command: 'GET /api/v1/services',
    },
    {
      head: 'Is it meant to be silent?',
      text: 'A service that has no traffic sends nothing: silence it until it has, or let it send a heartbeat.',
    },
    {
      head: 'Nothing rests on spans alone:',
      text: 'store, ledger and provider are compared as ever. What {service} did between {from} and {to} is in reconciliation.',
      link: { label: 'Open reconciliation in this range', path: '/reconciliation' },
    },
  ],
}

/** What to do, by what fires. `docs/runbooks` is printed from these; a test keeps them equal. */
export const RUNBOOKS: Record<ConditionKind, Runbook> = {
  duplicate_effects: DUPLICATES,
  store_down: STORE_OUTAGE,
  store_errors: STORE_OUTAGE,
  unprotected_requests: STORE_OUTAGE,
  worker_dead: PROCESSES,
  receiver_dead: PROCESSES,
  notification_failing: NOTIFICATION,
  window_closing: WINDOW_CLOSING,
  stuck_keys: STUCK_KEYS,
  p1_cases: OPEN_CASES,
  orphaned_effects: ORPHANS,
  outbox_late: OUTBOX_LATE,
  relay_dead: OUTBOX_LATE,
  publishing_held_back: HELD_BACK,
  case_flood: FLOOD,
  clock_skew: CLOCK_SKEW,
  intent_latency: LATENCY,
  queue_stuck: PROCESSES,
  roll_up_late: PROCESSES,
  audit_unsealed: AUDIT,
  unknown_outcomes: UNKNOWN_OUTCOMES,
  approvals_waiting: APPROVALS,
  reconciliation_incomplete: INCOMPLETE,
  suspected_duplicates: OPEN_CASES,
  expired_key_retries: EXPIRED_KEYS,
  dead_messages: DEAD_MESSAGES,
  consumer_retention: CONSUMER_RETENTION,
  redeliveries: REDELIVERIES,
  key_reuse: KEY_REUSE,
  storage_days: STORAGE,
  collection_late: STORAGE,
  partitions_late: STORAGE,
  stale_source: STALE_SOURCE,
  unread_rows: UNREAD_ROWS,
  stale_telemetry: STALE_TELEMETRY,
}

export type Filling = { from: string; to: string; service: string }

/** A runbook with the alert's range and service in every step and link. */
export function fillRunbook(runbook: Runbook, filling: Filling): Runbook {
  const fill = (text: string) =>
    text.replaceAll(/\{(from|to|service)\}/g, (_, name: keyof Filling) => filling[name])
  return {
    ...runbook,
    when: fill(runbook.when),
    steps: runbook.steps.map(({ head, text, link, command }) => ({
      head: fill(head),
      text: fill(text),
      ...(link === undefined ? {} : { link: { ...link, path: pathIn(link.path, rangeIn(filling)) } }),
      ...(command === undefined ? {} : { command: fill(command) }),
    })),
  }
}

const rangeIn = ({ from, to }: Filling) => ({ from, to })

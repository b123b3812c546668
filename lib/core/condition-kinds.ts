import { countText, durationText, targetPercentText } from './format-figure'

/** Who is to know: a page wakes somebody, a ticket can wait for the morning. */
export const SEVERITIES = ['page', 'ticket'] as const
export type Severity = (typeof SEVERITIES)[number]

/** What a kind of condition can be told apart by, so that its terms may differ. */
export const CONDITION_SCOPES = ['system', 'service', 'endpoint'] as const
export type ConditionScope = (typeof CONDITION_SCOPES)[number]

/** What a figure is compared with. Durations in ms, shares of one, times the target, or a count. */
export type Limit = {
  says: string
  unit: 'ms' | 'share' | 'times' | 'count'
  default: number
  min: number
  max: number
}

type Definition = {
  severity: Severity
  /** It fires when it has held for this long. */
  forMs: number
  scopes: readonly ConditionScope[]
  limits: Readonly<Record<string, Limit>>
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const ms = (says: string, value: number, max = 90 * DAY_MS): Limit => ({
  says,
  unit: 'ms',
  default: value,
  min: 0,
  max,
})
const count = (says: string, value: number, max = 1_000_000): Limit => ({
  says,
  unit: 'count',
  default: value,
  min: 0,
  max,
})
const share = (says: string, value: number): Limit => ({
  says,
  unit: 'share',
  default: value,
  min: 0,
  max: 1,
})
const times = (says: string, value: number): Limit => ({
  says,
  unit: 'times',
  default: value,
  min: 0.1,
  max: 10_000,
})

/** Multi-window, multi-burn-rate alerts: the SRE workbook's table. */
const burn = (target: number) => ({
  target: share('The objective: what of all may go wrong', target),
  fast: times('Pages when the budget goes this many times too fast over 1 h and over 5 min', 14.4),
  slow: times('Pages when it does over 6 h and over 30 min', 6),
  ticket: times('A ticket when it does over 3 days and over 6 h', 1),
})

const page = { severity: 'page', forMs: 0 } as const
const ticket = { severity: 'ticket', forMs: 0 } as const
const ROUTES = ['service', 'endpoint'] as const
const SYSTEMS = ['system'] as const
const NONE = [] as const

/** Every kind of condition, with its terms where nobody has set others: oncall.md, “Conditions”. */
export const CONDITIONS = {
  duplicate_effects: { ...page, scopes: ROUTES, limits: burn(0.0001) },
  store_down: { ...page, forMs: MINUTE_MS, scopes: SYSTEMS, limits: {} },
  store_errors: { ...page, scopes: ROUTES, limits: burn(0.001) },
  unprotected_requests: { ...page, scopes: ROUTES, limits: burn(0.001) },
  worker_dead: {
    ...page,
    forMs: 45_000,
    scopes: NONE,
    limits: { silentMs: ms('No sign of life for', 15_000) },
  },
  receiver_dead: {
    ...page,
    forMs: 45_000,
    scopes: NONE,
    limits: { silentMs: ms('No sign of life for', 15_000) },
  },
  notification_failing: { ...page, scopes: NONE, limits: {} },
  window_closing: {
    ...page,
    scopes: SYSTEMS,
    limits: { withinMs: ms('The provider’s window ends within', 2 * HOUR_MS) },
  },
  stuck_keys: {
    ...page,
    scopes: SYSTEMS,
    limits: {
      olderThanMs: ms('A key behind which money may have moved is stuck for', 10 * MINUTE_MS),
      countMax: count('More stuck keys than', 50),
    },
  },
  p1_cases: {
    ...page,
    scopes: SYSTEMS,
    limits: { olderThanMs: ms('A P1 case is open for', 15 * MINUTE_MS) },
  },
  orphaned_effects: {
    ...page,
    scopes: NONE,
    limits: { olderThanMs: ms('Without a record since it was found, for', 10 * MINUTE_MS) },
  },
  outbox_late: {
    ...page,
    scopes: SYSTEMS,
    limits: {
      olderThanMs: ms('A message waits to be published for', 10 * MINUTE_MS),
      countMax: count('More messages wait than', 100_000, 1_000_000_000),
    },
  },
  relay_dead: {
    ...page,
    forMs: MINUTE_MS,
    scopes: SYSTEMS,
    limits: { silentMs: ms('Messages wait, and no relay was seen for', MINUTE_MS) },
  },
  publishing_held_back: {
    ...page,
    scopes: SYSTEMS,
    limits: { olderThanMs: ms('An open transaction holds messages back for', 2 * MINUTE_MS) },
  },
  case_flood: { ...page, scopes: SYSTEMS, limits: {} },
  clock_skew: { ...ticket, scopes: SYSTEMS, limits: {} },
  intent_latency: {
    ...page,
    scopes: ROUTES,
    limits: { p99Ms: ms('P99 from intent to final over 5 min is above', 5_000, HOUR_MS) },
  },
  queue_stuck: {
    ...page,
    scopes: NONE,
    limits: { olderThanMs: ms('A run waits for a worker for', MINUTE_MS) },
  },
  roll_up_late: {
    ...page,
    scopes: NONE,
    limits: { olderThanMs: ms('Changed minutes, and no roll-up for', MINUTE_MS) },
  },
  audit_unsealed: {
    ...page,
    scopes: NONE,
    limits: { olderThanMs: ms('An entry is not sealed for', MINUTE_MS) },
  },
  unknown_outcomes: {
    ...ticket,
    scopes: NONE,
    limits: { olderThanMs: ms('Nobody knows how an action ended for', 5 * MINUTE_MS) },
  },
  approvals_waiting: {
    ...ticket,
    scopes: NONE,
    limits: { olderThanMs: ms('A proposal waits for', 15 * MINUTE_MS) },
  },
  reconciliation_incomplete: { ...ticket, forMs: 10 * MINUTE_MS, scopes: SYSTEMS, limits: {} },
  suspected_duplicates: {
    ...ticket,
    scopes: SYSTEMS,
    limits: { olderThanMs: ms('A suspected duplicate is open for', HOUR_MS) },
  },
  expired_key_retries: {
    ...ticket,
    scopes: ROUTES,
    limits: { target: share('Of all executions in 1 h, retries of a key that had expired', 0.0001) },
  },
  dead_messages: {
    ...ticket,
    scopes: SYSTEMS,
    limits: { countMax: count('More dead messages than', 0) },
  },
  consumer_retention: { ...ticket, scopes: SYSTEMS, limits: {} },
  redeliveries: {
    ...ticket,
    scopes: NONE,
    limits: { target: share('Of all messages in 1 h, delivered again', 0.05) },
  },
  key_reuse: {
    ...ticket,
    scopes: NONE,
    limits: {
      share: share('Of a client’s keyed requests in 1 h, a key with another body', 0.01),
      countMin: count('And at least so many', 10),
    },
  },
  storage_days: { ...ticket, scopes: NONE, limits: { leftMs: ms('Until a store is full', 7 * DAY_MS) } },
  collection_late: {
    ...ticket,
    scopes: NONE,
    limits: { lateMs: ms('Beyond the safety margin, an expired key waits for', 10 * MINUTE_MS) },
  },
  partitions_late: {
    ...ticket,
    scopes: NONE,
    limits: { aheadMs: ms('Partitions are made ahead for less than', DAY_MS) },
  },
  stale_source: { ...ticket, scopes: SYSTEMS, limits: {} },
  unread_rows: { ...ticket, scopes: SYSTEMS, limits: {} },
  stale_telemetry: { ...ticket, scopes: NONE, limits: {} },
} as const satisfies Record<string, Definition>

/** The worst first: what Now says is the first that holds. */
export const CONDITION_KINDS = Object.keys(CONDITIONS) as [ConditionKind, ...ConditionKind[]]
export type ConditionKind = keyof typeof CONDITIONS
export type LimitsOf<K extends ConditionKind> = Record<keyof (typeof CONDITIONS)[K]['limits'], number>

/** A limit's value in its unit: 10 min, 0.01 %, 14.4×. */
export function limitText({ unit, default: usual }: Limit, value: number = usual): string {
  if (unit === 'ms') return durationText(value)
  if (unit === 'share') return `${targetPercentText(value)} %`
  return unit === 'times' ? `${countText(value)}×` : countText(value)
}

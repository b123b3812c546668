import type { MetricName } from '@/lib/core/metrics'

/** Several web processes read one database and say the same: the one that says most counts. */
export const ofConsole = (expression: string, besides: readonly string[] = []): string =>
  `max without (${['instance', 'pod', ...besides].join(', ')}) (${expression})`

/** Shares whose parts are counted, with the name of their objective. */
export const RATIOS = {
  duplicate_requests: {
    title: 'Duplicate request rate (M1)',
    numerator: 'idemscope_duplicate_requests_total',
    denominator: 'idemscope_keyed_requests_total',
  },
  duplicate_effects: {
    title: 'Duplicate side-effect rate (M2)',
    numerator: 'idemscope_duplicate_effects_total',
    denominator: 'idemscope_effects_total',
  },
  store_errors: {
    title: 'Store error rate (M3)',
    numerator: 'idemscope_store_errors_total',
    denominator: 'idemscope_store_operations_total',
  },
  expired_key_retries: {
    title: 'Expired-key retries (M5)',
    numerator: 'idemscope_expired_key_retries_total',
    denominator: 'idemscope_executions_total',
  },
  redeliveries: {
    title: 'Consumer duplicate deliveries (M8)',
    numerator: 'idemscope_redeliveries_total',
    denominator: 'idemscope_messages_total',
  },
} as const satisfies Record<string, { title: string; numerator: MetricName; denominator: MetricName }>
export type RatioName = keyof typeof RATIOS
export const RATIO_NAMES = Object.keys(RATIOS) as RatioName[]

/** Those of the multi-window, multi-burn-rate alerts (lib/core/condition-kinds.ts), and the month of a budget. */
export const WINDOWS = ['5m', '30m', '1h', '6h', '3d', '30d'] as const
export type Window = (typeof WINDOWS)[number]

export const ratioRecord = (ratio: RatioName, window: Window) => `idemscope:${ratio}:ratio_rate${window}`
/** How many times faster than the objective allows its budget is used up. */
export const burnRecord = (ratio: RatioName, window: Window) => `idemscope:${ratio}:burn_rate${window}`

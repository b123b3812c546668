import type { MetricName } from '@/lib/core/metrics'
import type { Measure, MeasureId } from '@/lib/telemetry/measures/measure'
import { type Family, family, type Sample, single } from './exposition'

/** Measures that are shares, by what they count; `scale` makes a share of the measure's own unit. */
const RATIOS: Partial<Record<MeasureId, { metric: MetricName; objective: string; scale?: number }>> = {
  M1: { metric: 'idemscope_duplicate_request_ratio', objective: 'duplicate_requests' },
  M2: { metric: 'idemscope_duplicate_effect_ratio', objective: 'duplicate_effects' },
  M3: { metric: 'idemscope_store_error_ratio', objective: 'store_errors' },
  M5: {
    metric: 'idemscope_expired_key_retry_ratio',
    objective: 'expired_key_retries',
    scale: 1 / 10_000,
  },
  M8: { metric: 'idemscope_redelivery_ratio', objective: 'redeliveries' },
}
const OBJECTIVES: Partial<Record<MeasureId, string>> = {
  ...Object.fromEntries(Object.entries(RATIOS).map(([id, { objective }]) => [id, objective])),
  M4: 'intent_to_final',
  M6: 'orphaned_effects',
  M10: 'duplicate_pages',
}

/** Names of sources by their ids. */
type SourceNames = ReadonlyMap<string, string>

/** Figures of a short window, as the pages show them. What is not measured has no sample. */
export function measureFamilies(measures: readonly Measure[], names: SourceNames): Family[] {
  return [...measures.flatMap((measure) => figures(measure, names)), ...objectiveFamilies(measures)]
}

function figures(measure: Measure, names: SourceNames): Family[] {
  const { id, value, detail } = measure
  const ratio = RATIOS[id]
  if (ratio !== undefined) return value === null ? [] : [single(ratio.metric, value * (ratio.scale ?? 1))]
  if (id === 'M4')
    return [
      ...seconds('idemscope_intent_to_final_p50_seconds', detail.p50),
      ...seconds('idemscope_intent_to_final_p95_seconds', detail.p95),
      ...seconds('idemscope_intent_to_final_p99_seconds', detail.p99),
    ]
  if (id === 'M6' && value !== null) return [single('idemscope_orphaned_effects_open', Number(detail.open))]
  if (id === 'M9') return storeFamilies(names, detail.tiers as readonly Tier[] | undefined)
  if (id === 'M10' && value !== null) return [single('idemscope_duplicate_pages', value)]
  return []
}

const seconds = (name: MetricName, ms: unknown): Family[] =>
  typeof ms === 'number' ? [single(name, ms / 1000)] : []

/** Of M9's detail. */
type Tier = {
  source: string
  tier: string
  rows: number | string
  bytes: number | string
  expiredBacklog: number | string
}

function storeFamilies(names: SourceNames, tiers: readonly Tier[] = []): Family[] {
  const of = (name: MetricName, what: 'rows' | 'bytes' | 'expiredBacklog') =>
    family(
      name,
      tiers.map((each) => ({
        labels: { source: names.get(each.source) ?? each.source, tier: each.tier },
        value: Number(each[what]),
      })),
    )
  return [
    of('idemscope_store_rows', 'rows'),
    of('idemscope_store_size_bytes', 'bytes'),
    of('idemscope_store_expired_rows', 'expiredBacklog'),
  ]
}

function objectiveFamilies(measures: readonly Measure[]): Family[] {
  const samples = (keep: (measure: Measure) => number | null): Sample[] =>
    measures.flatMap((measure) => {
      const objective = OBJECTIVES[measure.id]
      const value = keep(measure)
      return objective === undefined || value === null ? [] : [{ labels: { objective }, value }]
    })
  return [
    family(
      'idemscope_objective_ratio',
      samples(({ id, target }) => {
        const ratio = RATIOS[id]
        return ratio === undefined || target === null ? null : target * (ratio.scale ?? 1)
      }),
    ),
    family(
      'idemscope_objective_seconds',
      samples(({ id, target }) => (id === 'M4' && target !== null ? target / 1000 : null)),
    ),
    family(
      'idemscope_objective_breached',
      samples(({ state }) => (state === 'not measured' ? null : Number(state === 'breach'))),
    ),
  ]
}

/** Numerator and denominator of a measure, as counters. */
const COUNTED: Partial<Record<MeasureId, { numerator?: MetricName; denominator?: MetricName }>> = {
  M1: { numerator: 'idemscope_duplicate_requests_total', denominator: 'idemscope_keyed_requests_total' },
  M2: { numerator: 'idemscope_duplicate_effects_total', denominator: 'idemscope_effects_total' },
  M3: { numerator: 'idemscope_store_errors_total', denominator: 'idemscope_store_operations_total' },
  M4: { denominator: 'idemscope_keys_finished_total' },
  M5: { numerator: 'idemscope_expired_key_retries_total', denominator: 'idemscope_executions_total' },
  M6: { numerator: 'idemscope_orphaned_effects_total' },
  M8: { numerator: 'idemscope_redeliveries_total', denominator: 'idemscope_messages_total' },
}

/** What the measures of a window counted. */
export const countedFamilies = (measures: readonly Measure[]): Family[] =>
  measures.flatMap(({ id, numerator, denominator, detail }) => [
    ...count(COUNTED[id]?.numerator, numerator),
    ...count(COUNTED[id]?.denominator, denominator),
    ...(id === 'M1' ? [family('idemscope_requests_total', byLabel('outcome', detail.byOutcome))] : []),
    ...(id === 'M7' ? [family('idemscope_corrections_total', byLabel('class', detail.byClass))] : []),
  ])

const count = (name: MetricName | undefined, value: number | string | null): Family[] =>
  name === undefined || value === null ? [] : [single(name, Number(value))]

const byLabel = (label: string, counts: unknown): Sample[] =>
  Object.entries((counts ?? {}) as Record<string, number | string>).map(([text, value]) => ({
    labels: { [label]: text },
    value: Number(value),
  }))

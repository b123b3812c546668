import type { IncidentSeverity } from '@/lib/core/incident-states'
import type { MoneyJson } from '@/lib/core/money'
import type { IncidentHistory } from '@/lib/incidents/read-history'
import type { Price } from '@/lib/retention/price'
import type { Count, MeasureId } from '@/lib/telemetry/measures/measure'

/** What the management is told of a period. Each figure: docs/guides/insight.md. */
export type ExecutiveFigures = {
  from: string
  to: string
  /** UTC days of the period, and those with a committed effect. */
  days: number
  measuredDays: number
  effects: { committed: Count; duplicates: Count; rate: number | null; target: number }
  /** What reconciliation confirmed; null = nothing was compared yet. */
  confirmed: Confirmed | null
  /** Told by spans, confirmed by no case; of `untold` no amount is known. */
  suspected: { effects: number; untold: number; amounts: MoneyJson[] }
  /** Open cases and suspected duplicates together. */
  atRisk: MoneyJson[]
  /** Null = nothing was ever watched: no service has sent, and no source was connected. */
  incidents: IncidentHistory | null
}

export type Confirmed = {
  cases: number
  open: number
  refunds: number
  refunded: MoneyJson[]
  fees: MoneyJson[]
  feesUntold: number
  detectMs: number | null
  mendMs: number | null
  resolved: number
}

export type Executive = ExecutiveFigures & {
  sentence: Sentence
  trend: { bucketSeconds: number; points: { at: string; numerator: Count; denominator: Count }[] }
  months: ExecutiveMonth[]
  budgets: Budget[]
  storage: { bytes: number | null; costPerMonth: Price[]; unpriced: number }
}

export type Sentence = { tone: 'ok' | 'warn' | 'bad' | 'unknown'; text: string }

export type ExecutiveMonth = {
  /** 2026-11, UTC */
  month: string
  /** It has not ended. */
  partial: boolean
  effects: { committed: Count; duplicates: Count; rate: number | null }
  /** Null = nothing was watched in it. */
  incidents: { count: number; bySeverity: Partial<Record<IncidentSeverity, number>> } | null
}

export type Budget = {
  id: MeasureId
  name: string
  value: number | null
  target: number | null
  /** Share of the period's budget that is left; below 0 = overspent; null = not measured. */
  budgetLeft: number | null
}

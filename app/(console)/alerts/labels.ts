import { ALERTS } from '@/lib/alerts/about'
import type { SilenceView } from '@/lib/alerts/silences/view'
import { latencyText, percentText, targetPercentText } from '@/lib/core/format-figure'
import type { Measure } from '@/lib/telemetry/measures/measure'

/** What a silence matches, in words. */
export function silenceText({ kind, subject, prefix, environment }: SilenceView): string {
  const what = kind === null ? 'Every alert' : ALERTS[kind].title
  const of = subject === null ? '' : prefix ? ` of ${subject}…` : ` of ${subject}`
  return `${what}${of}${environment === null ? '' : ` in ${environment}`}`
}

const FEW = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 })

/** A value of a measure, in its unit. */
export function valueText(unit: Measure['unit'], value: number): string {
  if (unit === 'ratio') return `${percentText(value)} %`
  if (unit === 'ms') return latencyText(value)
  if (unit === 'per 10,000 executions') return `${FEW.format(value)} per 10,000`
  if (unit === 'rows/day') return `${FEW.format(value)} rows a day`
  return FEW.format(value)
}

export function targetText({ id, unit, target }: Pick<Measure, 'id' | 'unit' | 'target'>): string {
  if (target === null) return 'stable'
  if (unit === 'ratio') return `< ${targetPercentText(target)} %`
  if (id === 'M6') return '0'
  if (unit === 'ms') return `P95 < ${latencyText(target).replace('.00', '')}`
  return `< ${valueText(unit, target)}`
}

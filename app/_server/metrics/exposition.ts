import { METRICS, type MetricName } from '@/lib/core/metrics'
import type { Exemplar } from '@/lib/telemetry/read/exemplars'

/** `exemplar`: only counters have one, and only OpenMetrics says it. */
export type Sample = { labels?: Record<string, string>; value: number; exemplar?: Exemplar }

export const FORMATS = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openMetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const
export type Format = keyof typeof FORMATS
export type Family = { name: MetricName; samples: readonly Sample[] }

export const family = (name: MetricName, samples: readonly Sample[]): Family => ({ name, samples })
export const single = (name: MetricName, value: number): Family => family(name, [{ value }])

/** Prometheus text exposition 0.0.4, or OpenMetrics 1.0. A metric without a sample is left out. */
export const renderExposition = (families: readonly Family[], format: Format): string =>
  families
    .filter(({ samples }) => samples.length > 0)
    .map((each) => `${render(each, format)}\n`)
    .join('') + (format === 'openMetrics' ? '# EOF\n' : '')

function render({ name, samples }: Family, format: Format): string {
  const { type, help } = METRICS[name]
  // In OpenMetrics the suffix is the sample's, not the family's.
  const known = format === 'openMetrics' && type === 'counter' ? name.replace(/_total$/, '') : name
  // Names may repeat where ids do not, and two samples of one name would make the whole answer invalid: the first stays.
  const lines = new Map<string, string>()
  for (const sample of samples) {
    const series = seriesOf(name, sample)
    const exemplar = format === 'openMetrics' ? exemplarText(sample) : ''
    if (!lines.has(series)) lines.set(series, `${sample.value}${exemplar}`)
  }
  const values = [...lines].map(([series, value]) => `${series} ${value}`)
  return [`# HELP ${known} ${help}`, `# TYPE ${known} ${type}`, ...values].join('\n')
}

/** ` # {trace_id="…"} 1 1700000000.123` */
const exemplarText = ({ exemplar }: Sample): string =>
  exemplar === undefined ? '' : ` # {trace_id="${exemplar.traceId}"} 1 ${exemplar.at.getTime() / 1000}`

/** What Prometheus tells one sample from another by. */
export function seriesOf(name: MetricName, { labels = {} }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`}`
}

/** What clients send may be long; a label is kept by Prometheus as it is. */
const LABEL_CHARACTERS_MAX = 200

const escapeLabel = (text: string): string =>
  text
    .slice(0, LABEL_CHARACTERS_MAX)
    .toWellFormed()
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')

import { METRICS, type MetricName } from '@/lib/core/metrics'

export type Sample = { labels?: Record<string, string>; value: number }
export type Family = { name: MetricName; samples: readonly Sample[] }

export const family = (name: MetricName, samples: readonly Sample[]): Family => ({ name, samples })
export const single = (name: MetricName, value: number): Family => family(name, [{ value }])

/** Prometheus text exposition, version 0.0.4. A metric without a sample is left out. */
export const renderExposition = (families: readonly Family[]): string =>
  families
    .filter(({ samples }) => samples.length > 0)
    .map((each) => `${render(each)}\n`)
    .join('')

function render({ name, samples }: Family): string {
  const { type, help } = METRICS[name]
  // Names may repeat where ids do not, and two samples of one name would make the whole answer invalid: the first stays.
  const lines = new Map<string, number>()
  for (const sample of samples) {
    const series = seriesOf(name, sample)
    if (!lines.has(series)) lines.set(series, sample.value)
  }
  const values = [...lines].map(([series, value]) => `${series} ${value}`)
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...values].join('\n')
}

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

export type Sample = { labels?: Record<string, string>; value: number }
export type Family = { name: string; type: 'gauge' | 'counter'; help: string; samples: Sample[] }

/** A family of ours; those of the runtime keep the names that every dashboard knows. */
export const gauge = (name: string, help: string, samples: Sample[]): Family => ({
  name: `idemscope_${name}`,
  type: 'gauge',
  help,
  samples,
})

/** Prometheus text exposition, version 0.0.4. */
export const renderExposition = (families: readonly Family[]): string =>
  `${families.map(render).join('\n')}\n`

function render({ name, type, help, samples }: Family): string {
  const lines = samples.map(({ labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
    return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`
  })
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join('\n')
}

const escapeLabel = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

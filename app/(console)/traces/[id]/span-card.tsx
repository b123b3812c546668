import { ExternalLink } from 'lucide-react'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { CopyButton } from '@/app/_ui/copy-button'
import { Facts } from '@/app/_ui/facts'
import { JsonBlock } from '@/app/_ui/json-block'
import { ScrollBox } from '@/app/_ui/scroll-box'
import { ShortId } from '@/app/_ui/short-id'
import { Time } from '@/app/_ui/time'
import { countText, latencyText } from '@/lib/core/format-figure'
import { toJsonValue } from '@/lib/core/json-value'
import { redactAttributes } from '@/lib/core/redact-json'
import type { TraceSpan } from '@/lib/telemetry/read/traces/trace'

const KIND: Record<number, string> = { 1: 'internal', 2: 'server', 3: 'client', 4: 'producer', 5: 'consumer' }
const NS_A_MS = 1e6

/** One span whole: its attributes, events and links, redacted on the server. */
export function SpanCard({ span, external }: { span: TraceSpan; external: string | null }) {
  const attributes = redactAttributes(span.attributes)
  const rows = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))
  return (
    <Card id="span" title={span.name} className="xl:sticky xl:top-16" aside={KIND[span.kind] ?? 'span'}>
      <div className="grid gap-3 px-4 pb-4">
        <Facts
          facts={[
            { label: 'Service', value: `${span.service} ${span.version}` },
            { label: 'Instance', value: span.instance },
            { label: 'Began', value: <Time at={span.startTime.toISOString()} kind="seconds" /> },
            {
              label: 'Took',
              value: `${latencyText(Number(span.durationNs) / NS_A_MS)} (${countText(span.durationNs)} ns)`,
            },
            {
              label: 'Status',
              value:
                span.statusCode === 2 ? (
                  <Badge tone="bad">
                    error{span.statusMessage === null ? '' : `: ${span.statusMessage}`}
                  </Badge>
                ) : (
                  'no error'
                ),
            },
            { label: 'Span', value: <ShortId id={span.spanId} /> },
          ]}
        />
        {external !== null && (
          <a
            href={external}
            target="_blank"
            rel="noreferrer noopener"
            className="inline-flex items-center gap-1.5 font-medium text-accent-ink hover:underline"
          >
            <ExternalLink size={14} aria-hidden="true" /> Open in the other trace UI
          </a>
        )}
        <h3 className="-mb-2 font-medium text-ink-2">Attributes</h3>
        <ScrollBox label="Attributes" className="max-h-96 rounded-m bg-sunken px-3 py-1">
          <dl>
            {rows.map(([name, value]) => (
              <div key={name} className="border-line border-t py-1.5 first:border-t-0">
                <dt className="break-all text-ink-2 text-s">{name}</dt>
                <dd className="break-all font-mono text-s">{attributeText(value)}</dd>
              </div>
            ))}
          </dl>
        </ScrollBox>
        {[
          { title: 'Events', value: span.events ?? [] },
          { title: 'Links', value: span.links ?? [] },
        ].map(
          ({ title, value }) =>
            value.length > 0 && (
              <JsonBlock key={title} title={title} count={value.length} value={toJsonValue(value)} />
            ),
        )}
        <div className="-ml-3">
          <CopyButton text={JSON.stringify(attributes, null, 2)} label="Copy attributes" />
        </div>
      </div>
    </Card>
  )
}

const attributeText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

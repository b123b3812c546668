import type { JsonValue } from '@/lib/core/json-value'
import { redactJson } from '@/lib/core/redact-json'
import { CodeBox } from './code-box'

/** A value as JSON, redacted on the server. */
export function JsonBlock({ title, count, value }: { title: string; count?: number; value: JsonValue }) {
  return (
    <section aria-label={title}>
      <h3 className="mb-1 font-medium text-ink-2">
        {title} {count !== undefined && <span className="text-ink-3">{count}</span>}
      </h3>
      <CodeBox>{JSON.stringify(redactJson(value), null, 2) ?? ''}</CodeBox>
    </section>
  )
}

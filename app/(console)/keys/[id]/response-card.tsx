import { Card } from '@/app/_ui/card'
import { CodeBox } from '@/app/_ui/code-box'
import { CopyButton } from '@/app/_ui/copy-button'
import { countText } from '@/lib/core/format-figure'
import type { KeyPage } from './read-key'

/** What a retry would be answered with; secrets and card data were taken out on the server. */
export function ResponseCard({ page: { stored } }: { page: KeyPage }) {
  const response = stored?.response ?? null
  return (
    <Card
      id="response"
      title="Stored response"
      aside={response === null ? undefined : `${response.status} · ${countText(response.bodyBytes)} bytes`}
      empty={
        stored === null
          ? 'The store cannot be read now.'
          : response === null && 'None is stored: the key has not ended.'
      }
    >
      {response !== null && (
        <div className="px-4 pb-4">
          {response.headers.length > 0 && (
            <dl className="mb-2 text-s">
              {response.headers.map(([name, value]) => (
                <div key={name} className="flex gap-2">
                  <dt className="shrink-0 text-ink-2">{name}</dt>
                  <dd className="min-w-0 break-all font-mono">{value}</dd>
                </div>
              ))}
            </dl>
          )}
          <CodeBox>{response.body === '' ? '(empty)' : response.body}</CodeBox>
          <div className="mt-2 flex items-center justify-between gap-2">
            <p className="text-ink-3 text-xs">
              {response.cut && 'Its beginning only. '}Secrets and card data are redacted on the server.
            </p>
            <CopyButton text={response.body} label="Copy the response" iconOnly />
          </div>
        </div>
      )}
    </Card>
  )
}

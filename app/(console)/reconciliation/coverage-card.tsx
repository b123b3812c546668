import { Badge } from '@/app/_ui/badge'
import { Card, CardText } from '@/app/_ui/card'
import { PageLink } from '@/app/_ui/page-link'
import { Time } from '@/app/_ui/time'
import type { SourceState, SourceView } from '@/lib/mirror/read/list-sources'
import type { Coverage } from '@/lib/mirror/read/read-feeds'

const STATE: Record<SourceState, { text: string; tone: 'ok' | 'warn' | 'bad' | 'plain' }> = {
  ok: { text: 'read', tone: 'ok' },
  stale: { text: 'stale', tone: 'warn' },
  down: { text: 'cannot be read', tone: 'bad' },
  never: { text: 'never read', tone: 'plain' },
}

/** How far each source has been read: what lies beyond is not compared, and never called matched. */
export function CoverageCard({
  sources,
  coverage,
}: {
  sources: readonly SourceView[]
  coverage: readonly Coverage[]
}) {
  const enabled = sources.filter((source) => source.enabled)
  return (
    <Card
      id="coverage"
      title="Coverage"
      aside={
        <PageLink href="/sources" className="text-accent-ink hover:underline">
          sources
        </PageLink>
      }
    >
      {enabled.length === 0 ? (
        <CardText>No source is connected: nothing can be compared.</CardText>
      ) : (
        <ul>
          {enabled.map((source) => (
            <li
              key={source.id}
              className="flex min-h-13 items-center justify-between gap-3 border-line border-t px-4 py-1.5 first:border-t-0"
            >
              <span className="min-w-0">
                <span className="block truncate">{source.name}</span>
                <span className="block text-ink-3 text-s">
                  <Reach source={source} coverage={coverage.find((each) => each.source === source.id)} />
                </span>
              </span>
              <Badge tone={STATE[source.state].tone}>{STATE[source.state].text}</Badge>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

function Reach({ source, coverage }: { source: SourceView; coverage: Coverage | undefined }) {
  if (coverage !== undefined)
    return (
      <>
        without a gap <Time at={coverage.from} /> – <Time at={coverage.to} />
      </>
    )
  if (source.lastOkAt === null) return 'not yet'
  return (
    <>
      up to <Time at={source.lastOkAt} kind="seconds" />
    </>
  )
}

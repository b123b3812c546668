import { Card } from '@/app/_ui/card'
import { ListRow } from '@/app/_ui/list-row'
import { PageLink } from '@/app/_ui/page-link'
import { Time } from '@/app/_ui/time'
import type { SourceView } from '@/lib/mirror/read/list-sources'
import type { Coverage } from '@/lib/mirror/read/read-feeds'
import { SourceBadge } from '../_page/source-badge'

type Props = { sources: readonly SourceView[]; coverage: readonly Coverage[] }

/** How far each source has been read: what lies beyond is not compared, and never called matched. */
export function CoverageCard({ sources, coverage }: Props) {
  const enabled = sources.filter((source) => source.enabled)
  return (
    <Card
      id="coverage"
      title="Coverage"
      aside={
        <PageLink href="/sources" look="link">
          sources
        </PageLink>
      }
      empty={enabled.length === 0 && 'No source is connected: nothing can be compared.'}
    >
      <ul>
        {enabled.map((source) => (
          <ListRow
            key={source.id}
            below={<Reach source={source} coverage={coverage.find((each) => each.source === source.id)} />}
            end={<SourceBadge source={source} />}
          >
            {source.name}
          </ListRow>
        ))}
      </ul>
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
  if (source.lastOkAt === null) return <>not yet</>
  return (
    <>
      up to <Time at={source.lastOkAt} kind="seconds" />
    </>
  )
}

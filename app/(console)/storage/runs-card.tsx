import { Badge, type BadgeTone } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { ViewChip } from '@/app/_ui/facet-chips'
import { bytesText } from '@/app/_ui/format-bytes'
import { countText } from '@/app/_ui/format-figure'
import { PageLink } from '@/app/_ui/page-link'
import { Pager } from '@/app/_ui/pager'
import { StillTable } from '@/app/_ui/still-table'
import { cellClass, headClass, secondLineClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { Page } from '@/lib/core/pages'
import type { RunView } from '@/lib/runs/read'
import { collectionCounts } from './collection-counts'
import { COLLECTIONS_BY, type StorageQuery, writeStorage } from './query'

const BY_LABEL: Record<StorageQuery['by'], string> = { all: 'All', people: 'By people' }

const OUTCOME: Record<string, { text: string; tone: BadgeTone; title?: string }> = {
  collected: { text: 'collected', tone: 'ok' },
  dry_run: { text: 'would take', tone: 'accent' },
  busy: { text: 'gave way', tone: 'warn', title: 'Another session was in the way' },
  incomplete: { text: 'incomplete', tone: 'warn', title: 'A store could not be reached' },
}

const HEAD = (
  <>
    <th scope="col" className={headClass()}>
      Collection
    </th>
    <th scope="col" className={headClass()}>
      Outcome
    </th>
    <th scope="col" className={headClass('text-right')}>
      Rows
    </th>
    <th scope="col" className={headClass('text-right max-md:hidden')}>
      Size
    </th>
    <th scope="col" className={headClass('text-right max-md:hidden')}>
      Unfinished, kept
    </th>
    <th scope="col" className={headClass('text-right')}>
      Ended
    </th>
  </>
)

/** Collections and dry runs, newest first. */
export function CollectionRuns({
  page,
  query,
  names,
}: {
  page: Page<RunView>
  query: StorageQuery
  names: ReadonlyMap<string, string>
}) {
  return (
    <Card id="collections" title="Collections" aside="newest first">
      <StillTable
        caption="Collections, newest first"
        view={writeStorage(query)}
        toolbar={COLLECTIONS_BY.map((by) => (
          <ViewChip
            key={by}
            set={{ by: by === 'all' ? null : by, cursor: null }}
            chosen={query.by === by}
            label={BY_LABEL[by]}
            count={null}
          />
        ))}
        head={HEAD}
        rows={page.items.map((run) => ({ id: run.id, row: <Row key={run.id} run={run} names={names} /> }))}
        empty={
          <EmptyState
            kind={query.by === 'all' ? 'none' : 'filtered'}
            title={query.by === 'all' ? 'Nothing was collected yet' : 'Nobody has collected by hand'}
          />
        }
      />
      <Pager shown={page.items.length} noun="collection" cursor={query.cursor} next={page.next} />
    </Card>
  )
}

function Row({ run, names }: { run: RunView; names: ReadonlyMap<string, string> }) {
  const counts = collectionCounts(run.counts)
  const active = run.state === 'queued' || run.state === 'running'
  const outcome = OUTCOME[run.outcome ?? ''] ?? { text: run.outcome ?? run.state, tone: 'plain' }
  const by = run.requestedBy.startsWith('system:')
    ? 'by schedule'
    : `by ${names.get(run.requestedBy) ?? run.requestedBy}`
  return (
    <tr className="relative hover:bg-sunken">
      <td className={cellClass()}>
        <PageLink
          href={`/storage/runs/${run.id}`}
          className="block after:absolute after:inset-0 hover:underline"
        >
          {run.dryRun ? 'Dry run' : 'Collection'}
        </PageLink>
        <span className={secondLineClass}>{by}</span>
      </td>
      <td className={cellClass()}>
        {active ? (
          <Badge tone="accent">{Math.floor(run.progress * 100)} %</Badge>
        ) : run.state === 'failed' ? (
          <Badge tone="bad" title={run.error ?? undefined}>
            failed
          </Badge>
        ) : (
          <Badge tone={outcome.tone} title={outcome.title}>
            {outcome.text}
          </Badge>
        )}
      </td>
      <td className={cellClass('text-right')}>{counts === null ? '–' : countText(counts.rows)}</td>
      <td className={cellClass('text-right max-md:hidden')}>
        {counts === null ? '–' : bytesText(Number(counts.bytes))}
      </td>
      <td className={cellClass('text-right max-md:hidden')}>
        {counts === null || counts.reapedUnfinished === 0 ? (
          '0'
        ) : (
          <PageLink
            href="/reconciliation?class=reaped_unfinished"
            className="relative z-10 text-warn-ink hover:underline"
          >
            {countText(counts.reapedUnfinished)}
          </PageLink>
        )}
      </td>
      <td className={cellClass('whitespace-nowrap text-right text-ink-2')}>
        <Time at={run.finishedAt ?? run.createdAt} kind="age" />
      </td>
    </tr>
  )
}

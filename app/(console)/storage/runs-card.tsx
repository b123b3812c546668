import type { ReactNode } from 'react'
import { Badge, type BadgeTone } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { ViewChip } from '@/app/_ui/facet-chips'
import { bytesText } from '@/app/_ui/format-bytes'
import { ListTable } from '@/app/_ui/list-table'
import { PageLink } from '@/app/_ui/page-link'
import { type Column, figureColumn, RowLink, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { countText } from '@/lib/core/format-figure'
import type { Names } from '@/lib/core/names'
import { type CollectionCounts, collectionCounts } from '@/lib/retention/collection-counts'
import { byWhom, isActive } from '@/lib/runs/describe-run'
import type { RunView } from '@/lib/runs/read'
import { COLLECTIONS_BY, type StorageData, writeStorage } from './read-page'

const BY_LABEL: Record<StorageData['query']['by'], string> = { all: 'All', people: 'By people' }

const OUTCOME: Record<string, { text: string; tone?: BadgeTone; title?: string }> = {
  collected: { text: 'Collected', tone: 'ok' },
  dry_run: { text: 'Would collect', tone: 'accent' },
  no_store: { text: 'No store connected' },
  busy: { text: 'Deferred', tone: 'warn', title: 'Another session was in the way' },
  incomplete: { text: 'Incomplete', tone: 'warn', title: 'A store could not be reached' },
}

/** Collections and dry runs, newest first. */
export function CollectionRuns({ runs, query, people }: StorageData) {
  return (
    <Card id="collections" title="Collections" aside="newest first">
      <ListTable
        caption="Collections, newest first"
        columns={columnsOf(people)}
        rows={runs.items}
        id={({ id }) => id}
        view={writeStorage(query)}
        toolbar={COLLECTIONS_BY.map((by) => (
          <ViewChip
            key={by}
            set={{ by: by === 'all' ? null : by, cursor: null }}
            chosen={query.by === by}
            label={BY_LABEL[by]}
          />
        ))}
        empty={
          <EmptyState
            kind={query.by === 'all' ? 'none' : 'filtered'}
            title={query.by === 'all' ? 'Nothing was collected yet' : 'Nobody has collected by hand'}
          />
        }
        pages={{ noun: 'collection', cursor: query.cursor, next: runs.next }}
      />
    </Card>
  )
}

/** What it has counted; before that, a dash. */
const counted = (
  head: string,
  cell: (counts: CollectionCounts) => ReactNode,
  own: Partial<Column<RunView>> = {},
) =>
  figureColumn<RunView>(
    head,
    (run) => {
      const counts = collectionCounts(run.counts)
      return counts === null ? '–' : cell(counts)
    },
    own,
  )

const columnsOf = (people: Names): Column<RunView>[] => [
  {
    head: 'Collection',
    cell: (run) => (
      <TwoLines below={byWhom(run, people)}>
        <RowLink to={`/storage/runs/${run.id}`}>{run.dryRun ? 'Dry run' : 'Collection'}</RowLink>
      </TwoLines>
    ),
  },
  { head: 'Outcome', cell: (run) => <Outcome run={run} /> },
  counted('Rows', ({ rows }) => countText(rows)),
  counted('Size', ({ bytes }) => bytesText(Number(bytes)), { from: 'md' }),
  counted(
    'Unfinished, kept',
    ({ reapedUnfinished }) =>
      reapedUnfinished === 0 ? (
        '0'
      ) : (
        <PageLink
          href="/reconciliation?class=reaped_unfinished"
          className="relative z-10 text-warn-ink hover:underline"
        >
          {countText(reapedUnfinished)}
        </PageLink>
      ),
    { from: 'md' },
  ),
  figureColumn('Ended', (run) => <Time at={run.finishedAt ?? run.createdAt} kind="age" />, {
    className: 'text-ink-2',
  }),
]

function Outcome({ run }: { run: RunView }) {
  if (isActive(run)) return <Badge tone="accent">{Math.floor(run.progress * 100)} %</Badge>
  if (run.state === 'failed')
    return (
      <Badge tone="bad" title={run.error ?? undefined}>
        Failed
      </Badge>
    )
  const { text, ...look } = OUTCOME[run.outcome ?? ''] ?? { text: run.outcome ?? run.state }
  return <Badge {...look}>{text}</Badge>
}

import type { Metadata } from 'next'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { Figures } from '@/app/_ui/figures'
import { bytesText } from '@/app/_ui/format-bytes'
import { keyStateText } from '@/app/_ui/key-state-label'
import { Progress } from '@/app/_ui/progress'
import { ShortId } from '@/app/_ui/short-id'
import { type Column, figureColumn, RowLink, Table, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { listUsers } from '@/lib/access/users'
import { countText } from '@/lib/core/format-figure'
import { type Names, nameIn, namesOf } from '@/lib/core/names'
import { formatKeyId } from '@/lib/keys/key-id'
import { listSources } from '@/lib/mirror/read/list-sources'
import { type CollectionCounts, collectionCounts } from '@/lib/retention/collection-counts'
import { isActive } from '@/lib/runs/describe-run'
import { readRunLog } from '@/lib/runs/read'
import { openPage, type PageProps } from '../../../_page/open-page'
import { openRun } from '../../../_page/open-run'
import { BesideEachOther, Page } from '../../../_page/page-frame'
import { AboutRun, RunBadge } from '../../../_page/run-parts'

export const metadata: Metadata = { title: 'Collection' }

export default async function CollectionPage(props: PageProps<{ id: string }>) {
  const { id } = await props.params
  const { ctx, now } = await openPage(`/storage/runs/${id}`, props)
  const run = await openRun(ctx.db, id, 'collection')
  const [log, users, sources] = await Promise.all([
    readRunLog(ctx.db, id),
    listUsers(ctx.db),
    listSources(ctx.db, now),
  ])
  const counts = collectionCounts(run.counts)
  const names = namesOf(sources)
  return (
    <Page
      title={run.dryRun ? 'Dry run of a collection' : 'Collection'}
      path={[{ label: 'Storage & GC', href: '/storage' }, { label: 'Collections' }, { id: run.id }]}
      beside={<RunBadge run={run} />}
      {...(run.dryRun ? { summary: 'What it would take; nothing was dropped or deleted.' } : {})}
    >
      <BesideEachOther side={<AboutRun run={run} people={namesOf(users)} lines={log} />}>
        <Card id="taken" title={run.dryRun ? 'Would be taken' : 'Taken'}>
          {isActive(run) && (
            <div className="px-4 pb-3">
              <Progress value={run.progress} label="Progress of the run" />
            </div>
          )}
          {run.state === 'failed' && <p className="px-4 pb-3 text-bad-ink">It failed: {run.error}</p>}
          {counts === null ? (
            <EmptyState kind="waiting" title="Nothing counted yet" />
          ) : (
            <Figures figures={figuresOf(counts)} />
          )}
          {counts?.unreachable.map((source) => (
            <p key={source} className="border-line border-t px-4 py-2 text-warn-ink">
              {nameIn(names, source)} could not be reached: it was left as it is.
            </p>
          ))}
        </Card>
        {counts !== null && counts.unfinished.length > 0 && <UnfinishedCard counts={counts} names={names} />}
      </BesideEachOther>
    </Page>
  )
}

const figuresOf = (counts: CollectionCounts) => [
  { name: 'Keys', value: countText(counts.rows), note: 'expired, past their buffer' },
  { name: 'Size', value: bytesText(Number(counts.bytes)), note: 'given back' },
  { name: 'Partitions', value: countText(counts.partitions), note: 'dropped whole' },
  { name: 'Busy', value: countText(counts.busy), note: 'another session was in the way' },
  { name: 'Not due', value: countText(counts.notDue), note: 'partitions kept' },
  {
    name: 'Unfinished',
    value: countText(counts.reapedUnfinished),
    note: 'kept: somebody decides',
    tone: counts.reapedUnfinished > 0 ? ('warn' as const) : undefined,
  },
]

const SHOWN = 50

/** Keys past their retention that never ended: a collection never takes them. */
function UnfinishedCard({ counts, names }: { counts: CollectionCounts; names: Names }) {
  const { unfinished, reapedUnfinished } = counts
  const shown = unfinished.slice(0, SHOWN)
  return (
    <Card
      id="unfinished"
      title="Unfinished keys, kept"
      aside={
        shown.length < reapedUnfinished ? `${shown.length} of ${reapedUnfinished}` : `all ${shown.length}`
      }
    >
      <Table columns={columnsOf(names)} rows={shown} id={({ scope, key }) => `${scope} ${key}`} />
    </Card>
  )
}

const columnsOf = (names: Names): Column<CollectionCounts['unfinished'][number]>[] => [
  {
    head: 'Key',
    cell: ({ source, scope, key }) => (
      <TwoLines below={`${scope} · ${nameIn(names, source)}`}>
        <RowLink to={`/keys/${formatKeyId({ sourceId: source, scope, key })}`}>
          <ShortId id={key} />
        </RowLink>
      </TwoLines>
    ),
  },
  { head: 'State', cell: ({ state }) => keyStateText(state) },
  figureColumn('Age', ({ createdAt }) => <Time at={createdAt} kind="age" />),
]

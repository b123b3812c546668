import type { Metadata } from 'next'
import { notFound, redirect } from 'next/navigation'
import type { SearchParams } from 'nuqs/server'
import { guardPage } from '@/app/_server/page-guard'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { Figures } from '@/app/_ui/figures'
import { bytesText } from '@/app/_ui/format-bytes'
import { countText } from '@/app/_ui/format-figure'
import { PageHeader } from '@/app/_ui/page-header'
import { PageLink } from '@/app/_ui/page-link'
import { listUsers } from '@/lib/access/users'
import { AppError } from '@/lib/core/errors'
import { listSources } from '@/lib/mirror/read/list-sources'
import { getRun, readRunLog } from '@/lib/runs/read'
import { RunFacts } from '../../../reconciliation/run-facts'
import { RunLog } from '../../../reconciliation/run-log'
import { Progress } from '../../../reconciliation/runs-card'
import { RUN_STATE } from '../../../reconciliation/words'
import { type CollectionCounts, collectionCounts } from '../../collection-counts'
import { UnfinishedCard } from './unfinished-card'

export const metadata: Metadata = { title: 'Collection' }
export const dynamic = 'force-dynamic'

type Props = { params: Promise<{ id: string }>; searchParams: Promise<SearchParams> }

export default async function CollectionPage({ params, searchParams }: Props) {
  const { id } = await params
  const ctx = await guardPage(`/storage/runs/${id}`, await searchParams)
  const run = await getRun(ctx.db, id).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'not_found') notFound()
    throw error
  })
  if (run.kind !== 'collection') redirect(`/reconciliation/runs/${id}`)
  const [log, users, sources] = await Promise.all([
    readRunLog(ctx.db, id),
    listUsers(ctx.db),
    listSources(ctx.db, ctx.clock.now()),
  ])
  const counts = collectionCounts(run.counts)
  const active = run.state === 'queued' || run.state === 'running'
  const names = new Map(sources.map((source) => [source.id, source.name]))
  return (
    <div className="grid gap-3">
      <PageHeader
        title={run.dryRun ? 'Dry run of a collection' : 'Collection'}
        above={
          <>
            <PageLink href="/storage" className="hover:underline">
              Storage & GC
            </PageLink>{' '}
            / Collections / <span className="font-mono">{run.id}</span>
          </>
        }
        beside={
          <Badge tone={active ? 'accent' : run.state === 'failed' ? 'bad' : 'plain'}>
            {RUN_STATE[run.state].text}
          </Badge>
        }
        summary={run.dryRun ? 'What it would take; nothing was dropped or deleted.' : undefined}
      />
      <div className="grid items-start gap-3 xl:grid-cols-[minmax(0,1fr)_352px] [&>*]:min-w-0">
        <div className="grid min-w-0 gap-3">
          <Card id="taken" title={run.dryRun ? 'Would be taken' : 'Taken'}>
            {active && (
              <div className="px-4 pb-3">
                <Progress value={run.progress} />
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
                {names.get(source) ?? source} could not be reached: it was left as it is.
              </p>
            ))}
          </Card>
          {counts !== null && counts.unfinished.length > 0 && (
            <UnfinishedCard counts={counts} names={names} />
          )}
        </div>
        <div className="grid min-w-0 gap-3">
          <RunFacts run={run} by={users.find((user) => user.id === run.requestedBy)?.name} />
          <RunLog lines={log} />
        </div>
      </div>
    </div>
  )
}

const figuresOf = (counts: CollectionCounts) => [
  { name: 'Keys', value: countText(counts.rows), note: 'expired, past their buffer' },
  { name: 'Size', value: bytesText(Number(counts.bytes)), note: 'given back' },
  { name: 'Leaves', value: countText(counts.leaves), note: 'dropped whole' },
  { name: 'Busy', value: countText(counts.busy), note: 'another session was in the way' },
  { name: 'Not due', value: countText(counts.notDue), note: 'leaves kept' },
  {
    name: 'Unfinished',
    value: countText(counts.reapedUnfinished),
    note: 'kept: somebody decides',
    tone: counts.reapedUnfinished > 0 ? ('warn' as const) : undefined,
  },
]

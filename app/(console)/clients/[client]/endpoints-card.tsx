import { EmptyState } from '@/app/_ui/empty-state'
import { type Column, figureColumn, TwoLines } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import type { TimeRange } from '@/app/_ui/time-range'
import { countText, durationText, latencyText } from '@/lib/core/format-figure'
import { nullWhenCanceled } from '@/lib/core/sql-state'
import type { Db } from '@/lib/db'
import { adviseTtl, type RetryWindow } from '@/lib/retention/advise'
import { Quiet } from '../client-columns'

/** Retry windows by endpoint. Looks through the keys of the range: it comes when it comes. */
export async function EndpointsCard({ db, client, range }: { db: Db; client: string; range: TimeRange }) {
  const windows = await adviseTtl(db, range).catch(nullWhenCanceled)
  return (
    <TableCard
      id="endpoints"
      title="Retries by endpoint"
      aside="from the first to the last request of a key"
      scrolls="Retries by endpoint, table"
      columns={COLUMNS}
      rows={(windows ?? []).filter((window) => window.client === client)}
      rowId={({ endpoint }) => endpoint}
      empty={
        windows === null ? (
          <EmptyState kind="timeout" title="The range holds too many keys to look through">
            Stopped after 20 s: choose a shorter range.
          </EmptyState>
        ) : (
          <EmptyState kind="waiting" title="Not measured: no key of this caller is among the 200 busiest" />
        )
      }
    />
  )
}

const retried = (head: string, text: (window: RetryWindow) => string, from?: 'md' | 'lg') =>
  figureColumn<RetryWindow>(
    head,
    (window) => (window.retriedKeys === 0 ? <Quiet>no retry</Quiet> : text(window)),
    from === undefined ? {} : { from },
  )

const COLUMNS: Column<RetryWindow>[] = [
  {
    head: 'Endpoint',
    names: true,
    cell: ({ endpoint }) => <span className="font-mono text-s">{endpoint}</span>,
  },
  figureColumn('Retried keys', ({ retriedKeys, keys }) => (
    <TwoLines below={`of ${countText(keys)}`}>{countText(retriedKeys)}</TwoLines>
  )),
  retried('P50', ({ p50Ms }) => latencyText(p50Ms), 'md'),
  retried('P99', ({ p99Ms }) => latencyText(p99Ms)),
  retried('Longest', ({ maxMs }) => latencyText(maxMs), 'md'),
  figureColumn('TTL', ({ ttlMs }) => (ttlMs === null ? <Quiet>not reported</Quiet> : durationText(ttlMs)), {
    from: 'lg',
  }),
]

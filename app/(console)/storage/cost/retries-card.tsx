import { EmptyState } from '@/app/_ui/empty-state'
import { type Column, figureColumn, TwoLines } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import type { TimeRange } from '@/app/_ui/time-range'
import { countText, durationText, latencyText } from '@/lib/core/format-figure'
import { nullWhenCanceled } from '@/lib/core/sql-state'
import type { Db } from '@/lib/db'
import { type AvoidedByEndpoint, readDuplicatesAvoided } from '@/lib/insight/cost/read-cost'
import { adviseTtl, type RetryWindow } from '@/lib/retention/advise'

type Row = AvoidedByEndpoint & { window: RetryWindow | null }

/** What the stored records are good for: by endpoint, how late retries come, and how many executions they avoided. */
export async function RetriesCard({ db, range }: { db: Db; range: TimeRange }) {
  const [avoided, windows] = await Promise.all([
    readDuplicatesAvoided(db, range),
    adviseTtl(db, range).catch(nullWhenCanceled),
  ])
  const rows = avoided.map(
    (row): Row => ({
      ...row,
      window: windows?.find(({ endpoint, client }) => endpoint === row.endpoint && client === '') ?? null,
    }),
  )
  return (
    <TableCard
      id="retries"
      title="Retries and what records avoid"
      aside="in the range"
      scrolls="Retries and what records avoid, table"
      columns={COLUMNS}
      rows={rows}
      rowId={({ endpoint }) => endpoint}
      empty={<EmptyState kind="waiting" title="Not measured: no request with a key came in this range" />}
    >
      {windows === null && (
        <p className="px-4 py-2 text-ink-2">
          Retry windows are not measured: the range holds too many keys to look through. Choose a shorter one.
        </p>
      )}
    </TableCard>
  )
}

const quiet = (text: string) => <span className="text-ink-3">{text}</span>

const retried = (head: string, text: (window: RetryWindow) => string, from?: 'md') =>
  figureColumn<Row>(
    head,
    ({ window }) =>
      window === null ? quiet('not measured') : window.retriedKeys === 0 ? quiet('no retry') : text(window),
    from === undefined ? {} : { from },
  )

const COLUMNS: Column<Row>[] = [
  {
    head: 'Endpoint',
    names: true,
    cell: ({ endpoint }) => <span className="whitespace-nowrap font-mono text-s">{endpoint}</span>,
  },
  figureColumn('Duplicates avoided', ({ avoided }) => countText(avoided), { className: 'font-semibold' }),
  figureColumn('After expiry', ({ executedAgain }) => (
    <TwoLines below="executed again">{countText(executedAgain)}</TwoLines>
  )),
  retried('Retry window, P50', ({ p50Ms }) => latencyText(p50Ms), 'md'),
  retried('P99', ({ p99Ms }) => latencyText(p99Ms), 'md'),
  retried('Longest', ({ maxMs }) => latencyText(maxMs)),
  figureColumn(
    'Longest TTL',
    ({ window }) => (window?.ttlMs == null ? quiet('not reported') : durationText(window.ttlMs)),
    { from: 'md' },
  ),
]

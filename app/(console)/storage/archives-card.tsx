import { Download } from 'lucide-react'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { Badge } from '@/app/_ui/badge'
import { Button } from '@/app/_ui/button'
import { EmptyState } from '@/app/_ui/empty-state'
import { bytesText } from '@/app/_ui/format-bytes'
import { ShortId } from '@/app/_ui/short-id'
import { type Column, figureColumn, secondLineClass } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { Time } from '@/app/_ui/time'
import { countText, plural } from '@/lib/core/format-figure'
import { nameIn } from '@/lib/core/names'
import type { ArchiveView } from '@/lib/retention/archive/list'
import { restore } from './actions'
import type { StorageData } from './read-page'

/** What was written before it was collected, and the way back. */
export function ArchivesCard(storage: StorageData) {
  const { items, next } = storage.archives
  return (
    <TableCard
      id="archives"
      title="Archives"
      aside={items.length > 0 && (next === null ? `all ${items.length}` : `latest ${items.length}`)}
      columns={columnsOf(storage)}
      rows={items}
      rowId={({ id }) => id}
      empty={
        <EmptyState kind="none" title="Nothing was archived">
          A policy with an archive writes rows to files before they are collected.
        </EmptyState>
      }
    />
  )
}

const columnsOf = ({ names, byRows, forbid, place }: StorageData): Column<ArchiveView>[] => [
  {
    head: 'Archive',
    className: 'w-full max-w-0',
    cell: ({ id, source, at, collectedAt }) => (
      <>
        <span className="flex flex-wrap items-center gap-2">
          <ShortId id={id} />
          {collectedAt === null && (
            <Badge tone="warn" title="The run ended in between: its rows are still in the store">
              Not collected
            </Badge>
          )}
        </span>
        <span className={secondLineClass}>
          {nameIn(names, source)}, <Time at={at} />
        </span>
      </>
    ),
  },
  figureColumn('Rows', ({ rows }) => countText(rows)),
  figureColumn('Size', ({ bytes }) => bytesText(Number(bytes)), { from: 'md' }),
  {
    head: 'Restore',
    shown: null,
    align: 'right',
    cell: ({ id, source, rows }) =>
      byRows.has(source) ? (
        <ActionDialog
          opener="Restore"
          forbidden={forbid('source.manage')}
          title={`Restore ${plural(rows, 'row')} in ${place}`}
          lead="Checked against its checksum, then put back where it came from. Rows that are there stay as they are. A retry of a restored key gets its stored answer again."
          confirm={`Restore ${plural(rows, 'row')} in ${place}`}
          action={restore.bind(null, id)}
        />
      ) : (
        <SqlButton id={id} forbidden={forbid('source.manage')} />
      ),
  },
]

/** Partitions were dropped: whoever owns the store runs what puts their rows into a table of its own. */
function SqlButton({ id, forbidden }: { id: string; forbidden: string | null }) {
  return (
    <form method="post" action={`/storage/archives/${id}`}>
      <Button
        type="submit"
        disabled={forbidden !== null}
        title={forbidden ?? 'Run it in the store; that you took it is recorded'}
      >
        <Download size={14} aria-hidden="true" /> Restore SQL
      </Button>
    </form>
  )
}

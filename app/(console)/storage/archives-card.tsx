import { Download } from 'lucide-react'
import { ActDialog } from '@/app/_ui/act-dialog'
import { Badge } from '@/app/_ui/badge'
import { Button } from '@/app/_ui/button'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { bytesText } from '@/app/_ui/format-bytes'
import { countText, plural } from '@/app/_ui/format-figure'
import { ShortId } from '@/app/_ui/short-id'
import { cellClass, secondLineClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { ArchiveView } from '@/lib/retention/archive/list'
import { restore } from './act'

const FIGURE = 'whitespace-nowrap text-right'

type Props = {
  archives: readonly ArchiveView[]
  more: boolean
  names: ReadonlyMap<string, string>
  /** Sources whose rows the console can put back itself. */
  byRows: ReadonlySet<string>
  forbidden: string | null
  place: string
}

/** What was written before it was collected, and the way back. */
export function ArchivesCard({ archives, more, names, byRows, forbidden, place }: Props) {
  return (
    <Card
      id="archives"
      title="Archives"
      aside={
        archives.length === 0 ? undefined : more ? `latest ${archives.length}` : `all ${archives.length}`
      }
    >
      {archives.length === 0 ? (
        <EmptyState kind="none" title="Nothing was archived">
          A policy with an archive writes rows to files before they are collected.
        </EmptyState>
      ) : (
        <table className={tableClass}>
          <thead>
            <tr>
              <th scope="col" className={stillHeadClass()}>
                Archive
              </th>
              <th scope="col" className={stillHeadClass(FIGURE)}>
                Rows
              </th>
              <th scope="col" className={stillHeadClass(`${FIGURE} max-md:hidden`)}>
                Size
              </th>
              <th scope="col" className={stillHeadClass()}>
                <span className="sr-only">Restore</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {archives.map((archive) => (
              <ArchiveRow
                key={archive.id}
                archive={archive}
                name={names.get(archive.source) ?? archive.source}
                restorable={byRows.has(archive.source)}
                forbidden={forbidden}
                place={place}
              />
            ))}
          </tbody>
        </table>
      )}
    </Card>
  )
}

function ArchiveRow({
  archive,
  name,
  restorable,
  forbidden,
  place,
}: {
  archive: ArchiveView
  name: string
  /** The console can put its rows back itself. */
  restorable: boolean
  forbidden: string | null
  place: string
}) {
  return (
    <tr>
      <td className={cellClass('w-full max-w-0')}>
        <span className="flex flex-wrap items-center gap-2">
          <ShortId id={archive.id} />
          {archive.collectedAt === null && (
            <Badge tone="warn" title="The run ended in between: its rows are still in the store">
              not collected
            </Badge>
          )}
        </span>
        <span className={secondLineClass}>
          {name}, <Time at={archive.at} />
        </span>
      </td>
      <td className={cellClass(FIGURE)}>{countText(archive.rows)}</td>
      <td className={cellClass(`${FIGURE} max-md:hidden`)}>{bytesText(Number(archive.bytes))}</td>
      <td className={cellClass()}>
        <div className="flex justify-end">
          {restorable ? (
            <ActDialog
              opener="Restore"
              forbidden={forbidden}
              title={`Restore ${plural(archive.rows, 'row')} in ${place}`}
              lead="Checked against its checksum, then put back where it came from. Rows that are there stay as they are. A retry of a restored key gets its stored answer again."
              confirm={`Restore ${plural(archive.rows, 'row')} in ${place}`}
              act={restore.bind(null, archive.id)}
            />
          ) : (
            <SqlButton id={archive.id} forbidden={forbidden} />
          )}
        </div>
      </td>
    </tr>
  )
}

/** Leaves were dropped: whoever owns the store runs what puts their rows into a table of its own. */
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

import { Badge } from '@/app/_ui/badge'
import type { Column } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import type { readProcesses } from '@/lib/runs/processes'

type Processes = Awaited<ReturnType<typeof readProcesses>>

/** The console's own parts, and whether each is alive. */
export function ProcessesCard({ processes }: { processes: Processes }) {
  return (
    <TableCard
      id="processes"
      title="Processes of the console"
      aside={plural(processes.length, 'process', 'processes')}
      lines={1}
      columns={COLUMNS}
      rows={processes}
      rowId={({ id }) => id}
    />
  )
}

const COLUMNS: Column<Processes[number]>[] = [
  {
    head: 'Process',
    cell: ({ kind, pid }) => (
      <>
        {kind} <span className="text-ink-3">pid {pid}</span>
      </>
    ),
  },
  {
    head: 'Last sign of life',
    align: 'right',
    cell: ({ fresh, seenAt }) =>
      fresh ? (
        <>
          <Time at={seenAt} kind="age" /> ago
        </>
      ) : (
        <Badge tone="warn">
          silent since <Time at={seenAt} />
        </Badge>
      ),
  },
]

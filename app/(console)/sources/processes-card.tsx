import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { plural } from '@/app/_ui/format-figure'
import { cellClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { readProcesses } from '@/lib/runs/processes'

type Processes = Awaited<ReturnType<typeof readProcesses>>

/** The console's own parts, and whether each is alive. */
export function ProcessesCard({ processes }: { processes: Processes }) {
  return (
    <Card
      id="processes"
      title="Processes of the console"
      aside={plural(processes.length, 'process', 'processes')}
    >
      <table className={tableClass}>
        <thead>
          <tr>
            <th scope="col" className={stillHeadClass()}>
              Process
            </th>
            <th scope="col" className={stillHeadClass('text-right')}>
              Last sign of life
            </th>
          </tr>
        </thead>
        <tbody>
          {processes.map((process) => (
            <tr key={process.id}>
              <td className={cellClass('h-9!')}>
                {process.kind} <span className="text-ink-3">pid {process.pid}</span>
              </td>
              <td className={cellClass('h-9! text-right')}>
                {process.fresh ? (
                  <>
                    <Time at={process.seenAt} kind="age" /> ago
                  </>
                ) : (
                  <Badge tone="warn">
                    silent since <Time at={process.seenAt} />
                  </Badge>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  )
}

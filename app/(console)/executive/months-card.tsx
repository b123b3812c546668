import { type Column, figureColumn, TwoLines } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { countText, percentText } from '@/lib/core/format-figure'
import { INCIDENT_SEVERITIES } from '@/lib/core/incident-states'
import type { ExecutiveMonth } from '@/lib/insight/executive/executive'

const MONTH = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' })
const quiet = (text: string) => <span className="text-ink-3">{text}</span>

const severities = ({ bySeverity }: NonNullable<ExecutiveMonth['incidents']>): string =>
  INCIDENT_SEVERITIES.flatMap((severity) => {
    const count = bySeverity[severity] ?? 0
    return count === 0 ? [] : [`${countText(count)} ${severity.toUpperCase()}`]
  }).join(', ')

const COLUMNS: Column<ExecutiveMonth>[] = [
  {
    head: 'Month',
    names: true,
    cell: ({ month, partial }) => (
      <TwoLines below={partial ? 'so far' : 'whole'}>
        <span className="font-medium">{MONTH.format(new Date(`${month}-01T00:00:00Z`))}</span>
      </TwoLines>
    ),
  },
  figureColumn('Incidents', ({ incidents }) =>
    incidents === null ? (
      quiet('nothing watched')
    ) : (
      <TwoLines below={severities(incidents)}>{countText(incidents.count)}</TwoLines>
    ),
  ),
  figureColumn(
    'Side effects',
    ({ effects }) => (effects.rate === null ? quiet('not measured') : countText(effects.committed)),
    { from: 'md' },
  ),
  figureColumn('Happened twice', ({ effects }) =>
    effects.rate === null ? (
      quiet('not measured')
    ) : (
      <TwoLines below={`${percentText(effects.rate)} %`}>{countText(effects.duplicates)}</TwoLines>
    ),
  ),
]

/** Calendar months that the period touches, the newest first. */
export function MonthsCard({ months }: { months: readonly ExecutiveMonth[] }) {
  return (
    <TableCard
      id="months"
      title="By month"
      aside="calendar months, UTC"
      scrolls="By month, table"
      columns={COLUMNS}
      rows={months}
      rowId={({ month }) => month}
    />
  )
}

import { moneyListText } from '@/app/_ui/money-text'
import { QueryLink } from '@/app/_ui/page-link'
import { type Column, figureColumn } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { caseTitle } from '@/lib/core/case-classes'
import { countText } from '@/lib/core/format-figure'
import type { CaseCounts } from '@/lib/reconcile/cases/count-cases'
import { SeverityBadge } from '../_page/severity-badge'
import { AGE_LABEL, AGES } from './query'

type ClassCounts = CaseCounts['classes'][number]

/** The list of its open cases, of one age or of all. */
const listOf = (row: ClassCounts, age: (typeof AGES)[number] | null) => ({
  ...{ class: row.class, age },
  ...{ severity: null, show: null, cursor: null },
})

const COLUMNS: Column<ClassCounts>[] = [
  {
    head: 'Class',
    names: true,
    nowrap: true,
    cell: (row) => (
      <QueryLink
        set={listOf(row, null)}
        scroll={false}
        className="inline-flex items-center gap-2 hover:underline"
      >
        <SeverityBadge severity={row.severity} /> {caseTitle(row.class)}
      </QueryLink>
    ),
  },
  ...AGES.map(
    (age, place): Column<ClassCounts> =>
      figureColumn(AGE_LABEL[age], (row) => {
        const count = row.byAge[place] ?? 0
        return count === 0 ? (
          <span className="text-ink-3">0</span>
        ) : (
          <QueryLink set={listOf(row, age)} scroll={false} look="plain">
            {countText(count)}
          </QueryLink>
        )
      }),
  ),
  figureColumn('All', ({ open }) => countText(open), { className: 'font-semibold' }),
  {
    head: 'At risk',
    align: 'right',
    from: 'md',
    className: 'max-w-72 min-w-56 text-ink-2 text-s',
    cell: ({ atRisk }) => moneyListText(atRisk) || '–',
  },
]

/** Open cases by class and age; each figure opens its list. */
export function ClassesCard({ counts }: { counts: CaseCounts }) {
  if (counts.classes.length === 0) return null
  return (
    <TableCard
      id="classes"
      title="Open cases by class and age"
      aside={`${countText(counts.open + counts.snoozed)} open`}
      columns={COLUMNS}
      rows={counts.classes}
      rowId={(row) => row.class}
      lines={1}
      scrolls="Open cases by class and age, table"
    />
  )
}

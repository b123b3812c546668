import { type Column, figureColumn, TwoLines } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { countText, percentText } from '@/lib/core/format-figure'
import type { Budget } from '@/lib/insight/executive/executive'

const quiet = (text: string) => <span className="text-ink-3">{text}</span>

/** M5 is a number per 10,000 executions, the others are shares. */
const valueText = ({ id }: Budget, value: number): string =>
  id === 'M5'
    ? `${value.toLocaleString('en-US', { maximumSignificantDigits: 3 })} per 10,000`
    : `${percentText(value)} %`

const COLUMNS: Column<Budget>[] = [
  {
    head: 'Objective',
    names: true,
    cell: ({ id, name }) => (
      <TwoLines below={id}>
        <span className="font-medium">{name}</span>
      </TwoLines>
    ),
  },
  figureColumn('Value', (budget) =>
    budget.value === null ? quiet('not measured') : valueText(budget, budget.value),
  ),
  figureColumn(
    'Target',
    (budget) => (budget.target === null ? quiet('none') : valueText(budget, budget.target)),
    {
      from: 'md',
    },
  ),
  figureColumn('Budget left', ({ budgetLeft }) =>
    budgetLeft === null ? (
      quiet('not measured')
    ) : (
      <span className={budgetLeft < 0 ? 'font-semibold text-bad-ink' : undefined}>
        {budgetLeft < 0
          ? `overspent ${countText(Math.round(-budgetLeft * 100))} %`
          : `${Math.round(budgetLeft * 100)} %`}
      </span>
    ),
  ),
]

/** How much of what the objectives allow is left over the whole period. */
export function BudgetsCard({ budgets }: { budgets: readonly Budget[] }) {
  return (
    <TableCard
      id="budgets"
      title="Error budget"
      aside="over the period"
      scrolls="Error budget, table"
      columns={COLUMNS}
      rows={budgets}
      rowId={({ id }) => id}
    />
  )
}

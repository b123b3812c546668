import { Card } from '@/app/_ui/card'
import { moneyListText } from '@/app/_ui/money-text'
import { type Column, figureColumn, Table, TwoLines } from '@/app/_ui/table'
import { countText, plural } from '@/lib/core/format-figure'
import type { MoneyJson } from '@/lib/core/money'
import type { Affected, AffectedCallers } from '@/lib/incidents/affected'

/** Whom it hits, by what telemetry, the stores and reconciliation know of each. */
export function AffectedCard({ affected: { items, beyond, more } }: { affected: AffectedCallers }) {
  return (
    <Card
      id="affected"
      title="Affected callers"
      aside={more ? 'at least: not all was read' : undefined}
      empty={items.length === 0 && 'None has an effect twice, an orphan, a stuck key or a case in this time.'}
    >
      <Table
        columns={COLUMNS}
        rows={items}
        id={({ client, endpoint }) => `${client} ${endpoint}`}
        caption="Affected callers and endpoints"
        scrolls="Affected callers"
      />
      {beyond > 0 && (
        <p className="px-4 py-2 text-ink-2 text-s">{plural(beyond, 'more caller')} not shown.</p>
      )}
    </Card>
  )
}

const count = (value: number) => (value === 0 ? <span className="text-ink-3">0</span> : countText(value))
const money = (amounts: readonly MoneyJson[]) =>
  moneyListText(amounts) || <span className="text-ink-3">none</span>

const COLUMNS: Column<Affected>[] = [
  {
    head: 'Caller',
    names: true,
    className: 'min-w-40',
    cell: ({ client, endpoint }) => (
      <TwoLines below={endpoint}>{client === '' ? 'no name' : client}</TwoLines>
    ),
  },
  figureColumn('Effects twice', ({ twice }) => count(twice)),
  figureColumn('Orphans', ({ orphans }) => count(orphans)),
  figureColumn('Stuck keys', ({ stuck }) => count(stuck)),
  figureColumn('Cases', ({ cases }) => count(cases)),
  figureColumn('Money behind', ({ effectMoney, caseMoney }) => (
    <TwoLines below={<>cases: {money(caseMoney)}</>}>effects: {money(effectMoney)}</TwoLines>
  )),
]

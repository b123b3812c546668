import { moneyText } from '@/app/_ui/money-text'
import { type Column, figureColumn } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { plural } from '@/lib/core/format-figure'
import type { MoneyJson } from '@/lib/core/money'
import type { Executive } from '@/lib/insight/executive/executive'

type Row = { currency: string; refunded: string | null; atRisk: string | null; fees: string | null }

/** What duplicates cost, a row a currency: amounts of two are never added. */
export function CostsCard({ executive }: { executive: Executive }) {
  const { confirmed, suspected, atRisk } = executive
  const refunded = confirmed?.refunded ?? []
  const fees = confirmed?.fees ?? []
  const currencies = [...new Set([...refunded, ...atRisk, ...fees].map(({ currency }) => currency))].sort()
  const inCurrency = (amounts: readonly MoneyJson[], currency: string) => {
    const amount = amounts.find((each) => each.currency === currency)
    return amount === undefined ? null : moneyText(amount)
  }
  return (
    <TableCard
      id="costs"
      title="What duplicates cost"
      aside="by currency"
      scrolls="What duplicates cost, table"
      lines={1}
      columns={COLUMNS}
      rows={currencies.map(
        (currency): Row => ({
          currency,
          refunded: inCurrency(refunded, currency),
          atRisk: inCurrency(atRisk, currency),
          fees: inCurrency(fees, currency),
        }),
      )}
      rowId={({ currency }) => currency}
      empty={emptyText(executive)}
    >
      {currencies.length > 0 && (
        <p className="px-4 py-2 text-ink-2 text-s">
          {confirmed === null
            ? 'Nothing was compared yet: refunds and fees are not measured.'
            : `${plural(confirmed.refunds, 'refund')} in the period.${untold('fee', confirmed.feesUntold)}`}
          {untold('amount', suspected.untold)}
          {suspected.effects > 0 &&
            ` ${plural(suspected.effects, 'duplicate is', 'duplicates are')} suspected by traces alone.`}
        </p>
      )}
    </TableCard>
  )
}

const untold = (what: string, count: number): string =>
  count === 0 ? '' : ` The ${what} of ${plural(count, 'duplicate')} was not told.`

function emptyText({ confirmed, suspected, effects }: Executive): string {
  if (suspected.effects > 0)
    return `Not told: no amount is known of ${plural(suspected.effects, 'duplicate')}.`
  if (confirmed === null)
    return effects.rate === null
      ? 'Not measured: no side effect was told, and nothing was compared.'
      : 'None by traces; nothing was compared with the provider yet.'
  return 'None: no duplicate, no refund.'
}

const money = (head: string, amount: (row: Row) => string | null) =>
  figureColumn<Row>(head, (row) => amount(row) ?? <span className="text-ink-3">none</span>)

const COLUMNS: Column<Row>[] = [
  { head: 'Currency', names: true, cell: ({ currency }) => <span className="font-medium">{currency}</span> },
  money('Refunded', ({ refunded }) => refunded),
  money('At risk', ({ atRisk }) => atRisk),
  money('Provider’s fees', ({ fees }) => fees),
]

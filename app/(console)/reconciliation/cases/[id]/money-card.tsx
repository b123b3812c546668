import { Card } from '@/app/_ui/card'
import { classNames } from '@/app/_ui/class-names'
import { ScrollBox } from '@/app/_ui/scroll-box'
import { ShortId } from '@/app/_ui/short-id'
import type { MoneyRow } from './money-rows'

/** All money of a charge, and what explains each part of it: what an approval of a refund rests on. */
export function MoneyCard({ charge, rows }: { charge: string; rows: readonly MoneyRow[] }) {
  return (
    <Card id={`money-${charge}`} title="Money of the charge" aside={<ShortId id={charge} />}>
      <ScrollBox label={`Money of the charge ${charge}, table`}>
        <table className="w-full">
          <thead>
            <tr className="text-ink-2">
              <th scope="col" className="px-4 py-2 text-left font-normal">
                What
              </th>
              <th scope="col" className="px-2 py-2 text-right font-normal">
                Amount
              </th>
              <th scope="col" className="px-4 py-2 text-left font-normal">
                Why
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ what, id, amount, explanation, attention }) => (
              <tr
                key={`${what} ${id}`}
                className={classNames('border-line border-t', attention && 'bg-warn-soft')}
              >
                <th scope="row" className="px-4 py-1.5 text-left font-normal">
                  {what} {id !== null && <ShortId id={id} />}
                </th>
                <td className="whitespace-nowrap px-2 py-1.5 text-right">{amount}</td>
                <td
                  className={classNames(
                    'break-words px-4 py-1.5',
                    attention ? 'text-warn-ink' : 'text-ink-2',
                  )}
                >
                  {explanation}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </Card>
  )
}

import { moneyListText, moneyText } from '@/app/_ui/money-text'
import { plural } from '@/lib/core/format-figure'
import type { MoneyJson } from '@/lib/core/money'

type Preview = {
  looked: number
  more: boolean
  excused: number
  money: readonly MoneyJson[]
  samples: readonly {
    id: string
    title: string
    subject: { reference: string | null }
    amount: MoneyJson | null
  }[]
}

/** How many open cases it would excuse, how much money is in them, and some of them by name. */
export function PreviewText({ preview }: { preview: Preview }) {
  const { looked, more, excused, money, samples } = preview
  const of = `${more ? 'the newest ' : ''}${plural(looked, 'open case')}`
  if (excused === 0) return <>None of {of} would be excused.</>
  return (
    <>
      <span className="font-medium text-warn-ink">
        {excused} of {of} would close at the next run
        {money.length > 0 && `, with ${moneyListText(money)} in them`}.
      </span>
      <ul className="mt-1 text-s">
        {samples.map(({ id, title, subject, amount }) => (
          <li key={id} className="truncate">
            {title}, {subject.reference ?? id}
            {amount !== null && `, ${moneyText(amount)}`}
          </li>
        ))}
        {excused > samples.length && <li>and {excused - samples.length} more</li>}
      </ul>
    </>
  )
}

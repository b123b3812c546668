import { Badge } from '@/app/_ui/badge'
import { moneyText } from '@/app/_ui/money-text'
import { type Column, figureColumn, RowLink, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { countText } from '@/lib/core/format-figure'
import type { Cause } from '@/lib/effects/causes'

export const causeColumns = (open: Cause | null): Column<Cause>[] => [
  {
    head: 'Cause',
    className: 'w-[44%] max-w-0',
    cell: (cause) => (
      <TwoLines below={`${cause.build ?? 'no span, found by reconciliation'} · ${cause.clients.join(', ')}`}>
        <RowLink
          to={{ cause: cause.id }}
          open={cause === open}
          className="truncate font-medium max-md:whitespace-normal"
        >
          {cause.operation} · {cause.effect}
        </RowLink>
      </TwoLines>
    ),
  },
  figureColumn('Effects', ({ effects }) => countText(effects.length), { className: 'font-semibold' }),
  figureColumn('Keys', ({ keys }) => countText(keys), { from: 'md' }),
  figureColumn('At risk', ({ amounts }) =>
    amounts.length === 0 ? (
      <span className="text-ink-3">not told</span>
    ) : (
      amounts.map((amount) => (
        <span key={amount.currency} className="block">
          {moneyText(amount)}
        </span>
      ))
    ),
  ),
  {
    head: 'Confirmed',
    from: 'lg',
    cell: ({ confirmed, effects }) => <Confirmed confirmed={confirmed} all={effects.length} />,
  },
  figureColumn('Last', ({ lastAt }) => <Time at={lastAt} kind="ago" />, { from: 'md' }),
]

const SHARE_HEIGHT = 3

function Confirmed({ confirmed, all }: { confirmed: number; all: number }) {
  return (
    <>
      <Badge tone={confirmed > 0 ? 'bad' : 'warn'}>
        {confirmed === 0 ? 'suspected' : `${countText(confirmed)} of ${countText(all)}`}
      </Badge>
      <svg
        aria-hidden="true"
        viewBox={`0 0 100 ${SHARE_HEIGHT}`}
        preserveAspectRatio="none"
        className="mt-1 block h-[3px] w-24"
      >
        <rect width={100} height={SHARE_HEIGHT} fill="var(--line)" />
        <rect width={(confirmed / all) * 100} height={SHARE_HEIGHT} fill="var(--bad)" />
      </svg>
    </>
  )
}

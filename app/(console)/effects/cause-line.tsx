import { Badge } from '@/app/_ui/badge'
import { classNames } from '@/app/_ui/class-names'
import { countText } from '@/app/_ui/format-figure'
import { moneyText } from '@/app/_ui/money-text'
import { QueryLink } from '@/app/_ui/page-link'
import { cellClass, secondLineClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { Cause } from './causes'

const SHARE_HEIGHT = 3

export function CauseLine({ cause, open }: { cause: Cause; open: boolean }) {
  const all = cause.effects.length
  return (
    <tr data-row={cause.id} className={classNames('relative', open ? 'bg-accent-soft' : 'hover:bg-sunken')}>
      <td className={cellClass('w-[44%] max-w-0')}>
        <QueryLink
          set={{ cause: cause.id }}
          scroll={false}
          data-row-link
          aria-current={open ? 'true' : undefined}
          className="block truncate font-medium max-md:whitespace-normal after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-accent focus-visible:after:-outline-offset-2"
        >
          {cause.operation} · {cause.effect}
        </QueryLink>
        <span className={secondLineClass}>
          {cause.build ?? 'no span, found by reconciliation'} · {cause.clients.join(', ')}
        </span>
      </td>
      <td className={cellClass('text-right font-semibold')}>{countText(all)}</td>
      <td className={cellClass('text-right max-md:hidden')}>{countText(cause.keys)}</td>
      <td className={cellClass('whitespace-nowrap text-right')}>
        {cause.amounts.length === 0 ? (
          <span className="text-ink-3">not told</span>
        ) : (
          cause.amounts.map((amount) => (
            <span key={amount.currency} className="block">
              {moneyText(amount)}
            </span>
          ))
        )}
      </td>
      <td className={cellClass('max-lg:hidden')}>
        <Badge tone={cause.confirmed > 0 ? 'bad' : 'warn'}>
          {cause.confirmed === 0 ? 'suspected' : `${countText(cause.confirmed)} of ${countText(all)}`}
        </Badge>
        <svg
          aria-hidden="true"
          viewBox={`0 0 100 ${SHARE_HEIGHT}`}
          preserveAspectRatio="none"
          className="mt-1 block h-[3px] w-24"
        >
          <rect width={100} height={SHARE_HEIGHT} fill="var(--line)" />
          <rect width={(cause.confirmed / all) * 100} height={SHARE_HEIGHT} fill="var(--bad)" />
        </svg>
      </td>
      <td className={cellClass('whitespace-nowrap text-right max-md:hidden')}>
        <Time at={cause.lastAt} kind="age" /> ago
      </td>
    </tr>
  )
}

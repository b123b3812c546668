import { classNames } from '@/app/_ui/class-names'
import { navCounts } from './nav-counts'

const SHOWN_MAX = 999

/** How much waits on a page; nothing while nothing does. */
export async function NavBadge({ href }: { href: string }) {
  const waiting = (await navCounts())[href]
  if (waiting === undefined || waiting.count === 0) return null
  const { count, urgent, says } = waiting
  return (
    <span
      title={`${count.toLocaleString('en-US')} ${says}`}
      className={classNames(
        'ml-auto min-w-5 rounded-full px-1.5 text-center text-xs leading-5',
        urgent ? 'bg-bad-soft font-semibold text-bad-ink' : 'text-ink-2',
      )}
    >
      {count > SHOWN_MAX ? `${SHOWN_MAX}+` : count}
      <span className="sr-only"> {says}</span>
    </span>
  )
}

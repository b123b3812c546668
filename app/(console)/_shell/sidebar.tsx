import { Braces } from 'lucide-react'
import { Suspense } from 'react'
import { classNames } from '@/app/_ui/class-names'
import { Logo } from '@/app/_ui/logo'
import { API_DOCUMENT, NAV, PHONE_NAV } from './nav'
import { NavLink } from './nav-link'
import { PhoneMore, type PhoneMoreProps } from './phone-more'
import { waitingNow } from './reads'

/** The pages, in the order in which one works: observe, act, govern. */
export function Sidebar() {
  return (
    <aside className="sticky top-0 flex h-dvh w-50 shrink-0 flex-col border-line border-r bg-surface max-md:hidden print:hidden">
      <div className="flex h-12 shrink-0 items-center gap-2.5 border-line border-b px-4 font-semibold text-l">
        <Logo /> Idemscope
      </div>
      <nav aria-label="Pages" className="flex-1 overflow-y-auto px-2 py-4">
        <NavGroups />
      </nav>
    </aside>
  )
}

export function NavGroups() {
  return (
    <>
      {NAV.map((group) => (
        <div key={group.title} className="mb-3">
          <h2 className="px-2.5 py-1 text-s text-ink-3">{group.title}</h2>
          <ul className="grid gap-px">
            {group.items.map(({ href, label, icon: Icon }) => (
              <li key={href}>
                <NavLink href={href} look="side">
                  <Icon size={16} aria-hidden="true" /> {label}
                  <Suspense>
                    <NavBadge href={href} />
                  </Suspense>
                </NavLink>
              </li>
            ))}
          </ul>
        </div>
      ))}
      <div className="mb-3">
        <h2 className="px-2.5 py-1 text-s text-ink-3">Reference</h2>
        <a
          href={API_DOCUMENT}
          className="flex h-[30px] items-center gap-2.5 rounded-m px-2.5 font-medium text-ink-2 hover:bg-sunken hover:text-ink max-md:h-11"
        >
          <Braces size={16} aria-hidden="true" /> API
        </a>
      </div>
    </>
  )
}

const SHOWN_MAX = 999

/** How much waits on a page; nothing while nothing does. */
async function NavBadge({ href }: { href: string }) {
  const waiting = (await waitingNow())[href]
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

/** On a phone the pages are at the thumb. */
export function BottomBar(more: Omit<PhoneMoreProps, 'children'>) {
  return (
    <nav
      aria-label="Pages"
      className="fixed inset-x-0 bottom-0 z-20 flex h-14 border-line border-t bg-surface pb-[env(safe-area-inset-bottom)] md:hidden print:hidden"
    >
      {PHONE_NAV.map(({ href, label, icon: Icon }) => (
        <NavLink key={href} href={href} look="phone">
          <Icon size={20} aria-hidden="true" /> {label}
        </NavLink>
      ))}
      <PhoneMore {...more}>
        <NavGroups />
      </PhoneMore>
    </nav>
  )
}

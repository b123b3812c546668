import { PHONE_NAV } from './nav'
import { NavLink } from './nav-link'
import { PhoneMore, type PhoneMoreProps } from './phone-more'
import { NavGroups } from './sidebar'

/** On a phone the pages are at the thumb. */
export function BottomBar(more: Omit<PhoneMoreProps, 'children'>) {
  return (
    <nav
      aria-label="Pages"
      className="fixed inset-x-0 bottom-0 z-20 flex h-14 border-line border-t bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
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

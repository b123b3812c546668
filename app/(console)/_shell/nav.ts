import {
  Activity,
  Bell,
  Copy,
  Database,
  GanttChart,
  KeyRound,
  Lock,
  type LucideIcon,
  Plug,
  Scale,
  ScrollText,
  Settings2,
} from 'lucide-react'

export type NavItem = {
  label: string
  href: string
  icon: LucideIcon
  /** A page is linked once it is real. */
  exists: boolean
  /** Has a place of its own in the phone's bar. */
  phone?: boolean
}
type NavGroup = { title: string; items: readonly NavItem[] }

const GROUPS: readonly NavGroup[] = [
  {
    title: 'Observe',
    items: [
      { label: 'Now', href: '/now', icon: Activity, exists: true, phone: true },
      { label: 'Keys', href: '/keys', icon: KeyRound, exists: true },
      { label: 'Locks', href: '/locks', icon: Lock, exists: true, phone: true },
      { label: 'Effects', href: '/effects', icon: Copy, exists: true, phone: true },
      { label: 'Traces', href: '/traces', icon: GanttChart, exists: true },
    ],
  },
  {
    title: 'Act',
    items: [
      { label: 'Reconciliation', href: '/reconciliation', icon: Scale, exists: true, phone: true },
      { label: 'Storage & GC', href: '/storage', icon: Database, exists: true },
    ],
  },
  {
    title: 'Govern',
    items: [
      { label: 'Alerts & SLOs', href: '/alerts', icon: Bell, exists: true },
      { label: 'Audit', href: '/audit', icon: ScrollText, exists: true },
      { label: 'Sources', href: '/sources', icon: Plug, exists: true },
      { label: 'Settings', href: '/settings', icon: Settings2, exists: true },
    ],
  },
]

export const NAV: readonly NavGroup[] = GROUPS.map((group) => ({
  ...group,
  items: group.items.filter((item) => item.exists),
})).filter((group) => group.items.length > 0)

export const PHONE_NAV: readonly NavItem[] = NAV.flatMap((group) => group.items).filter((item) => item.phone)

/** Whether a page is real: nothing links to one that is not. */
export const pageExists = (href: string): boolean =>
  GROUPS.some(({ items }) => items.some((item) => item.exists && item.href === href))

export const API_DOCUMENT = '/api/v1/openapi.json'

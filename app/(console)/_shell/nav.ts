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
  /** Has a place of its own in the phone's bar. */
  phone?: boolean
}
type NavGroup = { title: string; items: readonly NavItem[] }

export const NAV: readonly NavGroup[] = [
  {
    title: 'Observe',
    items: [
      { label: 'Now', href: '/now', icon: Activity, phone: true },
      { label: 'Keys', href: '/keys', icon: KeyRound },
      { label: 'Locks', href: '/locks', icon: Lock, phone: true },
      { label: 'Effects', href: '/effects', icon: Copy, phone: true },
      { label: 'Traces', href: '/traces', icon: GanttChart },
    ],
  },
  {
    title: 'Act',
    items: [
      { label: 'Reconciliation', href: '/reconciliation', icon: Scale, phone: true },
      { label: 'Storage & GC', href: '/storage', icon: Database },
    ],
  },
  {
    title: 'Govern',
    items: [
      { label: 'Alerts & SLOs', href: '/alerts', icon: Bell },
      { label: 'Audit', href: '/audit', icon: ScrollText },
      { label: 'Sources', href: '/sources', icon: Plug },
      { label: 'Settings', href: '/settings', icon: Settings2 },
    ],
  },
]

export const PHONE_NAV: readonly NavItem[] = NAV.flatMap((group) => group.items).filter((item) => item.phone)

export const API_DOCUMENT = '/api/v1/openapi.json'

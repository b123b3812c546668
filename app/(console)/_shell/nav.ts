import {
  Activity,
  Bell,
  ChartLine,
  Contact,
  Copy,
  Database,
  GanttChart,
  KeyRound,
  Lock,
  type LucideIcon,
  MessagesSquare,
  OctagonPause,
  Plug,
  Scale,
  ScrollText,
  Settings2,
  Siren,
} from 'lucide-react'

export type NavItem = {
  label: string
  href: string
  icon: LucideIcon
  /** `g` and then this goes there. */
  letter: string
  /** Has a place of its own in the phone's bar. */
  phone?: boolean
}
type NavGroup = { title: string; items: readonly NavItem[] }

export const NAV: readonly NavGroup[] = [
  {
    title: 'Observe',
    items: [
      { label: 'Now', href: '/now', icon: Activity, letter: 'n', phone: true },
      { label: 'Incidents', href: '/incidents', icon: Siren, letter: 'i' },
      { label: 'Keys', href: '/keys', icon: KeyRound, letter: 'k' },
      { label: 'Locks', href: '/locks', icon: Lock, letter: 'l', phone: true },
      { label: 'Effects', href: '/effects', icon: Copy, letter: 'e', phone: true },
      { label: 'Traces', href: '/traces', icon: GanttChart, letter: 't' },
      { label: 'Messages', href: '/messages', icon: MessagesSquare, letter: 'm' },
    ],
  },
  {
    title: 'Act',
    items: [
      { label: 'Reconciliation', href: '/reconciliation', icon: Scale, letter: 'r', phone: true },
      { label: 'Holds', href: '/holds', icon: OctagonPause, letter: 'h' },
      { label: 'Storage & GC', href: '/storage', icon: Database, letter: 's' },
    ],
  },
  {
    title: 'Learn',
    items: [
      { label: 'Executive', href: '/executive', icon: ChartLine, letter: 'x' },
      { label: 'Clients', href: '/clients', icon: Contact, letter: 'c' },
    ],
  },
  {
    title: 'Govern',
    items: [
      { label: 'Alerts & SLOs', href: '/alerts', icon: Bell, letter: 'a' },
      { label: 'Audit', href: '/audit', icon: ScrollText, letter: 'u' },
      { label: 'Sources', href: '/sources', icon: Plug, letter: 'o' },
      { label: 'Settings', href: '/settings', icon: Settings2, letter: ',' },
    ],
  },
]

export const PAGES: readonly NavItem[] = NAV.flatMap(({ items }) => items)

export const PHONE_NAV: readonly NavItem[] = PAGES.filter(({ phone }) => phone)

export const API_DOCUMENT = '/api/v1/openapi.json'

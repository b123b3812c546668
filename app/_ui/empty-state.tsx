import { CircleDashed, CircleSlash2, Filter, type LucideIcon, TimerOff } from 'lucide-react'
import type { ReactNode } from 'react'
import { QueryLink } from './page-link'

/** Why a list shows nothing. Each reads and looks different: none, none that match, not yet, not allowed, too slow. */
export type Emptiness = 'none' | 'filtered' | 'waiting' | 'forbidden' | 'timeout'

const ICON: Record<Emptiness, LucideIcon> = {
  none: CircleSlash2,
  filtered: Filter,
  waiting: CircleDashed,
  forbidden: CircleSlash2,
  timeout: TimerOff,
}

type Props = {
  kind: Emptiness
  title: string
  /** What takes the filters away. */
  clear?: Record<string, null>
  children?: ReactNode
}

export function EmptyState({ kind, title, clear, children }: Props) {
  const Icon = ICON[kind]
  return (
    <div data-empty={kind} className="grid min-h-40 place-items-center px-6 py-8 text-center">
      <div className="max-w-[52ch]">
        <Icon size={20} aria-hidden="true" className="mx-auto mb-2 text-ink-3" />
        <p className="font-medium">{title}</p>
        {children !== undefined && <div className="mt-1 text-ink-2">{children}</div>}
        {clear !== undefined && (
          <QueryLink set={clear} look="inline">
            Clear the filters
          </QueryLink>
        )}
      </div>
    </div>
  )
}

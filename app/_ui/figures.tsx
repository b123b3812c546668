import type { ReactNode } from 'react'
import { classNames } from './class-names'

export type Figure = {
  name: string
  /** Null = not measured, which is another thing than 0. */
  value: ReactNode
  /** Why there is no value, where it is not that nothing measured it. */
  empty?: string
  note: ReactNode
  tone?: 'bad' | 'warn' | undefined
}

const INK = { bad: 'text-bad-ink', warn: 'text-warn-ink' } as const

/** A few figures side by side, each with what it is measured against. */
export function Figures({ figures }: { figures: readonly Figure[] }) {
  return (
    <dl className="grid grid-cols-6 gap-px overflow-hidden max-lg:grid-cols-3 max-sm:grid-cols-2">
      {figures.map(({ name, value, empty = 'Not measured', note, tone }) => (
        <div key={name} data-figure={name} className="px-4 py-2 shadow-[0_0_0_1px_var(--line)]">
          <dt className="text-ink-2 text-s">{name}</dt>
          <dd>
            {value === null ? (
              <span className="flex h-8 items-center font-medium text-ink-2 text-l">{empty}</span>
            ) : (
              <span
                className={classNames(
                  'block truncate font-semibold text-kpi tracking-tight',
                  tone !== undefined && INK[tone],
                )}
              >
                {value}
              </span>
            )}
            <div className="text-ink-3 text-s">{note}</div>
          </dd>
        </div>
      ))}
    </dl>
  )
}

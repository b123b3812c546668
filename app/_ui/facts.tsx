import type { ReactNode } from 'react'

/** A fact whose value is null or false is none, and is left out. */
export type Fact = { label: string; value: ReactNode }

/** Names and values, a line each, as an inspector shows them. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className="divide-y divide-line">
      {facts
        .filter(({ value }) => value !== null && value !== false)
        .map(({ label, value }) => (
          <div key={label} className="flex min-h-9 items-center justify-between gap-4 py-1">
            <dt className="shrink-0 text-ink-2">{label}</dt>
            <dd className="min-w-0 break-words text-right">{value}</dd>
          </div>
        ))}
    </dl>
  )
}

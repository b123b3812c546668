import type { ReactNode } from 'react'

/** A page's name, what it says in one line, and what can be done here. */
export function PageHeader({
  title,
  above,
  beside,
  summary,
  actions,
}: {
  title: ReactNode
  /** Where it is: a path of links. */
  above?: ReactNode
  beside?: ReactNode
  summary?: ReactNode
  actions?: ReactNode
}) {
  return (
    <header className="flex flex-wrap items-end justify-between gap-x-6 gap-y-2">
      <div className="min-w-0 flex-1 basis-80">
        {above !== undefined && <div className="mb-1 text-ink-2 text-s">{above}</div>}
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h1 className="font-semibold text-xl">{title}</h1>
          {beside}
        </div>
        {summary !== undefined && (
          <div className="mt-0.5 max-w-[112ch] text-pretty text-ink-2">{summary}</div>
        )}
      </div>
      {actions !== undefined && (
        <div className="flex flex-wrap items-start gap-2 print:hidden">{actions}</div>
      )}
    </header>
  )
}

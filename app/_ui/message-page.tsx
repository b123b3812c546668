import type { ReactNode } from 'react'
import { Logo } from './logo'

/** A page that says one thing: not found, broken. */
export function MessagePage({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="grid min-h-dvh place-items-center px-4">
      <div className="w-full max-w-md rounded-m border border-line bg-surface p-6 shadow-card">
        <div className="mb-4 flex items-center gap-2 text-l font-semibold">
          <Logo /> Idemscope
        </div>
        <h1 className="text-xl font-semibold">{title}</h1>
        <div className="mt-2 text-ink-2">{children}</div>
      </div>
    </main>
  )
}

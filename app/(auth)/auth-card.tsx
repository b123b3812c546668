import type { ReactNode } from 'react'
import { Logo } from '@/app/_ui/logo'

/** The frame of a page before sign-in. */
export function AuthCard(props: {
  title: string
  environment: string
  below?: ReactNode
  children: ReactNode
}) {
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <div className="w-full max-w-[22.5rem]">
        <div className="mb-6 flex items-center justify-center gap-2.5 font-semibold text-xl">
          <Logo size={26} /> Idemscope
        </div>
        <section className="rounded-m border border-line bg-surface p-6 shadow-card">
          <h1 className="font-semibold text-xl">{props.title}</h1>
          <p className="mt-1 mb-5 text-ink-2">
            to <span className="font-medium text-ink uppercase tracking-wide">{props.environment}</span>
          </p>
          {props.children}
        </section>
        {props.below}
      </div>
    </main>
  )
}

'use client'

import { usePathname } from 'next/navigation'
import type { ReactNode } from 'react'
import { classNames } from '@/app/_ui/class-names'
import { PageLink } from '@/app/_ui/page-link'

/** A link to another page of the console: range and zone go along. */
export function NavLink(props: { href: string; look: 'side' | 'phone'; children: ReactNode }) {
  const { href, look, children } = props
  const current = usePathname().startsWith(href)
  return (
    <PageLink
      href={href}
      aria-current={current ? 'page' : undefined}
      className={classNames(
        'font-medium',
        look === 'side'
          ? 'flex h-[30px] items-center gap-2.5 rounded-m px-2.5 max-md:h-11'
          : 'flex min-w-16 flex-1 flex-col items-center justify-center gap-0.5 text-xs',
        current
          ? classNames('text-accent-ink', look === 'side' && 'bg-accent-soft')
          : classNames('text-ink-2 hover:text-ink', look === 'side' && 'hover:bg-sunken'),
      )}
    >
      {children}
    </PageLink>
  )
}

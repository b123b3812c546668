'use client'

import Link from 'next/link'
import { usePathname, useSearchParams } from 'next/navigation'
import type { ComponentProps } from 'react'
import { classNames } from './class-names'
import { safeProps } from './jsx/safe-props'
import { withKept, withQuery } from './time-range'

type LinkProps = Omit<ComponentProps<typeof Link>, 'href'> & { look?: keyof typeof LOOK | undefined }

const LOOK = {
  /** Stands by itself. */
  link: 'font-medium text-accent-ink hover:underline',
  /** Within a sentence, where colour alone does not tell it. */
  inline: 'text-accent-ink underline underline-offset-2',
  /** In a path, or where all of a row is a link. */
  plain: 'hover:underline',
} as const

/** To another page of the console: range and zone go along. */
export function PageLink({ href, look, className, ...rest }: LinkProps & { href: string }) {
  const kept = withKept(href, new URLSearchParams(useSearchParams()))
  return <SafeLink href={kept} className={lookOf(look, className)} {...rest} />
}

/** To this page with some of its parameters changed; null takes one away. */
export function QueryLink({
  set,
  look,
  className,
  ...rest
}: LinkProps & { set: Record<string, string | null> }) {
  return <SafeLink href={useQueryHref(set)} className={lookOf(look, className)} {...rest} />
}

/**
 * Nothing is fetched ahead: a live page is drawn anew every few seconds, and would ask for all its links each time.
 */
const SafeLink = (props: ComponentProps<typeof Link>) => <Link prefetch={false} {...safeProps('a', props)} />

const lookOf = (look: LinkProps['look'], className: string | undefined): string =>
  classNames(look !== undefined && LOOK[look], className)

export function useQueryHref(set: Record<string, string | null>): string {
  const path = usePathname()
  const query = new URLSearchParams(useSearchParams())
  for (const [name, value] of Object.entries(set)) {
    if (value === null) query.delete(name)
    else query.set(name, value)
  }
  return withQuery(path, query)
}

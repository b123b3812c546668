'use client'

import Link from 'next/link'
import { usePathname, useSearchParams } from 'next/navigation'
import type { ComponentProps } from 'react'
import { KEPT_PARAMETERS } from './time-range'

type LinkProps = Omit<ComponentProps<typeof Link>, 'href'>

/** To another page of the console: range and zone go along. */
export function PageLink({ href, ...rest }: LinkProps & { href: string }) {
  const parameters = useSearchParams()
  const [path = '', own = ''] = href.split('?')
  const query = new URLSearchParams(own)
  for (const name of KEPT_PARAMETERS) {
    const value = parameters.get(name)
    if (value !== null && !query.has(name)) query.set(name, value)
  }
  return <Link href={withQuery(path, query)} {...rest} />
}

/** To this page with some of its parameters changed; null takes one away. */
export function QueryLink({ set, ...rest }: LinkProps & { set: Record<string, string | null> }) {
  return <Link href={useQueryHref(set)} {...rest} />
}

export function useQueryHref(set: Record<string, string | null>): string {
  const path = usePathname()
  const query = new URLSearchParams(useSearchParams())
  for (const [name, value] of Object.entries(set)) {
    if (value === null) query.delete(name)
    else query.set(name, value)
  }
  return withQuery(path, query)
}

const withQuery = (path: string, query: URLSearchParams): string =>
  query.size === 0 ? path : `${path}?${query}`

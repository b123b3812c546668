import { redirect } from 'next/navigation'
import type { SearchParams } from 'nuqs/server'
import { pageContext, signedIn, type UserContext } from './context'

/** The signed-in person's context for a page; nobody is sent to sign in, and comes back to what was asked for. */
export async function guardPage(path: string, asked: SearchParams = {}): Promise<UserContext> {
  if ((await signedIn()) === null) redirect(`/sign-in?next=${encodeURIComponent(pathOf(path, asked))}`)
  return pageContext()
}

function pathOf(path: string, asked: SearchParams): string {
  const query = new URLSearchParams(
    Object.entries(asked).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
  return query.size === 0 ? path : `${path}?${query}`
}

import { notFound } from 'next/navigation'
import type { SearchParams } from 'nuqs/server'
import { guardPage } from '@/app/_server/page-guard'
import { loadRange, resolveRange } from '@/app/_ui/time-range'
import { AppError, type ErrorCode } from '@/lib/core/errors'
import { leastRoleFor, roleAllows, type Verb } from '@/lib/core/permissions'
import { env } from '@/lib/env'
import { requestNow } from '../_shell/reads'

export type PageProps<Params = unknown> = { params: Promise<Params>; searchParams: Promise<SearchParams> }

/**
 * What every page begins with: who asks, what for, when, over which range, and what they may not do. Nobody is sent to
 * sign in, and comes back to what was asked for.
 */
export async function openPage(path: string, { searchParams }: Pick<PageProps, 'searchParams'>) {
  const asked = await searchParams
  const ctx = await guardPage(path, asked)
  const now = await requestNow()
  return {
    ctx,
    me: ctx.actor.userId,
    asked,
    now,
    range: resolveRange(await loadRange(asked), now),
    /** The environment, as titles of dialogs name it. */
    place: env().IDEMSCOPE_ENVIRONMENT.toUpperCase(),
    /** Why this person may not; null = they may. */
    forbid: (verb: Verb): string | null =>
      roleAllows(ctx.actor.role, verb) ? null : `Needs the ${leastRoleFor(verb)} role`,
  }
}

/** What a page's reading begins with, and its parts may ask. */
export type OpenedPage = Awaited<ReturnType<typeof openPage>>

const hasCode = (error: unknown, codes: readonly ErrorCode[]): boolean =>
  error instanceof AppError && codes.includes(error.code)

/** For what may be missing or late: null then; any other error goes on. */
export const nullOn =
  (...codes: ErrorCode[]) =>
  (error: unknown): null => {
    if (hasCode(error, codes)) return null
    throw error
  }

/** Of a page about one thing: there is no such page when there is no such thing. */
export function missing(error: unknown): never {
  if (hasCode(error, ['not_found'])) notFound()
  throw error
}

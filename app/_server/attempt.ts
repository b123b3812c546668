import { unstable_rethrow } from 'next/navigation'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { AppError, type ErrorCode } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import type { Log } from '@/lib/log'
import { pageContext, type UserContext } from './context'
import { asKnownError } from './respond'
import { type Services, services } from './services'

/** It was not done, and nothing was changed. `reference` is under what the server logged it. */
export type NotDone = { kind: 'not_done'; code: ErrorCode; why: string; reference: string }
export type Attempted<T> = { kind: 'done'; value: T } | NotDone

/** Runs a verb for the signed-in person. What it refuses is an answer; only redirects are thrown. */
export async function attempt<T>(work: (ctx: UserContext) => Promise<T>): Promise<Attempted<T>> {
  const ctx = await pageContext()
  return settle(ctx, () => work(ctx))
}

/** The same for a verb that does more than contain: refused while writes are switched off. */
export const attemptChange = <T>(work: (ctx: UserContext) => Promise<T>): Promise<Attempted<T>> =>
  attempt(async (ctx) => {
    await assertWritesEnabled(ctx.db)
    return work(ctx)
  })

/** The same for a person who is not signed in yet. */
export const attemptAsNobody = <T>(work: (app: Services) => Promise<T>): Promise<Attempted<T>> =>
  settle({ log: services().log, requestId: newId('req') }, () => work(services()))

async function settle<T>(
  { log, requestId }: { log: Log; requestId: string },
  work: () => Promise<T>,
): Promise<Attempted<T>> {
  try {
    return { kind: 'done', value: await work() }
  } catch (error) {
    unstable_rethrow(error)
    const known = asKnownError(error)
    if (!(known instanceof AppError) || known.status >= 500)
      log.error({ err: error, requestId }, 'a verb of a page failed')
    if (known instanceof AppError)
      return { kind: 'not_done', code: known.code, why: known.message, reference: requestId }
    const why = 'Something broke on our side. Look at the fresh state before you try again.'
    return { kind: 'not_done', code: 'internal', why, reference: requestId }
  }
}

import { unstable_rethrow } from 'next/navigation'
import { AppError, type ErrorCode } from '@/lib/core/errors'
import { pageContext, type UserContext } from './context'
import { asKnownError } from './respond'

/** It was not done, and nothing was changed. `reference` is under what the server logged it. */
export type NotDone = { kind: 'not_done'; code: ErrorCode; why: string; reference: string }
export type Attempted<T> = { kind: 'done'; value: T } | NotDone

/** Runs a verb for the signed-in person. What it refuses is an answer; only redirects are thrown. */
export async function attempt<T>(work: (ctx: UserContext) => Promise<T>): Promise<Attempted<T>> {
  const ctx = await pageContext()
  try {
    return { kind: 'done', value: await work(ctx) }
  } catch (error) {
    unstable_rethrow(error)
    const known = asKnownError(error)
    if (!(known instanceof AppError) || known.status >= 500)
      ctx.log.error({ err: error }, 'a verb of a page failed')
    if (known instanceof AppError)
      return { kind: 'not_done', code: known.code, why: known.message, reference: ctx.requestId }
    const why = 'Something broke on our side. Look at the fresh state before you try again.'
    return { kind: 'not_done', code: 'internal', why, reference: ctx.requestId }
  }
}

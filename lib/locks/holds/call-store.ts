import type { ActionResult } from '@/lib/actions/execute'
import type { ActionView } from '@/lib/actions/view'
import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { type HoldRefusal, SourceUnavailableError } from '@/lib/sources/contracts'

const REFUSED: Record<HoldRefusal, string> = {
  past: 'Its end has passed on the clock of the store.',
  too_long: 'A hold lasts 24 hours at most.',
  unknown_route:
    'This store has never seen that route. Write it as the service names it, like POST /v1/payments/{id}.',
  unknown_caller: 'This store has never seen that caller.',
  unknown_scope: 'This store has never seen that scope.',
  too_many: 'This store has 500 holds in force: lift some, or hold a route or a caller instead.',
  id_used: 'Another hold has this id.',
}

export const refusedBy = (reason: HoldRefusal): ActionResult => ({
  state: 'refused',
  result: { reason, text: REFUSED[reason] },
})

/** Makes the one call. A store that said no has changed nothing; an answer that was lost is settled by reading. */
export async function callStore(
  { log }: SystemContext,
  actionId: string,
  call: () => Promise<ActionResult>,
): Promise<ActionResult> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof AppError)
      return { state: 'refused', result: { reason: error.meta.reason ?? error.code, text: error.message } }
    const text = error instanceof Error ? error.message : String(error)
    if (error instanceof SourceUnavailableError && error.refused)
      return { state: 'refused', result: { reason: 'store_unreachable', text } }
    log.error({ err: error, actionId }, 'it is not known whether a hold was changed')
    return { state: 'unknown', result: { error: text } }
  }
}

/** Throws what a person has to know when it was not done. */
export function assertDone({ id, state, result }: ActionView, what: string): void {
  if (state === 'done') return
  const { text, reason, error } = result as { text?: string; reason?: string; error?: string }
  if (state === 'refused' || state === 'failed') {
    throw new AppError('unprocessable', `${text ?? error ?? 'The store refused it.'} Nothing was changed.`, {
      meta: { actionId: id, ...(reason === undefined ? {} : { reason }) },
    })
  }
  throw new AppError(
    'unavailable',
    `The answer of the store was lost: it is not known yet whether ${what}. It is settled by reading; look at Holds, or do it once more.`,
    { meta: { actionId: id } },
  )
}

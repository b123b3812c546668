import { z } from 'zod'
import { idempotent } from '@/sdk/idempotent'
import { type Attempted, attempt, attemptChange } from './attempt'
import { pageContext, type UserContext } from './context'
import { onceOptions } from './once-options'
import { jsonResponse } from './respond'
import { services } from './services'

/** What only contains (reject, revoke, lock out, abort) is never refused for the kill switch. */
export type ActionRules = { worksWhenWritesAreOff?: true }

/** Of an action that only contains. */
export const CONTAINS: ActionRules = { worksWhenWritesAreOff: true }

const requestIdSchema = z.string().regex(/^[\w-]{16,64}$/)
const answerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('done'), value: z.unknown() }),
  z.object({ kind: z.literal('not_done'), code: z.string(), why: z.string(), reference: z.string() }),
])

/**
 * Runs a verb once for the id that the page made, in the console's own idempotency store: a double click or a request
 * sent again is one action, one audit entry, and gets the first one's answer. `value` must survive JSON. Refused while
 * writes are switched off.
 */
export async function attemptOnce<T>(
  name: string,
  requestId: string,
  work: (ctx: UserContext) => Promise<T>,
  rules: ActionRules = {},
): Promise<Attempted<T>> {
  const [ctx, options] = [await pageContext(), await onceOptions(services())]
  const once = idempotent(
    async () => {
      const attempted = await (rules.worksWhenWritesAreOff ? attempt(work) : attemptChange(work))
      return jsonResponse(attempted, attempted.kind === 'done' ? 200 : 422)
    },
    { ...options, scope: () => ({ caller: ctx.actor.userId, route: `/console/${name}` }) },
  )
  const response = await once(
    new Request(`http://console/${name}`, {
      method: 'POST',
      headers: { 'idempotency-key': `"${requestIdSchema.parse(requestId)}"` },
    }),
  )
  const answer = answerSchema.safeParse(await response.json())
  // Validated above as far as the console's own store can vary; the value is what `work` gave.
  if (answer.success) return answer.data as Attempted<T>
  return {
    kind: 'not_done',
    code: 'conflict',
    why: 'The same request is still being carried out. Look at the fresh state before you try again.',
    reference: ctx.requestId,
  }
}

import { z } from 'zod'
import { authoriseNow } from '@/lib/access/authorise-now'
import { assertPersonMay } from '@/lib/actions/approval'
import { createAction } from '@/lib/actions/create'
import { commitIntent, execute } from '@/lib/actions/execute'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { newId } from '@/lib/core/ids'
import { assertDone, callStore } from './call-store'
import { type HoldView, readHold } from './list-holds'
import { openHolds } from './open-holds'
import { holdReasonSchema } from './place-hold'

const inputSchema = z.strictObject({
  source: z.string().min(1).max(64),
  id: z.string().min(1).max(64),
  reason: holdReasonSchema,
})

/**
 * Lets new executions begin again. It takes a person: no automation lifts what somebody held. A hold that has ended by then
 * is lifted already. Throws when writes are switched off.
 */
export async function liftHold(asked: Context, raw: z.input<typeof inputSchema>): Promise<HoldView> {
  const ctx = await authoriseNow(asked, 'hold.lift')
  await assertPersonMay(ctx, 'hold.lift')
  const { source: sourceId, id: holdId, reason } = inputSchema.parse(raw)
  await assertWritesEnabled(ctx.db)
  // There is such a hold; what it is on goes into the audit.
  const { target } = await readHold(ctx, sourceId, holdId)
  const id = newId('act')
  await commitIntent(ctx, 'hold.lift', async (tx) => ({
    kind: 'ours',
    action: await createAction(tx, ctx, {
      ...{ id, kind: 'lift_hold', state: 'executing', reason, sourceId },
      params: { by: 'holds', holdId, target },
    }),
    audit: { outcome: 'intent', reason, after: { sourceId, holdId, target } },
  }))
  const { action } = await execute(ctx, {
    id,
    verb: 'hold.lift',
    async readAgain() {
      await assertPersonMay(await authoriseNow(ctx, 'hold.lift'), 'hold.lift')
      const holds = await openHolds(ctx, sourceId)
      return {
        call: () =>
          callStore(ctx, id, async () => {
            const said = await holds.lift(holdId, { reason, by: actorLabel(ctx.actor) })
            return said === 'unknown'
              ? { state: 'refused', result: { reason: 'gone', text: 'There is no such hold any more.' } }
              : { state: 'done', result: { holdId, said } }
          }),
      }
    },
    whenOff(off) {
      throw off
    },
  })
  assertDone(action, 'the hold was lifted')
  return readHold(ctx, sourceId, holdId)
}

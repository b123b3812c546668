import { z } from 'zod'
import { authoriseNow } from '@/lib/access/authorise-now'
import { createAction } from '@/lib/actions/create'
import { commitIntent, execute } from '@/lib/actions/execute'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import {
  HOLD_MINUTES_DEFAULT,
  HOLD_MINUTES_MAX,
  HOLD_REASON_MAX,
  holdTargetSchema,
} from '@/lib/core/hold-target'
import { newId } from '@/lib/core/ids'
import { reasonSchema } from '@/lib/core/reason'
import { assertDone, callStore, refusedBy } from './call-store'
import { type HoldView, readHold } from './list-holds'
import { openHolds } from './open-holds'

export const holdReasonSchema = reasonSchema.max(HOLD_REASON_MAX)

export const placeHoldSchema = z
  .strictObject({
    source: z.string().min(1).max(64).describe('The store'),
    target: holdTargetSchema,
    reason: holdReasonSchema,
    minutes: z
      .int()
      .min(1)
      .max(HOLD_MINUTES_MAX, 'a hold lasts 24 hours at most')
      .optional()
      .describe(`How long on the store's clock; default ${HOLD_MINUTES_DEFAULT}`),
    endsAt: z.iso.datetime({ offset: true }).optional().describe('Instead of minutes: when it ends'),
  })
  .refine(({ minutes, endsAt }) => minutes === undefined || endsAt === undefined, {
    path: ['endsAt'],
    message: 'either minutes or endsAt',
  })

/**
 * Stops new executions at once, by one person, whether or not writes are switched off: it only contains. The hold is the
 * store's own, under the action's id. Throws when it was refused, or when nobody knows yet.
 */
export async function placeHold(asked: Context, raw: z.input<typeof placeHoldSchema>): Promise<HoldView> {
  const ctx = await authoriseNow(asked, 'hold.place')
  const {
    source: sourceId,
    target,
    reason,
    minutes = HOLD_MINUTES_DEFAULT,
    endsAt,
  } = placeHoldSchema.parse(raw)
  const end = endsAt === undefined ? { lastsMs: minutes * 60_000 } : { at: new Date(endsAt) }
  const id = newId('act')
  const subject = target.kind === 'key' ? { scope: target.scope, key: target.key } : {}
  const terms = { target, ...(endsAt === undefined ? { minutes } : { endsAt }) }
  await commitIntent(ctx, 'hold.place', async (tx) => ({
    kind: 'ours',
    action: await createAction(tx, ctx, {
      ...{ id, kind: 'hold', state: 'executing', reason, sourceId },
      ...subject,
      params: { by: 'holds', holdId: id, ...terms },
    }),
    audit: { outcome: 'intent', reason, after: { sourceId, ...terms } },
  }))
  const { action } = await execute(ctx, {
    id,
    verb: 'hold.place',
    contains: true,
    async readAgain() {
      await authoriseNow(ctx, 'hold.place')
      const holds = await openHolds(ctx, sourceId)
      return {
        call: () =>
          callStore(ctx, id, async () => {
            const said = await holds.place({ id, target, reason, by: actorLabel(ctx.actor), end })
            return said === 'placed' ? { state: 'done', result: { holdId: id } } : refusedBy(said)
          }),
      }
    },
  })
  assertDone(action, 'the hold is in force')
  return readHold(ctx, sourceId, id)
}

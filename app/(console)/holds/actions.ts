'use server'

import { z } from 'zod'
import { CONTAINS } from '@/app/_server/attempt-once'
import { dialogActions } from '@/app/_server/dialog-actions'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { HOLD_KINDS, holdTargetSchema } from '@/lib/core/hold-target'
import { liftHold } from '@/lib/locks/holds/lift-hold'
import { placeHold } from '@/lib/locks/holds/place-hold'

const { action, once } = dialogActions(['/holds'])

const fieldsSchema = z.object({
  source: z.string(),
  kind: z.enum(HOLD_KINDS),
  minutes: z.coerce.number(),
  route: z.string().trim().default(''),
  caller: z.string().trim().default(''),
  step: z.string().trim().default(''),
  scope: z.string().trim().default(''),
  key: z.string().default(''),
})

function targetOf({ kind, route, caller, step, scope, key }: z.output<typeof fieldsSchema>) {
  const named = {
    route: { route },
    caller: { caller },
    step: { step, route: route === '' ? null : route },
    key: { scope, key },
    store: {},
  }
  return holdTargetSchema.parse({ kind, ...named[kind] })
}

/** Holds what the dialog names. It only contains: it works while writes are off. */
export const saveHold = action(
  'hold.place',
  (ctx, { reason, fields }) => {
    const asked = fieldsSchema.parse(fields)
    return placeHold(ctx, {
      source: asked.source,
      target: targetOf(asked),
      minutes: asked.minutes,
      reason,
    })
  },
  CONTAINS,
)

const oneSchema = z.object({ source: z.string().max(64), id: z.string().max(64) })

export const endHold = async (hold: z.input<typeof oneSchema>, input: ActionInput) =>
  once('hold.lift', input, (ctx) => liftHold(ctx, { ...oneSchema.parse(hold), reason: input.reason }))

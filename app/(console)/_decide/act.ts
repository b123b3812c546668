'use server'

import { z } from 'zod'
import { actsShownOn } from '@/app/_server/acts-shown-on'
import { CONTAINS } from '@/app/_server/attempt-once'
import { approveAction, rejectAction, withdrawAction } from '@/app/_server/decide'
import type { ActInput } from '@/app/_ui/act-dialog'

const once = actsShownOn(
  ['/reconciliation', 'layout'],
  ['/storage'],
  ['/settings'],
  ['/locks'],
  ['/keys/[id]', 'page'],
)

const id = z.string().max(64)

export const approve = async (actionId: string, evidenceHash: string, input: ActInput) =>
  once('action.approve', input, (ctx) =>
    approveAction(ctx, {
      actionId: id.parse(actionId),
      evidenceHash: z.string().max(128).parse(evidenceHash),
    }),
  )

export const reject = async (actionId: string, input: ActInput) =>
  once(
    'action.reject',
    input,
    (ctx) => rejectAction(ctx, { actionId: id.parse(actionId), reason: input.reason }),
    CONTAINS,
  )

export const withdraw = async (actionId: string, input: ActInput) =>
  once(
    'action.withdraw',
    input,
    (ctx) => withdrawAction(ctx, { actionId: id.parse(actionId), reason: input.reason }),
    CONTAINS,
  )

'use server'

import { z } from 'zod'
import { CONTAINS } from '@/app/_server/attempt-once'
import { approveAction, rejectAction, withdrawAction } from '@/app/_server/decide'
import { dialogActions } from '@/app/_server/dialog-actions'
import type { ActionInput } from '@/app/_ui/action-dialog'

const { once, actionOn } = dialogActions(
  ['/reconciliation', 'layout'],
  ['/storage'],
  ['/settings'],
  ['/locks'],
  ['/messages', 'layout'],
  ['/keys/[id]', 'page'],
)

const seenSchema = z.object({ actionId: z.string().max(64), evidenceHash: z.string().max(128) })

export const approve = async (actionId: string, evidenceHash: string, input: ActionInput) =>
  once('action.approve', input, (ctx) => approveAction(ctx, seenSchema.parse({ actionId, evidenceHash })))

export const reject = actionOn(
  'action.reject',
  (ctx, actionId, { reason }) => rejectAction(ctx, { actionId, reason }),
  CONTAINS,
)

export const withdraw = actionOn(
  'action.withdraw',
  (ctx, actionId, { reason }) => withdrawAction(ctx, { actionId, reason }),
  CONTAINS,
)

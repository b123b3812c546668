'use server'

import { z } from 'zod'
import { actionsShownOn } from '@/app/_server/actions-shown-on'
import { CONTAINS } from '@/app/_server/attempt-once'
import { approveAction, rejectAction, withdrawAction } from '@/app/_server/decide'
import type { ActionInput } from '@/app/_ui/action-dialog'

const once = actionsShownOn(
  ['/reconciliation', 'layout'],
  ['/storage'],
  ['/settings'],
  ['/locks'],
  ['/keys/[id]', 'page'],
)

const id = z.string().max(64)

export const approve = async (actionId: string, evidenceHash: string, input: ActionInput) =>
  once('action.approve', input, (ctx) =>
    approveAction(ctx, {
      actionId: id.parse(actionId),
      evidenceHash: z.string().max(128).parse(evidenceHash),
    }),
  )

export const reject = async (actionId: string, input: ActionInput) =>
  once(
    'action.reject',
    input,
    (ctx) => rejectAction(ctx, { actionId: id.parse(actionId), reason: input.reason }),
    CONTAINS,
  )

export const withdraw = async (actionId: string, input: ActionInput) =>
  once(
    'action.withdraw',
    input,
    (ctx) => withdrawAction(ctx, { actionId: id.parse(actionId), reason: input.reason }),
    CONTAINS,
  )

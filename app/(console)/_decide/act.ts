'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import type { Attempted } from '@/app/_server/attempt'
import { attemptOnce } from '@/app/_server/attempt-once'
import type { UserContext } from '@/app/_server/context'
import { approveAction, rejectAction, withdrawAction } from '@/app/_server/decide'
import type { ActInput } from '@/app/_ui/act-dialog'

/** Decides once, then the pages that show proposals are read again. */
function once(
  name: string,
  input: ActInput,
  work: (ctx: UserContext) => Promise<unknown>,
): Promise<Attempted<unknown>> {
  return attemptOnce(name, input.requestId, async (ctx) => {
    await work(ctx)
    revalidatePath('/reconciliation', 'layout')
    revalidatePath('/storage')
    return null
  })
}

const id = z.string().max(64)

export const approve = async (actionId: string, evidenceHash: string, input: ActInput) =>
  once('action.approve', input, (ctx) =>
    approveAction(ctx, {
      actionId: id.parse(actionId),
      evidenceHash: z.string().max(128).parse(evidenceHash),
    }),
  )

export const reject = async (actionId: string, input: ActInput) =>
  once('action.reject', input, (ctx) =>
    rejectAction(ctx, { actionId: id.parse(actionId), reason: input.reason }),
  )

export const withdraw = async (actionId: string, input: ActInput) =>
  once('action.withdraw', input, (ctx) =>
    withdrawAction(ctx, { actionId: id.parse(actionId), reason: input.reason }),
  )

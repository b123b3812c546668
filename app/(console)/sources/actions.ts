'use server'

import { z } from 'zod'
import { dialogActions } from '@/app/_server/dialog-actions'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { switchSource } from '@/lib/sources/connect'
import { removeSource } from '@/lib/sources/manage/remove'

const { actionOn, once } = dialogActions(['/sources'])

const switchTo = (on: boolean) =>
  actionOn(`source.switch_${on ? 'on' : 'off'}`, (ctx, id, { reason }: ActionInput) =>
    switchSource(ctx, { id, on, reason }),
  )

export const switchOff = async (id: string, input: ActionInput) => switchTo(false)(id, input)
export const switchOn = async (id: string, input: ActionInput) => switchTo(true)(id, input)

/** The dialog has its name typed; that it is the one which was seen is for the verb to say. */
export const remove = async (seen: { id: string; version: number; name: string }, input: ActionInput) =>
  once('source.remove', input, (ctx) =>
    removeSource(ctx, { ...seenSchema.parse(seen), reason: input.reason }),
  )

const seenSchema = z.object({ id: z.string().max(64), version: z.number(), name: z.string().max(60) })

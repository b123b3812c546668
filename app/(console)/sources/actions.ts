'use server'

import { dialogActions } from '@/app/_server/dialog-actions'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { switchSource } from '@/lib/sources/connect'

const { actionOn } = dialogActions(['/sources'])

const switchTo = (on: boolean) =>
  actionOn(`source.switch_${on ? 'on' : 'off'}`, (ctx, id, { reason }: ActionInput) =>
    switchSource(ctx, { id, on, reason }),
  )

export const switchOff = async (id: string, input: ActionInput) => switchTo(false)(id, input)
export const switchOn = async (id: string, input: ActionInput) => switchTo(true)(id, input)

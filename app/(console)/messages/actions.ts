'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { type Attempted, attempt, attemptChange } from '@/app/_server/attempt'
import { dialogActions } from '@/app/_server/dialog-actions'
import type { ActionInput } from '@/app/_ui/action-dialog'
import type { OperateResult } from '@/lib/actions/bulk/operate-each'
import { AppError } from '@/lib/core/errors'
import { MESSAGE_ACTION_KINDS, type MessageVerb } from '@/lib/core/states'
import { type CarriedOutMessages, executeMessageSnapshot } from '@/lib/messages/bulk/execute-snapshot'
import { type MessageSnapshot, snapshotMessages } from '@/lib/messages/bulk/snapshot-messages'
import type { DeadFilter } from '@/lib/messages/read/dead-letters'
import { operateMessage } from '@/lib/messages/verbs/operate-message'

export type { MessageSnapshot } from '@/lib/messages/bulk/snapshot-messages'

const verbSchema = z.enum(MESSAGE_ACTION_KINDS)

/** Takes a snapshot of dead messages for a look before acting. */
export const previewMessages = async (
  verb: MessageVerb,
  filter: DeadFilter,
): Promise<Attempted<MessageSnapshot>> =>
  attempt((ctx) => snapshotMessages(ctx, verbSchema.parse(verb), filter))

/** `items` are of `inline`; a run goes on, and what is proposed waits for a second person. */
export type DoneMessages = { kind: CarriedOutMessages['kind']; items: OperateResult[] }

/** Carries a snapshot out, or proposes it, once. */
export const carryOutMessages = async (
  verb: MessageVerb,
  snapshotId: string,
  reason: string,
): Promise<Attempted<DoneMessages>> =>
  attemptChange(async (ctx) => {
    const id = z.string().max(64).parse(snapshotId)
    const done = await executeMessageSnapshot(ctx, id, reason, verbSchema.parse(verb))
    revalidatePath('/messages')
    return { kind: done.kind, items: done.kind === 'inline' ? done.items : [] }
  })

const { once } = dialogActions(['/messages'], ['/messages/[source]/[place]', 'page'])

const seenSchema = z.object({
  verb: verbSchema,
  sourceId: z.string().max(64),
  place: z.string().max(500),
  version: z.string().max(500),
})

/** One message, as it was seen; a payload makes it another one. */
export const actOnMessage = async (raw: z.input<typeof seenSchema>, input: ActionInput) =>
  once(`message.${verbSchema.parse(raw.verb)}`, input, async (ctx) => {
    const { verb, ...seen } = seenSchema.parse(raw)
    const { payload } = z.object({ payload: z.string().max(262_144).optional() }).parse(input.fields)
    const action = await operateMessage(ctx, verb, {
      ...seen,
      reason: input.reason,
      payload: payload === undefined ? undefined : Buffer.from(payload),
    })
    if (action.state === 'done' || action.state === 'proposed') return
    const why = z.object({ text: z.string() }).partial().parse(action.result).text
    const text = why ?? 'Its answer was lost: it is settled by reading the message again.'
    throw new AppError('conflict', action.state === 'refused' ? `${text} Nothing was changed.` : text)
  })

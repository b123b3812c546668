import { type Settled, settle } from '@/lib/actions/execute'
import type { SystemContext } from '@/lib/context'
import { STATEMENT_ENDED_AFTER_MS, STORE_SETTLING } from '@/lib/locks/verbs/settle-unknown'
import { openMessageSource } from '@/lib/sources/registry'
import type { Action } from '@/prisma/generated/client'

/** Finds out, by reading the message, how redrives and discards ended whose answer was lost. */
export const settleMessages = (ctx: SystemContext): Promise<{ settled: number; open: number }> =>
  settle(ctx, {
    job: 'settle-messages',
    where: { params: { path: ['by'], equals: 'messages' } },
    ...STORE_SETTLING,
    recorded: (_, { kind }) => ({ verb: `message.${kind}` }),
    read: readEnd,
  })

async function readEnd(
  ctx: SystemContext,
  { id, sourceId, key, executedAt }: Action,
): Promise<Settled | null> {
  if (sourceId === null || key === null) return null
  const { source } = await openMessageSource(ctx, sourceId)
  const { message } = await source.readMessage(key)
  if (message?.actionId === id) return { state: 'done', result: { settled: 'applied' } }
  if ((executedAt?.getTime() ?? 0) + STATEMENT_ENDED_AFTER_MS > ctx.clock.now().getTime()) return null
  const text =
    message?.state === 'dead'
      ? 'It was not applied: the message is dead still.'
      : 'The message has moved on since: it cannot be told whether this did it.'
  return {
    state: 'failed',
    result: { settled: message?.state === 'dead' ? 'not_applied' : 'moved_on', text },
  }
}

import { type Settled, settle } from '@/lib/actions/execute'
import type { SystemContext } from '@/lib/context'
import { STATEMENT_ENDED_AFTER_MS, STORE_SETTLING } from '@/lib/locks/verbs/settle-unknown'
import type { MessageCapabilities, MessageRow } from '@/lib/sources/contracts'
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

async function readEnd(ctx: SystemContext, action: Action): Promise<Settled | null> {
  const { sourceId, key, executedAt } = action
  if (sourceId === null || key === null) return null
  const { source } = await openMessageSource(ctx, sourceId)
  const { message } = await source.readMessage(key)
  const end = endOf(action, message, source.capabilities)
  const isLate = (executedAt?.getTime() ?? 0) + STATEMENT_ENDED_AFTER_MS <= ctx.clock.now().getTime()
  return end.state === 'done' || isLate ? end : null
}

/** What a message says of an act on it whose answer was lost. Pure. */
export function endOf(
  { id, kind }: Pick<Action, 'id' | 'kind'>,
  message: Pick<MessageRow, 'actionId' | 'state'> | null,
  { sendsFirst }: Pick<MessageCapabilities, 'sendsFirst'>,
): Settled {
  if (message?.actionId === id) return { state: 'done', result: { settled: 'applied' } }
  if (message?.state !== 'dead') return ended('moved_on', MOVED_ON)
  return kind === 'redrive' && sendsFirst === true
    ? ended('not_known', MAY_BE_SENT)
    : ended('not_applied', 'It was not applied: the message is dead still.')
}

const MOVED_ON = 'The message has moved on since: it cannot be told whether this did it.'
const MAY_BE_SENT =
  'It is dead still, and may have been sent again all the same: its queue takes the dead one away last. Look at what its consumers’ records say before you send it again.'

const ended = (settled: string, text: string): Settled => ({ state: 'failed', result: { settled, text } })

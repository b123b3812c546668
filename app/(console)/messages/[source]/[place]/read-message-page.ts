import { listActions } from '@/lib/actions/read'
import { formatKeyId } from '@/lib/keys/key-id'
import { readMessageNow } from '@/lib/messages/read/read-message'
import type { OpenedPage } from '../../../_page/open-page'
import { killSwitchNow } from '../../../_shell/reads'
import { readExecutions } from './read-executions'

const ACTIONS_SHOWN = 50

export type MessagePage = Awaited<ReturnType<typeof readMessagePage>>

/** A message, its consumers' records, and what people did with it. */
export async function readMessagePage(
  { ctx, place, forbid }: OpenedPage,
  subject: { sourceId: string; place: string },
) {
  const [read, actions, { on: writesOff }] = await Promise.all([
    readMessageNow(ctx, subject),
    listActions(ctx.db, { source: subject.sourceId, key: subject.place }, { limit: ACTIONS_SHOWN }),
    killSwitchNow(),
  ])
  const off = writesOff ? 'Writes are switched off' : null
  return {
    ...read,
    consumers: read.consumers.map((consumer) => ({
      ...consumer,
      keyId:
        consumer.sourceId === null || read.message.id === null
          ? null
          : formatKeyId({ sourceId: consumer.sourceId, scope: consumer.scope, key: read.message.id }),
    })),
    actions: actions.items,
    executions: await readExecutions(ctx, read.message.id, read.consumers),
    place,
    refusal: { redrive: forbid('message.redrive') ?? off, discard: forbid('message.discard') ?? off },
  }
}

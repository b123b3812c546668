import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { wasSeen } from '@/lib/mirror/read/was-seen'
import {
  type MessageConsumer,
  type MessageRow,
  type MessageSource,
  SourceUnavailableError,
} from '@/lib/sources/contracts'
import { openIntentSource } from '@/lib/sources/registry'
import { answerOf, type ConsumerAnswer } from './consumer-answer'

/** What each consumer of a message has a record of, read from its own store now. One that cannot be read says so. */
export async function askConsumers(
  ctx: SystemContext,
  source: Pick<MessageSource, 'consumers'>,
  message: Pick<MessageRow, 'id' | 'topic' | 'publishedAt' | 'group'>,
): Promise<ConsumerAnswer[]> {
  const consumers = source.consumers.filter(
    ({ topic, group }) => topic === message.topic && (message.group ?? group) === group,
  )
  return Promise.all(consumers.map((consumer) => ask(ctx, consumer, message)))
}

async function ask(
  ctx: SystemContext,
  { group, topic, store, recordsKeptMs }: MessageConsumer,
  { id, publishedAt }: Pick<MessageRow, 'id' | 'publishedAt'>,
): Promise<ConsumerAnswer> {
  const scope = `${group}/CONSUME ${topic}`
  const about = { group, store, scope }
  const row = await ctx.db.prisma.source.findUnique({ where: { name: store }, select: { id: true } })
  const sourceId = row?.id ?? null
  const notKnown = (text: string): ConsumerAnswer => ({ ...about, sourceId, state: 'not_known', text })
  if (sourceId === null) return notKnown(`There is no source ${store}, which should have its records.`)
  if (id === null) return notKnown('The message has no id, by which its record could be found.')
  try {
    const { source } = await openIntentSource(ctx, sourceId)
    const keptMs = recordsKeptMs ?? (await source.recordsKeptMs?.()) ?? null
    // The mirror before the store: what is collected in between was seen by then.
    const seenBefore = await wasSeen(ctx.db, { sourceId, scope, key: id })
    const reading = await source.readKey(scope, id)
    const { capabilities } = source
    const answer = answerOf({ reading, capabilities, publishedAt, keptMs, seenBefore })
    return { ...about, sourceId, ...answer }
  } catch (error) {
    if (!(error instanceof SourceUnavailableError || error instanceof AppError)) throw error
    return notKnown(`Its store cannot be read: ${error.message}`)
  }
}

import { type Clock, systemClock } from '@/lib/core/clock'
import {
  type MessageOutcome,
  type MessageRow,
  type MessageSource,
  onlyLookedAt,
  type SeenMessage,
} from '../../contracts'
import { editedId } from '../edited-id'
import { createListing, type ReadLetter } from '../listing'
import { deadLetterSample, queueParts, takeAwaySent } from '../source'
import { openRabbit } from './client'
import type { RabbitConfig, RabbitSecret } from './config'
import { toRow, withoutDeaths } from './rows'
import { createWalk } from './walk'

const READING =
  'Each look gets every message and gives it back: it is marked as redelivered, and a quorum queue counts a delivery. The console looks again only when the number of messages changes, and stops before the delivery limit.'
const REMOVED_LAST =
  'it is removed here once the source queue has confirmed it: a crash in between sends it twice, and consumers drop it by its id'

/** A RabbitMQ queue of dead letters. AMQP cannot look at a message without getting it. */
export function openRabbitDeadLetters(
  config: RabbitConfig,
  secret: RabbitSecret,
  {
    readOnly = false,
    clock = systemClock,
  }: { readOnly?: boolean | undefined; clock?: Clock | undefined } = {},
): MessageSource & { kind: 'dead_letters' } {
  const rabbit = openRabbit(secret.url, config.requestTimeoutMs)
  const walk = createWalk(rabbit, config)
  const count = () => rabbit.channel(async (channel) => (await channel.checkQueue(config.queue)).messageCount)

  const listing = createListing({
    clock,
    everyMs: config.readEveryMs,
    count,
    async read() {
      const rows: ReadLetter[] = []
      await walk.run(async (message, nth) => {
        rows.push(toRow(message, nth, config))
        return undefined
      })
      return rows
    },
  })

  /** Found as it was seen and held, so that nobody else can act on it. */
  async function act(
    { place, version }: SeenMessage,
    settle: (
      row: MessageRow,
      message: Parameters<typeof toRow>[0],
      take: () => Promise<void>,
    ) => Promise<string>,
  ): Promise<MessageOutcome> {
    if (readOnly) throw onlyLookedAt()
    const id = await walk.run(async (message, nth, take) => {
      const row = toRow(message, nth, config)
      if (row.seen.place !== place || row.seen.version !== version) return undefined
      return settle(row, message, take)
    }, true)
    listing.forget()
    return id === undefined ? { kind: 'refused', reason: 'changed' } : { kind: 'done', id }
  }

  return {
    ...queueParts(clock, listing, { reading: READING, redrive: REMOVED_LAST }),
    consumers: config.consumers,
    sample: async () =>
      deadLetterSample(clock, { topic: config.topic ?? config.sourceQueue, dead: await count() }),
    redrive: (seen, { actionId, payload }) =>
      act(seen, async (row, message, take) => {
        const old = row.id ?? seen.place
        const id = payload === undefined ? old : editedId(actionId, seen.place)
        const { messageId, headers, ...properties } = message.properties
        await rabbit.publish(
          config.sourceQueue,
          { content: payload === undefined ? message.content : Buffer.from(payload) },
          {
            ...properties,
            messageId: payload === undefined ? messageId : id,
            // Its time to live would send it back at once.
            expiration: undefined,
            headers: {
              ...withoutDeaths(headers),
              'idemscope-action': actionId,
              ...(payload === undefined ? {} : { 'idemscope-replaces': old }),
            },
          },
        )
        await takeAwaySent(take)
        return id
      }),
    discard: (seen) =>
      act(seen, async ({ id }, _, take) => {
        await take()
        return id ?? seen.place
      }),
    close: () => rabbit.close(),
  }
}

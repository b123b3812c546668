import type { Clock } from '@/lib/core/clock'
import {
  type MessageCapabilities,
  type MessageSample,
  type MessageSource,
  SourceUnavailableError,
} from '../contracts'
import type { createListing } from './listing'

/** A broker has no clock that is read: `now` is the console's. Of a queue only what is dead in it is known. */
export const deadLetterSample = (
  clock: Clock,
  {
    topic,
    dead,
    oldestDeadAt = null,
    atLeast = false,
    redeliveryHorizonMs = null,
  }: {
    topic: string
    dead: number
    oldestDeadAt?: Date | null
    atLeast?: boolean
    redeliveryHorizonMs?: number | null
  },
): MessageSample => ({
  now: clock.now(),
  topics: [
    { topic, dead, oldestDeadAt, unsent: null, retrying: null, oldestUnsentAt: null, published: null },
  ],
  atLeast,
  relays: null,
  heldBackBy: null,
  redeliveryHorizonMs,
})

/** Takes a dead one away that was sent again. Where that fails nobody may be told that nothing was changed. */
export async function takeAwaySent(takeAway: () => Promise<void>): Promise<void> {
  try {
    await takeAway()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SourceUnavailableError(
      `It was sent again, and could not be taken out of the dead ones: ${why}`,
      {
        cause,
      },
    )
  }
}

/** What queues have in common in which each look gets the messages and gives them back. */
export const queueParts = (
  clock: Clock,
  listing: Pick<ReturnType<typeof createListing>, 'page' | 'find'>,
  { reading, redrive }: { reading: string; redrive: string },
) =>
  ({
    kind: 'dead_letters',
    capabilities: {
      ...{ canRedrive: true, canDiscard: true, canEdit: true, sendsFirst: true, reading },
      reasons: { redrive },
    } satisfies MessageCapabilities,
    storeClock: async () => clock.now(),
    readDead: (cursor, limit) => listing.page(cursor, limit),
    readMessage: (place) => listing.find(place),
  }) satisfies Partial<MessageSource>

import type { Message } from '@aws-sdk/client-sqs'
import { type Clock, systemClock } from '@/lib/core/clock'
import {
  type MessageOutcome,
  type MessageSource,
  onlyLookedAt,
  type SeenMessage,
  SourceUnavailableError,
} from '../../contracts'
import { editedId } from '../edited-id'
import { createListing } from '../listing'
import { deadLetterSample, queueParts, takeAwaySent } from '../source'
import { openSqs } from './client'
import type { SqsConfig, SqsSecret } from './config'
import { topicOf, toRow, toSend } from './rows'

const READING =
  'Each look receives every message once and gives it back: their receive counts rise, and nobody else is given them for that moment. Of a FIFO queue only the first messages of a group are seen.'
const REMOVED_LAST =
  'it is deleted here once the source queue has taken it: a crash in between sends it twice, and consumers drop it by its id'
const CHANGED = { kind: 'refused', reason: 'changed' } as const
/** A tenth of the hidden time is left to give back what was read. */
const SHARE_TO_READ = 0.9

/** An SQS queue of dead letters. SQS cannot look at a message without receiving it. */
export function openSqsDeadLetters(
  config: SqsConfig,
  secret: SqsSecret,
  {
    readOnly = false,
    clock = systemClock,
  }: { readOnly?: boolean | undefined; clock?: Clock | undefined } = {},
): MessageSource & { kind: 'dead_letters' } {
  const sqs = openSqs(secret, config.requestTimeoutMs)
  const { queueUrl, sourceQueueUrl } = config

  async function facts() {
    const found = await sqs.facts(queueUrl)
    if (found.redrivePolicy === null) return found
    const text = `This queue has dead letters of its own, from ${found.redrivePolicy.maxReceiveCount} receives on: each look counts as one and would move its messages. Take the redrive policy off it.`
    throw new SourceUnavailableError(text, { refused: true })
  }

  /** As long as its source queue keeps a message. A role that is older than this question may not ask it. */
  async function readHorizonMs(): Promise<number | null> {
    try {
      return (await sqs.facts(sourceQueueUrl)).keptMs
    } catch (error) {
      if (error instanceof SourceUnavailableError && error.refused) return null
      throw error
    }
  }

  /** Receives until the queue has no more to give, or the wanted one came; all are given back but one that `settle` took out. */
  async function walk<T>(
    look: (message: Message) => T | undefined,
    settle: (found: T, message: Message) => Promise<boolean> = async () => false,
  ): Promise<{ seen: Message[]; found: T | undefined }> {
    await facts()
    const seen = new Map<string, Message>()
    let gone: Message | null = null
    const untilMs = clock.now().getTime() + config.hiddenS * 1_000 * SHARE_TO_READ
    try {
      while (seen.size < config.readMax && clock.now().getTime() < untilMs) {
        const batch = await sqs.receive(queueUrl, config.hiddenS)
        const fresh = batch.filter(({ MessageId = '' }) => !seen.has(MessageId))
        for (const message of batch) seen.set(message.MessageId ?? '', message)
        if (fresh.length === 0) break
        for (const message of fresh) {
          const found = look(message)
          if (found === undefined) continue
          if (await settle(found, message)) gone = message
          return { seen: [...seen.values()], found }
        }
      }
      return { seen: [...seen.values()], found: undefined }
    } finally {
      // One that is not given back comes back by itself, after its hidden time.
      const back = [...seen.values()].filter((message) => message !== gone)
      await sqs.giveBack(queueUrl, back).catch(() => undefined)
    }
  }

  const listing = createListing({
    clock,
    everyMs: config.readEveryMs,
    count: async () => (await facts()).count,
    async read() {
      const { seen } = await walk(() => undefined)
      return seen.map((message) => toRow(message, config))
    },
  })

  /** Finds it as it was seen, and does with it what is asked while nobody else can have it. */
  async function act(
    { place, version }: SeenMessage,
    settle: (message: Message) => Promise<string>,
  ): Promise<MessageOutcome> {
    if (readOnly) throw onlyLookedAt()
    let outcome: MessageOutcome = CHANGED
    await walk(
      (message) => (message.MessageId === place ? toRow(message, config) : undefined),
      async ({ seen }, message) => {
        if (seen.version !== version) return false
        outcome = { kind: 'done', id: await settle(message) }
        return true
      },
    )
    listing.forget()
    return outcome
  }

  return {
    ...queueParts(clock, listing, { reading: READING, redrive: REMOVED_LAST }),
    consumers: config.consumers,
    async sample() {
      const [{ count: dead }, redeliveryHorizonMs] = await Promise.all([facts(), readHorizonMs()])
      return deadLetterSample(clock, { topic: topicOf(config), dead, redeliveryHorizonMs })
    },
    redrive: (seen, { actionId, payload }) =>
      act(seen, async (message) => {
        const row = toRow(message, config)
        const old = row.id ?? seen.place
        const id = payload === undefined ? old : editedId(actionId, seen.place)
        const edit = payload === undefined ? null : { payload, replaces: old }
        const group = message.Attributes?.MessageGroupId
        await sqs.send({
          queueUrl: sourceQueueUrl,
          ...toSend(message, id, edit),
          // By its own id SQS would drop it silently for five minutes; by the act’s the same act is sent once.
          fifo: sourceQueueUrl.endsWith('.fifo')
            ? { group: group ?? id, deduplicationId: editedId(actionId, seen.place) }
            : null,
        })
        await takeAwaySent(() => sqs.remove(queueUrl, message))
        return id
      }),
    discard: (seen) =>
      act(seen, async (message) => {
        await sqs.remove(queueUrl, message)
        return seen.place
      }),
    async close() {
      sqs.close()
    },
  }
}

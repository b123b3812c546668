import { type Clock, systemClock } from '@/lib/core/clock'
import type { MessageVerb } from '@/lib/core/states'
import {
  type MessageOutcome,
  type MessageSource,
  onlyLookedAt,
  type SeenMessage,
  SourceUnavailableError,
} from '../../contracts'
import { editedId } from '../edited-id'
import { createListing, type ReadLetter } from '../listing'
import { deadLetterSample } from '../source'
import { createActions } from './actions'
import { openKafka } from './client'
import type { KafkaConfig, KafkaSecret } from './config'
import { toRow, toSend } from './rows'

/** Nothing is lost by reading: it is done anew when the log has grown. */
const READ_EVERY_MS = 3_600_000
const READING = 'It is read by offset in a group of its own, which commits nothing.'
const NO_ACTIONS =
  'A topic cannot lose one message. Name a topic of one partition in actionsTopic: what was redriven or discarded is written there.'
const KEPT = 'The dead letter stays in its topic; that it was settled is written to the topic of actions.'

/** A Kafka topic of dead letters. */
export function openKafkaDeadLetters(
  config: KafkaConfig,
  secret: KafkaSecret,
  {
    readOnly = false,
    clock = systemClock,
  }: { readOnly?: boolean | undefined; clock?: Clock | undefined } = {},
): MessageSource & { kind: 'dead_letters' } {
  const { deadTopic, sourceTopic, actionsTopic, readMax } = config
  const topics = [deadTopic, ...(actionsTopic === undefined ? [] : [actionsTopic])]
  const kafka = openKafka(secret, topics, config.requestTimeoutMs)
  const actions = createActions(kafka, config)
  let truncated = false

  async function readAll(): Promise<ReadLetter[]> {
    await actions.refresh()
    const rows: ReadLetter[] = []
    let more = false
    for (const { partition, low, high } of await kafka.offsets(deadTopic)) {
      const newest = high - BigInt(readMax)
      const from = newest > low ? newest : low
      more ||= from > low
      for (const message of await kafka.read(deadTopic, partition, from, high)) {
        const row = toRow(message, partition, actions.of(`${partition}/${message.offset}`), config)
        // One is read whole by its offset.
        if (row.state === 'dead') rows.push({ ...row, payload: null })
      }
    }
    truncated = more
    return rows
  }

  const listing = createListing({
    clock,
    everyMs: READ_EVERY_MS,
    async count() {
      const ends = (await kafka.offsets(deadTopic)).reduce((sum, { high }) => sum + high, 0n)
      return Number(ends + (await actions.end()))
    },
    read: readAll,
  })

  async function find(place: string) {
    const [, partition, offset] = /^(\d{1,9})\/(\d{1,18})$/.exec(place) ?? []
    if (partition === undefined || offset === undefined) return null
    const at = (await kafka.offsets(deadTopic)).find((each) => each.partition === Number(partition))
    if (at === undefined || BigInt(offset) < at.low || BigInt(offset) >= at.high) return null
    const [message] = await kafka.read(deadTopic, at.partition, BigInt(offset), BigInt(offset) + 1n)
    return message === undefined ? null : { message, partition: at.partition }
  }

  async function readMessage(given: string) {
    const now = clock.now()
    const byId = async () => (await listing.page(null, readMax)).items.find(({ id }) => id === given)
    const place = /^\d+\/\d+$/.test(given) ? given : ((await byId())?.seen.place ?? given)
    const found = await find(place)
    if (found === null) return { now, message: null }
    await actions.refresh()
    return { now, message: toRow(found.message, found.partition, actions.of(place), config) }
  }

  /** Claims it in the topic of actions, does it, and writes that it was done. */
  async function act(
    verb: MessageVerb,
    { place, version }: SeenMessage,
    actionId: string,
    payload?: Uint8Array,
  ): Promise<MessageOutcome> {
    if (readOnly) throw onlyLookedAt()
    if (actionsTopic === undefined) throw new SourceUnavailableError(NO_ACTIONS, { refused: true })
    const changed: MessageOutcome = { kind: 'refused', reason: 'changed' }
    await actions.refresh()
    const before = actions.of(place)
    if (before.state !== 'dead')
      return before.actionId === actionId ? { kind: 'done', id: before.id ?? place } : changed
    const found = await find(place)
    if (found === null) return changed
    if (before.claim?.actionId !== actionId) {
      if (before.version !== version) return changed
      await actions.write(place, { act: 'claim', verb, actionId, after: version })
      await actions.refresh()
    }
    const claimed = actions.of(place)
    if (claimed.state !== 'dead' || claimed.claim?.actionId !== actionId) return changed
    const row = toRow(found.message, found.partition, claimed, config)
    const old = row.id ?? place
    const id = payload === undefined ? old : editedId(actionId, place)
    if (verb === 'redrive') {
      const edit = payload === undefined ? null : { payload, replaces: old }
      await kafka.send(sourceTopic, toSend(found.message, id, actionId, edit))
    }
    await actions.write(place, { act: 'done', claim: claimed.version, id })
    listing.forget()
    return { kind: 'done', id }
  }

  const offered = actionsTopic !== undefined
  return {
    kind: 'dead_letters',
    capabilities: {
      ...{ canRedrive: offered, canDiscard: offered, canEdit: offered, reading: READING },
      reasons: offered
        ? { redrive: KEPT, discard: KEPT }
        : { redrive: NO_ACTIONS, discard: NO_ACTIONS, edit: NO_ACTIONS },
    },
    consumers: config.consumers,
    storeClock: async () => clock.now(),
    async sample() {
      const { items, cursor } = await listing.page(null, 10_000)
      const oldest = items.flatMap(({ settledAt }) => settledAt ?? [])[0] ?? null
      return deadLetterSample(clock, {
        ...{ topic: config.topic ?? sourceTopic, dead: items.length, oldestDeadAt: oldest },
        atLeast: truncated || cursor !== null,
      })
    },
    readDead: (cursor, limit) => listing.page(cursor, limit),
    readMessage,
    redrive: (seen, { actionId, payload }) => act('redrive', seen, actionId, payload),
    discard: (seen, { actionId }) => act('discard', seen, actionId),
    close: () => kafka.close(),
  }
}

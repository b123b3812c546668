import type { MessageVerb } from '@/lib/core/states'

/**
 * Messages that a service publishes (`outbox`), and those that somebody gave up on (`dead_letters`: an outbox's own dead
 * are among the outbox's). Both are read and acted on in one shape.
 */

export type MessageCapabilities = {
  canRedrive: boolean
  canDiscard: boolean
  /** A changed message can be published in place of a dead one, which it names. */
  canEdit: boolean
  /** A redrive sends before it takes the dead one away: that one is dead still does not tell that it was not sent. */
  sendsFirst?: true
  /** Whether reading leaves the source as it was, and what it costs, where that is not plain. */
  reading?: string
  /** Why something is not offered, or with what limit, in plain words. */
  reasons?: Partial<Record<MessageVerb | 'edit', string>>
}

/** Of one topic or queue. null = this source cannot tell. */
export type TopicSample = {
  topic: string
  /** Neither sent nor dead. */
  unsent: number | null
  /** Of those: refused at least once, and what waits behind one that was. */
  retrying: number | null
  oldestUnsentAt: Date | null
  dead: number | null
  /** Given up first. */
  oldestDeadAt: Date | null
  /** Committed in the whole minute before `now`'s own, by the source's clock. */
  published: number | null
}

/** A relay that publishes what is unsent. */
export type RelaySample = { owner: string; startedAt: Date; seenAt: Date; asleep: boolean }

/**
 * What holds publishing back: the oldest transaction that has written and is open. `unsent` messages wait behind it, and `oldestAt` is
 * the first of them.
 */
export type HeldBackBy = { text: string; since: Date | null; unsent: number; oldestAt: Date }

export type MessageSample = {
  now: Date
  topics: TopicSample[]
  /** Counts were cut: there are more. */
  atLeast: boolean
  /** null = it has none that it could show. */
  relays: RelaySample[] | null
  heldBackBy: HeldBackBy | null
  /** For how long the broker delivers a message again; null = this source cannot tell. */
  redeliveryHorizonMs: number | null
}

/** What a change compares, exactly as read. */
export type SeenMessage = { place: string; version: string }

/** `unknown`: nothing in its source says whether it was sent. */
export const MESSAGE_STATES = [
  'pending',
  'retrying',
  'waiting',
  'sent',
  'dead',
  'discarded',
  'unknown',
] as const
export type MessageState = (typeof MESSAGE_STATES)[number]

export type MessageRow = {
  /** The publisher's id: the broker's deduplication id and the consumers' key. null = it carries none: nobody can check it. */
  id: string | null
  topic: string
  /** Order holds within it. */
  key: string | null
  type: string | null
  state: MessageState
  publishedAt: Date | null
  /** Sent or given up. */
  settledAt: Date | null
  attempts: number
  /** What it was given up for, whole and as written. */
  error: string | null
  /** The consumer group whose dead letter it is; null = of an outbox, or unknown. */
  group: string | null
  /** The trace that published it. */
  traceId: string | null
  headers: Record<string, string>
  sizeBytes: number
  /** The last act on it from a console; null = none. */
  actionId: string | null
  seen: SeenMessage
}

export type MessagePage = {
  now: Date
  items: MessageRow[]
  /** null = that was all. */
  cursor: string | null
}

/** One message, whole. `payload` null = beyond what is read, or gone. */
export type MessageReading = { now: Date; message: (MessageRow & { payload: Uint8Array | null }) | null }

/** `id`: what is published now. */
export type MessageOutcome = { kind: 'done'; id: string } | { kind: 'refused'; reason: 'changed' }

export interface MessageSource {
  readonly kind: 'outbox' | 'dead_letters'
  readonly capabilities: MessageCapabilities
  /** Who consumes what is published here, and which of the console's intent sources (by name) has their records. */
  readonly consumers: readonly MessageConsumer[]
  storeClock(): Promise<Date>
  sample(): Promise<MessageSample>
  /** Dead ones, the oldest first. */
  readDead(cursor: string | null, limit: number): Promise<MessagePage>
  /** By the id that `readDead` gave, or the publisher's. */
  readMessage(place: string): Promise<MessageReading>
  /**
   * Publishes it once more, under its own id; with a payload, as a new message that names the old one in a header. Idempotent
   * by `actionId`. A lost answer throws: `readMessage` then tells, by the message's `actionId`.
   */
  redrive(
    seen: SeenMessage,
    options: { actionId: string; payload?: Uint8Array | undefined },
  ): Promise<MessageOutcome>
  /** It is never published again. Its row is kept where the layout can. */
  discard(seen: SeenMessage, options: { actionId: string }): Promise<MessageOutcome>
  close(): Promise<void>
}

export type MessageConsumer = {
  group: string
  topic: string
  store: string
  /** How long its records of messages are kept at least; absent = the store says it, if it can. */
  recordsKeptMs?: number | undefined
  /** For how long its broker delivers a message again; absent = the source says it, if it can. */
  redeliveryHorizonMs?: number | undefined
}

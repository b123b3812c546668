import type { Pool } from 'pg'
import { type Clock, systemClock } from './clock'
import { IdempotencyOptionsError, IdempotencyUsageError } from './errors'
import { type EncodedMessage, encodeMessage, type OutgoingMessage } from './outbox/message'
import { migrateStore } from './stores/postgres/migrate'
import { quoteIdentifier } from './stores/postgres/quote'
import { startCreateSpan } from './telemetry/message-spans'

export type { OutboxMessage, OutgoingMessage } from './outbox/message'
export type { Publisher, PublishResult } from './outbox/publisher'
export {
  createRelay,
  type HorizonHolder,
  type Relay,
  type RelayOptions,
  type RelayRound,
} from './outbox/relay'

/** An open transaction of the service: what `ctx.transaction` gives, or a `pg` client after BEGIN. */
export type OutboxTransaction = {
  query(text: string, values: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
}

export type OutboxOptions = {
  /** Where the idem_ tables live. Default `public`. */
  schema?: string
  /** A larger payload is an error at publish. Default 256 KiB, which every broker here takes. */
  payloadBytesMax?: number
}

export type Outbox = {
  /**
   * Publishes if and only if the transaction commits. Returns the message's id. Throws IdempotencyUsageError for a message that
   * no relay could publish, before anything is written.
   */
  publish(tx: OutboxTransaction, message: OutgoingMessage): Promise<string>
  /** The same for several in one statement, in their order. */
  publishAll(tx: OutboxTransaction, messages: readonly OutgoingMessage[]): Promise<string[]>
}

const PAYLOAD_BYTES_MAX = 262_144

export function createOutbox(options: OutboxOptions = {}): Outbox {
  const { schema = 'public', payloadBytesMax = PAYLOAD_BYTES_MAX } = options
  if (schema === '' || !(Number.isSafeInteger(payloadBytesMax) && payloadBytesMax > 0))
    throw new IdempotencyOptionsError(['schema must be a name and payloadBytesMax a whole number above 0'])
  const statement = `SELECT p.id FROM ${quoteIdentifier(schema)}.idem_publish($1, $2, $3, $4::text[]::jsonb[], $5) p (id)`

  async function publishAll(tx: OutboxTransaction, messages: readonly OutgoingMessage[]): Promise<string[]> {
    requireTransaction(tx)
    if (messages.length === 0) return []
    const encoded = messages.map((message) => encodeMessage(message, payloadBytesMax))
    const spans = encoded.map((message) => startCreateSpan(message))
    try {
      const { rows } = await tx.query(statement, columnsOf(encoded))
      const ids = rows.map(({ id }) => String(id))
      for (const [at, span] of spans.entries()) span.created(ids[at] ?? '')
      return ids
    } finally {
      for (const span of spans) span.end()
    }
  }

  return {
    publishAll,
    async publish(tx, message) {
      const [id] = await publishAll(tx, [message])
      if (id === undefined) throw new Error('idem_publish returned no id')
      return id
    },
  }
}

/** Brings the tables to this version, those of the store among them; see `PostgresStore.migrate`. */
export const migrateOutbox = (options: {
  pool: Pool
  schema?: string
  waitMs?: number
  clock?: Clock
}): Promise<{ applied: string[] }> =>
  migrateStore({ schema: 'public', waitMs: 60_000, clock: systemClock, ...options })

const columnsOf = (messages: readonly EncodedMessage[]): unknown[] => [
  messages.map(({ topic }) => topic),
  messages.map(({ key }) => key),
  messages.map(({ type }) => type),
  messages.map(({ headers }) => JSON.stringify(headers)),
  messages.map(({ payload }) => Buffer.from(payload)),
]

/** Without one the message would be published whatever becomes of the service's rows. */
function requireTransaction(tx: OutboxTransaction): void {
  const idle = 'getTransactionStatus' in tx && typeof tx.getTransactionStatus === 'function'
  const isPool = 'totalCount' in tx
  if (isPool || (idle && (tx.getTransactionStatus as () => unknown)() === 'I'))
    throw new IdempotencyUsageError(
      'publish needs an open transaction: pass the client of ctx.transaction, or one on which BEGIN was sent',
    )
}

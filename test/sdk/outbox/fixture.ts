import { setTimeout } from 'node:timers/promises'
import type pg from 'pg'
import {
  createOutbox,
  createRelay,
  migrateOutbox,
  type OutboxMessage,
  type OutgoingMessage,
  type Publisher,
  type Relay,
  type RelayOptions,
  type RelayRound,
} from '@/sdk/outbox'
import { createEmptyDatabase } from '../../support/database'
import { openPool } from '../support'

const LOOK_EVERY_MS = 5

export type OutboxFixture = Awaited<ReturnType<typeof createOutboxFixture>>

/** An outbox in a database of its own. */
export async function createOutboxFixture(connectionsMax = 10) {
  const database = await createEmptyDatabase()
  const pool = openPool(database.url, connectionsMax)
  await migrateOutbox({ pool })
  const outbox = createOutbox()
  return {
    url: database.url,
    pool,
    outbox,
    /** In a transaction of their own. */
    publish: (...messages: OutgoingMessage[]) =>
      inTransaction(pool, (client) => outbox.publishAll(client, messages)),
    async states(): Promise<Record<string, string>> {
      const { rows } = await pool.query<{ type: string; state: string }>(
        'SELECT type, state FROM idem_outbox ORDER BY seq',
      )
      return Object.fromEntries(rows.map(({ type, state }) => [type, state]))
    },
    /** What failed is due now, without waiting. */
    makeDue: () =>
      pool.query(
        `UPDATE idem_outbox SET retry_at = clock_timestamp() - interval '1 second' WHERE state = 'R'`,
      ),
    async close() {
      await pool.end()
      await database.close()
    },
  }
}

export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}

/** A publisher that writes down what it was given. */
export function createRecorder({ keepsOrder = false } = {}) {
  const state = {
    published: [] as OutboxMessage[],
    batches: [] as number[],
    /** Why it refuses a message. */
    refuses: (_: OutboxMessage): string | null => null,
    down: null as Error | null,
    /** Is waited for before the messages are taken. */
    before: async (_: readonly OutboxMessage[]): Promise<void> => {},
  }
  const publisher: Publisher = {
    system: 'recorder',
    keepsOrder,
    async publish(messages) {
      await state.before(messages)
      if (state.down !== null) throw state.down
      state.batches.push(messages.length)
      const failed = new Set<string | null>()
      return messages.map((message) => {
        const error = state.refuses(message)
        if (error !== null) failed.add(message.key)
        if (error !== null || (keepsOrder && message.key !== null && failed.has(message.key)))
          return { kind: 'refused', error: error ?? 'behind one that failed' }
        state.published.push(message)
        return { kind: 'confirmed' }
      })
    },
  }
  return { state, publisher, types: () => state.published.map(({ type }) => type) }
}

export const relayOn = (
  { pool }: { pool: pg.Pool },
  publisher: Publisher,
  over: Partial<RelayOptions> = {},
): Relay => createRelay({ pool, publisher, listen: false, ...over })

/** One round; again while transactions of other tests, on the same server, hold the messages back. */
export async function work(relay: Relay): Promise<RelayRound> {
  for (;;) {
    const round = await relay.runOnce()
    if (round.kind !== 'held_back') return round
    await setTimeout(LOOK_EVERY_MS)
  }
}

/** Until nothing is left that could be published now. */
export async function drain(relay: Relay): Promise<void> {
  while ((await work(relay)).kind === 'worked');
}

export const message = (type: string, key: string | null = null, topic = 'orders'): OutgoingMessage => ({
  topic,
  key,
  type,
  payload: { type },
})

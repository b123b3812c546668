import type { Pool, PoolClient } from 'pg'

export type BorrowedClient = {
  client: PoolClient
  /** Gives it back, once. `broken` = it must not return to the pool. */
  release(broken?: unknown): void
  /** Unable to roll back = the connection is gone. Nothing once it was given back. */
  rollBack(send?: (text: 'ROLLBACK') => Promise<unknown>): Promise<void>
}

/** A connection of the pool for some statements in a row. */
export async function borrowClient(pool: Pool): Promise<BorrowedClient> {
  const client = await pool.connect()
  // A connection that breaks between two statements tells the client, and without a listener ends the process.
  client.on('error', ignore)
  let released = false
  const release = (broken?: unknown) => {
    if (released) return
    released = true
    client.release(broken === undefined ? undefined : asError(broken))
    client.off('error', ignore)
  }
  return {
    client,
    release,
    async rollBack(send = (text) => client.query(text)) {
      if (!released) await send('ROLLBACK').catch(release)
    },
  }
}

const ignore = () => {}

const asError = (cause: unknown) => (cause instanceof Error ? cause : new Error('the connection broke'))

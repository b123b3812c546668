import type { Pool, PoolClient } from 'pg'
import type { TransactionEnd } from '../store'
import { asStoreError } from './unavailable'

/**
 * One READ COMMITTED transaction (under REPEATABLE READ a heartbeat between snapshot and completion would abort it).
 * What the work throws is thrown as it is, after ROLLBACK.
 */
export async function runTransaction(
  pool: Pool,
  work: (tx: PoolClient) => Promise<TransactionEnd>,
): Promise<void> {
  const client = await pool.connect().catch((error: unknown) => {
    throw asStoreError(error)
  })
  let broken: Error | undefined
  try {
    await control(client, 'BEGIN ISOLATION LEVEL READ COMMITTED')
    const end = await work(client)
    await control(client, end === 'commit' ? 'COMMIT' : 'ROLLBACK')
  } catch (error) {
    // Unable to roll back = the connection is gone; it must not return to the pool.
    await client.query('ROLLBACK').catch((cause: unknown) => {
      broken = cause instanceof Error ? cause : new Error('ROLLBACK failed')
    })
    throw error
  } finally {
    client.release(broken)
  }
}

async function control(client: PoolClient, statement: string): Promise<void> {
  try {
    await client.query(statement)
  } catch (error) {
    throw asStoreError(error)
  }
}

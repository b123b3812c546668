import type { Pool, PoolClient } from 'pg'
import { IdempotencyUsageError } from '../../errors'
import type { TransactionEnd } from '../store'
import { asStoreError } from './unavailable'

/**
 * One READ COMMITTED transaction (under REPEATABLE READ a heartbeat between snapshot and completion would abort it).
 * What the work throws is thrown as it is, after ROLLBACK. After a failed statement whose error was swallowed PostgreSQL
 * answers COMMIT with ROLLBACK: that throws too.
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
    const done = await control(client, end === 'commit' ? 'COMMIT' : 'ROLLBACK')
    if (end === 'commit' && done !== 'COMMIT') throw swallowed()
  } catch (error) {
    // Unable to roll back = the connection is gone; it must not return to the pool.
    await client.query('ROLLBACK').catch((cause: unknown) => {
      broken = cause instanceof Error ? cause : new Error('ROLLBACK failed')
    })
    throw isAborted(error) ? swallowed(error) : error
  } finally {
    client.release(broken)
  }
}

/** A statement after the failed one, e.g. the completion of the key. */
const isAborted = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '25P02'

const swallowed = (cause?: unknown) =>
  new IdempotencyUsageError(
    'nothing was committed: a statement of the transaction failed and its error was swallowed; let it throw, or put ' +
      'the statement into a SAVEPOINT',
    { cause },
  )

/** Returns the command that PostgreSQL says it carried out. */
async function control(client: PoolClient, statement: string): Promise<string> {
  try {
    return (await client.query(statement)).command
  } catch (error) {
    throw asStoreError(error)
  }
}

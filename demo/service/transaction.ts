import type { Pool, PoolClient } from 'pg'
import type { IdempotencyContext } from '../../sdk/idempotent'

/** Runs what belongs together, and answers with what it returns. */
export type Transact = (
  ctx: IdempotencyContext<PoolClient>,
  work: (tx: PoolClient) => Promise<Response>,
) => Promise<Response>

/** One transaction with the completion of the key, where the store is in the same database. */
export const withCompletion: Transact = (ctx, work) => ctx.transaction(work)

/**
 * A transaction of its own, before the key is completed elsewhere. A service that dies between the two runs it again, so
 * all that it does must be so written that a second time changes nothing.
 */
export function beforeCompletion(pool: Pool): Transact {
  return async (_ctx, work) => {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const answer = await work(client)
      await client.query('COMMIT')
      client.release()
      return answer
    } catch (error) {
      // Its transaction ends with its connection.
      client.release(true)
      throw error
    }
  }
}

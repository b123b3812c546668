import type { Pool, PoolClient, QueryResult } from 'pg'
import { type Clock, sleep } from '../../clock'
import { IdempotencyUsageError, StoreUnavailableError, UnknownCommitError } from '../../errors'
import type { TransactionEnd } from '../store'
import { borrowClient } from './borrow-client'
import { asStoreError, codeOf } from './unavailable'

/** A transaction of the store's pool, and its id: by it is known what became of it when the connection breaks. */
export type Transaction = { client: PoolClient; xid: string }

const open = new WeakMap<PoolClient, Transaction>()

/** The transaction that the SDK has begun on this client. */
export function transactionOf(client: PoolClient): Transaction {
  const transaction = open.get(client)
  if (transaction === undefined)
    throw new IdempotencyUsageError('this client is in no transaction of the SDK')
  return transaction
}

type TransactionOptions = {
  pool: Pool
  clock: Clock
  operationTimeoutMs: number
  /** Whether what the transaction was to take away is still there, on a server that takes writes. */
  isUndone?: () => Promise<boolean>
}

/**
 * One READ COMMITTED transaction (under REPEATABLE READ a heartbeat between snapshot and completion would abort it).
 * What the work throws is thrown as it is, after ROLLBACK. After a failed statement whose error was swallowed PostgreSQL
 * answers COMMIT with ROLLBACK: that throws too. When the answer to COMMIT is lost, the server is asked what became of it.
 */
export async function runTransaction(
  options: TransactionOptions,
  work: (tx: PoolClient) => Promise<TransactionEnd>,
): Promise<void> {
  const { client, release, rollBack } = await borrowClient(options.pool).catch((error: unknown) => {
    throw asStoreError(error)
  })
  const control = (text: string) =>
    client.query({ text, query_timeout: options.operationTimeoutMs } as { text: string })
  try {
    const xid = await begin(client)
    open.set(client, { client, xid })
    const end = await work(client)
    if (end === 'rollback') await control('ROLLBACK')
    else await commit(options, xid, () => control('COMMIT'), release)
  } catch (error) {
    await rollBack(control)
    throw isAborted(error) ? swallowed(error) : error
  } finally {
    open.delete(client)
    release()
  }
}

/** One round trip. The id is given out now, since the work is to write anyway. */
async function begin(client: PoolClient): Promise<string> {
  try {
    const results: unknown = await client.query(
      'BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_current_xact_id()::text AS xid',
    )
    const [, { rows }] = results as [QueryResult, QueryResult<{ xid: string }>]
    const [row] = rows
    if (row === undefined) throw new Error('no transaction id')
    return row.xid
  } catch (error) {
    throw asStoreError(error)
  }
}

async function commit(
  options: TransactionOptions,
  xid: string,
  send: () => Promise<{ command: string }>,
  release: (broken: unknown) => void,
): Promise<void> {
  try {
    if ((await send()).command !== 'COMMIT') throw swallowed()
  } catch (error) {
    if (isAnswer(error)) throw asStoreError(error)
    // First, since the question may need its place in the pool.
    release(error)
    const became = await readOutcome(options, xid)
    if (became === 'committed') return
    if (became === 'aborted') {
      throw new StoreUnavailableError('nothing was committed: the connection broke at COMMIT', {
        cause: error,
      })
    }
    throw new UnknownCommitError(
      'the connection broke at COMMIT and the store could not be asked what became of it',
      { cause: error },
    )
  }
}

/**
 * The server's word that this COMMIT failed, not that the session ended. Only a server says how severe an error is: a
 * broken pipe's EPIPE has five letters, as a SQLSTATE has.
 */
const isAnswer = (error: unknown): boolean =>
  error instanceof IdempotencyUsageError ||
  (error instanceof Error && 'severity' in error && !/^(08|40003|57|58)/.test(codeOf(error) ?? '08'))

/** Some six seconds: a restart of the server is over by then. */
const ASK_DELAYS_MS = [0, 50, 100, 200, 400, 800, 1_500, 3_000]
/** From here on a transaction in progress is one whose server process does not know that its client is gone. */
const ASKED_BEFORE_END = 3

async function readOutcome(
  { pool, clock, isUndone }: TransactionOptions,
  xid: string,
): Promise<'committed' | 'aborted' | 'unknown'> {
  for (const [asked, delayMs] of ASK_DELAYS_MS.entries()) {
    await sleep(clock, delayMs)
    try {
      if (asked >= ASKED_BEFORE_END) await endOrphan(pool, xid)
      const { rows } = await pool.query<{ status: string | null }>(
        'SELECT pg_xact_status($1::xid8) AS status',
        [xid],
      )
      const status = rows[0]?.status
      // After a failover the id may be of another transaction, and this one be lost.
      if (status === 'committed' && (await isUndone?.()) === true) return 'unknown'
      if (status === 'committed' || status === 'aborted') return status
    } catch {
      // Not reachable yet; after a failover, an id that the new server has not given out.
    }
  }
  return 'unknown'
}

/** Its connection is broken, so nobody can end it any more; by the transaction's id it is surely ours. */
const endOrphan = (pool: Pool, xid: string) =>
  pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND backend_xid::text = ($1::xid8)::xid::text`,
    [xid],
  )

/** A statement after the failed one, e.g. the completion of the key. */
const isAborted = (error: unknown): boolean => codeOf(error) === '25P02'

const swallowed = (cause?: unknown) =>
  new IdempotencyUsageError(
    'nothing was committed: a statement of the transaction failed and its error was swallowed; let it throw, or put ' +
      'the statement into a SAVEPOINT',
    { cause },
  )

/** For a transaction that completes no key: the completion looks at it by itself. */
export async function requireOpen({ client, xid }: Transaction): Promise<void> {
  const { rows } = await client.query<{ xid: string | null }>(
    'SELECT pg_current_xact_id_if_assigned()::text AS xid',
  )
  if (rows[0]?.xid !== xid) throw endedByWork()
}

export const endedByWork = () =>
  new IdempotencyUsageError(
    'the work ended the transaction itself (COMMIT, ROLLBACK, or a nested transaction without SAVEPOINT): what it ' +
      'committed stays, the key is not completed; let the SDK end the transaction',
  )

import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { type Prisma, PrismaClient } from '@/prisma/generated/client'

/** Prisma for ordinary rows; the pool for event tables, set-based work and COPY. */
export type Db = { prisma: PrismaClient; pool: pg.Pool; url: string }

/** An open Prisma transaction: what a verb writes, its audit entry included, commits or fails together. */
export type Tx = Prisma.TransactionClient

/** Connects lazily. `poolMax` bounds each of the two pools of this process. */
export function openDatabase(url: string, poolMax: number): Db {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolMax,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 5_000,
  })
  // An idle connection that the server closed must not end the process; the next query reports it.
  pool.on('error', () => undefined)
  // Nor one in use: the pool listens to it only while it is idle. The query under way, or the next one, rejects.
  pool.on('connect', (client) => client.on('error', () => undefined))
  const adapter = new PrismaPg({ connectionString: url, max: poolMax, connectionTimeoutMillis: 5_000 })
  const prisma = new PrismaClient({ adapter, transactionOptions: { maxWait: 5_000, timeout: 15_000 } })
  return { prisma, pool, url }
}

export async function closeDatabase(db: Db): Promise<void> {
  await Promise.all([db.prisma.$disconnect(), db.pool.end()])
}

/** Runs `work` on one connection in one transaction, which `begin` opens. Never make an external call inside. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  begin = 'BEGIN',
): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query(begin)
    const result = await work(client)
    await client.query('COMMIT')
    client.release()
    return result
  } catch (error) {
    // A connection whose rollback fails is broken: destroy it rather than hand it on.
    const broken = await client.query('ROLLBACK').then(
      () => undefined,
      (cause: Error) => cause,
    )
    client.release(broken)
    throw error
  }
}

/** Reads in one READ ONLY transaction, whose statements the server itself ends after `timeoutMs` (SQLSTATE 57014). */
export async function inReadOnly<T>(
  pool: pg.Pool,
  timeoutMs: number,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return inTransaction(pool, work, `BEGIN READ ONLY; SET LOCAL statement_timeout = ${Math.ceil(timeoutMs)}`)
}

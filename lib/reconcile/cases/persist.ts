import type pg from 'pg'
import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { invariant } from '@/lib/core/errors'
import { inTransaction } from '@/lib/db'
import { notify } from '@/lib/live-events'
import type { Watermark } from '@/lib/mirror/watermark'
import { CLOSED_BY_HAND, lockCases } from './case-lock'
import { type Flood, readFloods, writeFloods } from './flood'
import { CHANGE_CASES, HEAL_CASES, INSERT_CASES } from './persist-sql'

export type Persisted = {
  openBefore: number
  opened: number
  reopened: number
  resolved: number
  open: number
  /** A class had more new breaks than the cap. What of it was not opened is classified again by the next run. */
  flooded: boolean
  floods: Flood[]
}

export type PersistRun = {
  id: string
  system: string
  asOf: Date
  /** A source failed: what is not found any more may merely not have been read. */
  incomplete: boolean
  floodCap: number
  /** Scheduled runs advance it; runs on demand do not. */
  watermark: Watermark | null
  /** Only these were looked at: whatever else is open stays as it is. */
  only: readonly bigint[] | null
}

const countRow = z.object({ count: z.coerce.number() })

/**
 * Cases from findings, set-wise, in one transaction with the watermark: opens, changes, reopens and auto-resolves. A class that floods
 * holds up no other. Asserts that open = open before + new − closed.
 */
export async function persist(
  ctx: SystemContext & { inBatch?: (client: pg.PoolClient) => Promise<void> },
  run: PersistRun,
): Promise<Persisted> {
  const now = ctx.clock.now()
  const counts = await inTransaction(ctx.db.pool, async (client) => {
    await lockCases(client, run.system)
    const openBefore = await countOpen(client, run.system)
    const floods = await readFloods(client, run)
    const opened = await count(client, INSERT_CASES, [
      run.id,
      run.system,
      now,
      run.asOf,
      JSON.stringify(floods),
    ])
    const reopened = await count(client, CHANGE_CASES, [run.id, run.system, now, CLOSED_BY_HAND])
    const resolved = run.incomplete ? 0 : await count(client, HEAL_CASES, [run.id, run.system, now, run.only])
    if (run.watermark !== null) await advance(client, run, run.watermark, now)
    if (floods.length > 0) await classifyAgain(client, run)
    const open = await countOpen(client, run.system)
    invariant(
      open === openBefore + opened + reopened - resolved,
      `open ${open} = before ${openBefore} + opened ${opened} + reopened ${reopened} − resolved ${resolved}`,
    )
    await writeFloods(client, run, floods, { now, clears: run.watermark !== null && !run.incomplete })
    await ctx.inBatch?.(client)
    return { openBefore, opened, reopened, resolved, open, flooded: floods.length > 0, floods }
  })
  if (counts.opened + counts.reopened + counts.resolved > 0) {
    await notify(ctx.db.pool, { kind: 'case' })
  }
  return counts
}

async function count(client: pg.PoolClient, sql: string, values: unknown[]): Promise<number> {
  const { rows } = await client.query(sql, values)
  return countRow.parse(rows[0]).count
}

const countOpen = (client: pg.PoolClient, system: string): Promise<number> =>
  count(client, `SELECT count(*) FROM reconciliation_case WHERE system = $1 AND lifecycle <> 'resolved'`, [
    system,
  ])

/** What a flood left without a case: the watermark has passed it, so that it waits until the flood is over. */
const classifyAgain = (client: pg.PoolClient, run: PersistRun): Promise<unknown> =>
  client.query(
    `INSERT INTO mirror.pending (system, operation_id, due_at)
     SELECT DISTINCT f.system, f.operation_id, $3::timestamptz FROM mirror.finding f
     WHERE f.run_id = $1 AND f.system = $2 AND f.outcome = 'break'
       AND NOT EXISTS (SELECT FROM reconciliation_case c WHERE c.break_id = f.break_id)
     ON CONFLICT (system, operation_id) DO UPDATE SET due_at = least(mirror.pending.due_at, excluded.due_at)`,
    [run.id, run.system, run.asOf],
  )

/** What was classified leaves the waiting list; what has to be classified again is put on it. */
async function advance(
  client: pg.PoolClient,
  run: PersistRun,
  watermark: Watermark,
  now: Date,
): Promise<void> {
  await client.query(
    `DELETE FROM mirror.pending p
     WHERE p.system = $1 AND (p.due_at <= $2 OR EXISTS (
       SELECT FROM mirror.object o WHERE o.operation_id = p.operation_id AND o.seq > $3 AND o.seq <= $4))`,
    [run.system, run.asOf, watermark.from, watermark.to],
  )
  await client.query(
    `INSERT INTO mirror.pending (system, operation_id, due_at)
     SELECT system, operation_id, recheck_at FROM mirror.candidate
     WHERE run_id = $1 AND system = $2 AND recheck_at IS NOT NULL
     ON CONFLICT (system, operation_id) DO UPDATE SET due_at = least(mirror.pending.due_at, excluded.due_at)`,
    [run.id, run.system],
  )
  await client.query(
    `INSERT INTO mirror.watermark (system, seq, at, run_id) VALUES ($1, $2, $3, $4)
     ON CONFLICT (system) DO UPDATE SET seq = excluded.seq, at = excluded.at, run_id = excluded.run_id
       WHERE mirror.watermark.seq <= excluded.seq`,
    [run.system, watermark.to, now, run.id],
  )
}

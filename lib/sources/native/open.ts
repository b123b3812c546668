import { z } from 'zod'
import { type Clock, systemClock } from '@/lib/core/clock'
import { type IntentSource, type LeasePage, setApart } from '../contracts'
import { openSourcePool, type SourcePool, storeClock } from '../postgres-pool'
import type { NativeConfig } from './config'
import { openHolds } from './holds'
import { end, release } from './operate'
import { collectPartition, listPartitions, sample } from './partitions'
import { readKey } from './read-key'
import { readPartition } from './read-partition'
import { readRecords } from './read-records'
import { LEASE_JSON, parseLease, tryRow } from './rows'

/** Our own store in the service's PostgreSQL (sdk/migrations). */
export function openNativeSource(
  config: NativeConfig,
  secret: { url: string },
  readOnly = false,
  clock: Clock = systemClock,
): IntentSource {
  const pool = openSourcePool({
    url: secret.url,
    applicationName: 'idemscope-intent',
    schema: config.schema,
    readOnly,
    statementTimeoutMs: config.statementTimeoutMs,
    poolMax: config.poolMax,
  })
  return {
    kind: 'intent',
    capabilities: {
      canRelease: true,
      canComplete: true,
      canFail: true,
      canCollect: true,
      canHold: true,
      casStrength: 'token',
      zombieSafe: true,
      recordsEffects: true,
      providerKeyed: config.providerKeyed,
    },
    responses: config.responses,
    storeClock: () => storeClock(pool),
    readLeases: ({ limit }) => readLeases(pool, limit),
    readRecords: (cursor, limit) => readRecords({ pool, config, clock }, cursor, limit),
    readKey: (scope, key) => readKey(pool, config, scope, key),
    release: (seen, options) => release(pool, config, seen, options),
    complete: (seen, options) => end(pool, config, seen, options, 'completed'),
    fail: (seen, options) => end(pool, config, seen, options, 'failed_final'),
    recordsKeptMs: () => shortestTtl(pool),
    sample: () => sample(pool),
    listPartitions: () => listPartitions(pool),
    collectPartition: (partition, safetyMs) => collectPartition(pool, partition, safetyMs),
    readPartition: (partition, position, limit) => readPartition(pool, partition, position, limit),
    holds: openHolds(pool),
    close: () => pool.close(),
  }
}

async function shortestTtl(pool: SourcePool): Promise<number | null> {
  const [row] = await pool.query('SELECT min(ttl_ms)::float8 AS ms FROM idem_tier')
  return z.object({ ms: z.number().nullable() }).parse(row).ms
}

/** The clock is read first: what is said to be absent at `now` was absent then or later. */
async function readLeases(pool: SourcePool, limit: number): Promise<LeasePage> {
  const now = await storeClock(pool)
  const rows = await pool.query(
    `SELECT to_jsonb(x) AS row FROM (${LEASE_JSON} ORDER BY l.created_at, l.scope_id, l.key LIMIT $1) x`,
    [limit + 1],
  )
  const { read, unreadable } = setApart(rows.slice(0, limit).map(({ row }) => tryRow(row, parseLease)))
  return {
    now,
    leases: read,
    unreadable,
    truncated: rows.length > limit,
  }
}

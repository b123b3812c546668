import { z } from 'zod'
import type { OperateOptions, SeenLease, SettledEffect, StoredResponse, StoreOutcome } from '../contracts'
import { type SourcePool, sqlState } from '../postgres-pool'
import type { NativeConfig } from './config'
import { readKey } from './read-key'
import { refusalOf } from './refusal'
import { STEPS_DIGEST } from './rows'

const STATE_CHAR = { leased: 'L', retryable: 'R', unknown: 'U' } as const

/**
 * Everything observed of the lease, compared as text, and the holder dead by the store's clock. $1–$9. The `"char"` is
 * compared as text so that a value that no state has matches nothing. A lease whose stamps lie ahead of this clock is
 * dead when the caller has watched it ($9 is given): nothing renewed it since, or its stamps would differ.
 */
const AS_SEEN = `
  s.name = $1 AND l.scope_id = s.scope_id AND l.key = idem_key_bytes($2) AND l.created_at::text = $3
  AND l.fence = $4::bigint AND l.state::text = $5 AND l.lease_until::text = $6 AND l.heartbeat_at::text = $7
  AND (l.state <> 'L' OR l.lease_until + $8::bigint * interval '1 millisecond' <= clock_timestamp()
    OR greatest(l.created_at, l.heartbeat_at) - $9::bigint * interval '1 millisecond' > clock_timestamp())`

const NEXT_FENCE = 'greatest(l.fence + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)'

/**
 * Kept, with its steps, as retryable; the raised fence shuts the old holder out. A step begins only under the lease's
 * row, so none can begin beside this. One that is settled while this runs is as one that is settled right after: it
 * stays with the key, and the next holder reads it.
 */
const RELEASE = `
  UPDATE idem_lease l
  SET state = 'R', fence = ${NEXT_FENCE}, lease_until = clock_timestamp(), owner = 'idemscope:' || $10
  FROM idem_scope s
  WHERE ${AS_SEEN}
    AND (SELECT ${STEPS_DIGEST} FROM idem_step p WHERE p.scope_id = l.scope_id AND p.key = l.key) = $11
  RETURNING clock_timestamp() AS now`

/**
 * The lease and its steps go, the record and its body come, in one statement. The record's fence is a new one: the old
 * holder's late completion must not be told that it was its own. The steps are compared as they are deleted, since one
 * may be settled until then: other steps than were seen give the record no fence, which its column refuses, and all of
 * this is undone.
 */
const END = `
  WITH lease AS (
    DELETE FROM idem_lease l USING idem_scope s
    WHERE ${AS_SEEN}
    RETURNING l.*, ${NEXT_FENCE} AS next_fence, clock_timestamp()
      + (SELECT t.ttl_ms FROM idem_tier t WHERE t.tier = l.tier) * interval '1 millisecond' AS expires_at
  ), step AS (
    DELETE FROM idem_step p USING lease l WHERE p.scope_id = l.scope_id AND p.key = l.key RETURNING p.*
  ), record AS (
    INSERT INTO idem_record (expires_at, created_at, fence, scope_id, tier, status, attempts, state, key, fingerprint, trace_id)
    SELECT l.expires_at, l.created_at, CASE WHEN (SELECT ${STEPS_DIGEST} FROM step p) = $15 THEN l.next_fence END,
      l.scope_id, l.tier, $10::smallint, least(l.attempts, 32767), $11::text::"char", l.key, l.fingerprint, l.trace_id
    FROM lease l
    RETURNING clock_timestamp() AS now
  ), effect AS (
    SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('step', p.step, 'name', p.name, 'kind', p.kind,
      'state', CASE WHEN x.step IS NULL THEN p.state::text ELSE 'C' END, 'providerKey', p.provider_key,
      'reference', coalesce(x.reference, p.reference),
      'amountMinor', coalesce(x."amountMinor", p.amount_minor::text), 'currency', coalesce(x.currency, p.currency),
      'begunAt', p.begun_at, 'settledAt', CASE WHEN x.step IS NULL THEN p.settled_at ELSE clock_timestamp() END
    )) ORDER BY p.begun_at) AS effects
    FROM step p
    LEFT JOIN jsonb_to_recordset($14::jsonb) x(step text, reference text, "amountMinor" text, currency text)
      ON x.step = p.step
    WHERE p.kind <> 'checkpoint'
  ), body AS (
    INSERT INTO idem_body (expires_at, scope_id, tier, key, headers, body, effects)
    SELECT l.expires_at, l.scope_id, l.tier, l.key, $12::jsonb, $13::bytea, e.effects FROM lease l, effect e
  )
  SELECT now FROM record`

const ENSURE_PARTITIONS = `
  SELECT idem_ensure_partitions(l.tier)
  FROM idem_lease l JOIN idem_scope s ON s.scope_id = l.scope_id
  WHERE s.name = $1 AND l.key = idem_key_bytes($2)`

const nowRow = z.object({ now: z.date() })

export async function release(
  pool: SourcePool,
  config: NativeConfig,
  seen: SeenLease,
  options: OperateOptions,
): Promise<StoreOutcome> {
  const [row] = await pool.query(RELEASE, [...asSeen(seen, options), options.actionId, seen.steps])
  return row === undefined
    ? refusal(pool, config, seen, options)
    : { kind: 'done', now: nowRow.parse(row).now }
}

export async function end(
  pool: SourcePool,
  config: NativeConfig,
  seen: SeenLease,
  options: OperateOptions & { response: StoredResponse; settled?: readonly SettledEffect[] },
  state: 'completed' | 'failed_final',
): Promise<StoreOutcome> {
  await pool.query(ENSURE_PARTITIONS, [seen.scope, seen.key])
  const settled = (options.settled ?? []).map((e) => ({
    ...e,
    amountMinor: e.amountMinor?.toString() ?? null,
  }))
  const values = [
    ...asSeen(seen, options),
    options.response.status,
    state === 'completed' ? 'C' : 'F',
    JSON.stringify(Object.entries(options.response.headers)),
    Buffer.from(options.response.body, 'utf8'),
    JSON.stringify(settled),
    seen.steps,
  ]
  const [row] = await pool.query(END, values).catch(unlessStepsChanged)
  return row === undefined
    ? refusal(pool, config, seen, options)
    : { kind: 'done', now: nowRow.parse(row).now }
}

const NOT_NULL_VIOLATION = '23502'
const nullOf = z.object({ cause: z.object({ column: z.literal('fence') }) })

function unlessStepsChanged(error: unknown): [] {
  if (sqlState(error) === NOT_NULL_VIOLATION && nullOf.safeParse(error).success) return []
  throw error
}

const asSeen = (seen: SeenLease, options: OperateOptions): unknown[] => [
  seen.scope,
  seen.key,
  seen.createdAt,
  seen.fence,
  STATE_CHAR[seen.state],
  seen.leaseUntil,
  seen.heartbeatAt,
  options.graceMs,
  options.aheadMs ?? null,
]

async function refusal(
  pool: SourcePool,
  config: NativeConfig,
  seen: SeenLease,
  options: OperateOptions,
): Promise<StoreOutcome> {
  return refusalOf(seen, options, await readKey(pool, config, seen.scope, seen.key))
}

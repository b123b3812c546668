import { keyHash } from '@/lib/sources/key-hash'
import { SETTINGS, type World } from './world'

/** Telemetry of a client that used a key again with another body. */
export async function sightMismatch(world: World, held: { scope: string; key: string }): Promise<void> {
  const now = world.system.clock.now()
  await world.system.db.pool.query(
    `SELECT telemetry.ensure_partitions('keyed_request', $1::date, $1::date)`,
    [now],
  )
  await world.system.db.pool.query(
    `INSERT INTO telemetry.key (key_hash, scope, first_request_at, first_seen_at, last_seen_at)
     VALUES (decode($2, 'hex'), $3, $1, $1::timestamptz - interval '1 hour', $1::timestamptz + interval '1 hour')
     ON CONFLICT (key_hash, scope) DO UPDATE SET first_request_at = excluded.first_request_at, first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at`,
    [now, keyHash(SETTINGS.keySecret, held.key), held.scope],
  )
  await world.system.db.pool.query(
    `INSERT INTO telemetry.keyed_request (time, end_time, store_operations, store_errors, first_seen, duplicate,
       expired_retry, effect_twice, final, trace_id, span_id, key_hash, service, version, instance, environment, region,
       scope, endpoint, client, outcome)
     VALUES ($1, $1, 1, 0, false, true, false, false, false, '\\x01', '\\x02', decode($2, 'hex'), 'payments', '1', 'i',
       'test', 'r', $3, 'POST /v1/payments', 'web', 'mismatch')`,
    [now, keyHash(SETTINGS.keySecret, held.key), held.scope],
  )
}

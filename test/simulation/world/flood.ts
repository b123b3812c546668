import { keyHash } from '@/lib/sources/key-hash'
import type { Pace } from '../scripts/script'
import { RECONCILE_SETTINGS } from './reconciliation'
import { CALLER, ROUTE, SCOPE } from './service'
import type { World } from './world'

/** Of a history that is about a flood: fewer than the keys that a client can send again with another body. */
export const FLOOD_CAP = 2
const KEYS = 3

/** A client sends every key again, each with another body. */
export function flood(world: World, move: Pace & { process: number }): void {
  for (let key = 0; key < KEYS; key++) world.pay(world.keyName(key), { ...move, card: 'good', amount: 2_000 })
}

/**
 * What the service's telemetry says of requests whose body did not fit their key. It arrives before a run begins: beside one,
 * which marks keys too, it would wait for a transaction that stands still.
 */
export async function noteMismatches(world: World): Promise<void> {
  for (const mismatch of world.mismatched.splice(0)) await noteMismatch(world, mismatch)
}

async function noteMismatch(
  { env, serial }: World,
  { key, atMs }: World['mismatched'][number],
): Promise<void> {
  const { pool } = env.db
  const values = [new Date(atMs), keyHash(RECONCILE_SETTINGS.keySecret, key), SCOPE]
  await pool.query(
    `SELECT telemetry.ensure_partitions('keyed_request', $1::date, $1::date)`,
    values.slice(0, 1),
  )
  await pool.query(
    `INSERT INTO telemetry.key (key_hash, scope, first_request_at, first_seen_at, last_seen_at)
     VALUES (decode($2, 'hex'), $3, $1, $1, $1) ON CONFLICT (key_hash, scope) DO UPDATE SET last_seen_at = $1`,
    values,
  )
  await pool.query(
    `INSERT INTO telemetry.keyed_request (time, end_time, store_operations, store_errors, first_seen, duplicate,
       expired_retry, effect_twice, final, trace_id, span_id, key_hash, service, version, instance, environment, region,
       scope, endpoint, client, outcome)
     VALUES ($1, $1, 1, 0, false, true, false, false, false, int4send($4), int4send($4), decode($2, 'hex'), 'payments',
       '1', 'i', 'test', 'r', $3, $5, $6, 'mismatch')`,
    [...values, serial(), `POST ${ROUTE}`, CALLER],
  )
}

/** A job of the service that goes round the SDK charges a customer once more, and says whose key it is. */
export async function chargeTwice(world: World, nth: number): Promise<void> {
  const charge = world.nthCharge(nth)
  if (charge === undefined || charge.description === null) return
  const key = charge.description
  const metadata = Object.entries(charge.metadata).map(([name, value]) => [
    `metadata[${name}]`,
    String(value),
  ])
  const form = new URLSearchParams({
    ...{ amount: String(charge.amount), currency: 'usd', confirm: 'true', description: key },
    ...{ payment_method: 'pm_card_visa', ...Object.fromEntries(metadata) },
  }).toString()
  await world.provider.request({ method: 'POST', path: '/v1/payment_intents', form })
  world.chargedTwice.add(key)
}

import { BRANDUR_SCHEMA } from '../../support/rocket-rides-schema'
import type { Service } from './service'

/** A second service, on a library that is not ours: rocket-rides-atomic, whose keys a policy collects row by row. */
export const RIDES_SCHEMA = `${BRANDUR_SCHEMA}
  CREATE TABLE ride (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, reference text NOT NULL);`

const KEY = `SELECT response_body->>'ride' AS ride, recovery_point AS point, locked_at IS NOT NULL
    AND locked_at > clock_timestamp() - interval '90 s' AS held
  FROM idempotency_keys WHERE user_id = 7 AND idempotency_key = $1 FOR UPDATE`

/** A ride is booked: the key is taken in one transaction, the ride made and the key finished in another. */
export async function bookRide(service: Service, key: string): Promise<{ status: number; body: string }> {
  const booked = (ride: unknown) => ({ status: 201, body: `ride ${ride}` })
  const taken = await service.transaction(async (query) => {
    await query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [key])
    const [known] = await query(KEY, [key])
    if (known?.point === 'finished') return booked(known.ride)
    if (known?.held === true) return { status: 409, body: '' }
    await query(
      `INSERT INTO idempotency_keys (idempotency_key, request_method, request_params, request_path, recovery_point, user_id)
       VALUES ($1, 'POST', '{}', '/rides', 'started', 7)
       ON CONFLICT (user_id, idempotency_key) DO UPDATE SET locked_at = clock_timestamp(), last_run_at = clock_timestamp()`,
      [key],
    )
    return null
  })
  if (taken !== null) return taken
  return service.transaction(async (query) => {
    const [known] = await query(KEY, [key])
    if (known === undefined) return { status: 500, body: '' }
    if (known.point === 'finished') return booked(known.ride)
    const [ride] = await query('INSERT INTO ride (reference) VALUES ($1) RETURNING id', [key])
    await query(
      `UPDATE idempotency_keys SET recovery_point = 'finished', locked_at = NULL, response_code = 201, response_body = $2
       WHERE user_id = 7 AND idempotency_key = $1`,
      [key, JSON.stringify({ ride: ride?.id })],
    )
    return booked(ride?.id)
  }, key)
}

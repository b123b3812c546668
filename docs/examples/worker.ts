import { createIdempotentFetch, IdempotentFetchError } from '@idemscope/sdk/client'
import { pool } from './payments'

// Sends payouts through the API. A row's id is its idempotency key: a worker that dies between the answer and its
// UPDATE sends the row again, and gets the stored answer instead of a second charge.

const send = createIdempotentFetch({ attemptsMax: 5, totalTimeoutMs: 30_000 })

type Payout = { id: string; amount_minor: string; currency: string }

async function sendNext(): Promise<boolean> {
  const { rows } = await pool.query<Payout>(
    'SELECT id, amount_minor, currency FROM payout WHERE sent_at IS NULL ORDER BY id LIMIT 1',
  )
  const [row] = rows
  if (row === undefined) return false
  const response = await send(`${process.env.PAYMENTS_URL}/v1/payments`, {
    method: 'POST',
    idempotencyKey: row.id,
    headers: { 'content-type': 'application/json', 'x-api-client': 'payouts' },
    body: JSON.stringify({ amountMinor: Number(row.amount_minor), currency: row.currency }),
  })
  if (!response.ok) throw new Error(`payout ${row.id}: ${response.status} ${await response.text()}`)
  await pool.query('UPDATE payout SET sent_at = now() WHERE id = $1 AND sent_at IS NULL', [row.id])
  return true
}

try {
  while (await sendNext());
} catch (error) {
  // The outcome is not known: the next start sends the same key again.
  if (error instanceof IdempotentFetchError) console.error(`${error.idempotencyKey} is not known to be paid`)
  throw error
} finally {
  await pool.end()
}

import { idempotent } from '@idemscope/sdk'
import { createPostgresStore } from '@idemscope/sdk/stores/postgres'
import pg, { type PoolClient } from 'pg'

export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
// An idle connection that breaks must not end the process.
pool.on('error', (error) => console.error(error))

const DAY_MS = 24 * 3_600_000
export const store = createPostgresStore({ pool })

/** At the start of the service, or in its deploy step. */
export async function prepare(): Promise<void> {
  await store.migrate()
  await store.registerTier('default', DAY_MS)
  await pool.query('CREATE TABLE IF NOT EXISTS payment (id text PRIMARY KEY, amount_minor bigint NOT NULL)')
}

export const createPayment = idempotent<PoolClient>(
  async (request, ctx) => {
    const { amountMinor, currency } = await request.json()
    // A retry that finds this step done gets its result; the provider's own key makes a repeated call harmless.
    const charge = await ctx.effect(
      'charge',
      { name: 'provider.charge' },
      async ({ idempotencyKey, metadata, signal }) => {
        const response = await fetch(`${process.env.PROVIDER_URL}/charges`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
          // The console finds the charge by these names.
          body: JSON.stringify({ amountMinor, currency, metadata }),
          signal,
        })
        if (!response.ok) throw new Error(`the provider answered ${response.status}`)
        const { id } = await response.json()
        return { reference: id, amountMinor, currency, result: { id } }
      },
    )
    return ctx.transaction(async (tx) => {
      // The row and the key's completion: both or neither.
      await tx.query('INSERT INTO payment (id, amount_minor) VALUES ($1, $2)', [
        charge.result.id,
        amountMinor,
      ])
      return Response.json({ id: charge.result.id }, { status: 201 })
    })
  },
  {
    store,
    keySecret: process.env.IDEMSCOPE_KEY_SECRET ?? '',
    scope: (request) => {
      const caller = request.headers.get('x-api-client')
      if (caller === null) return new Response('x-api-client is missing', { status: 401 })
      return { caller, route: '/v1/payments' }
    },
  },
)

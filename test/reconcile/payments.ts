import { randomUUID } from 'node:crypto'
import type Stripe from 'stripe'
import { SCOPE, type World } from './world'

/** What a service does, one move at a time, so that a test can leave out any of them. */

export type Held = { scope: string; key: string; fence: string; tier: number }

export async function acquire(
  world: World,
  options: { scope?: string; key?: string; tier?: 'standard' | 'short'; leaseMs?: number } = {},
): Promise<Held> {
  const { scope = SCOPE, key = randomUUID(), leaseMs = 5_000 } = options
  const { rows: tiers } = await world.service.query('SELECT tier FROM idem_tier WHERE name = $1', [
    options.tier ?? 'standard',
  ])
  const { rows } = await world.service.query(
    `SELECT * FROM idem_acquire($1, $2, $3::smallint, decode(md5('body'), 'hex'), 'worker', $4, NULL)`,
    [scope, key, tiers[0].tier, leaseMs],
  )
  if (!['acquired', 'takeover'].includes(rows[0].kind)) throw new Error(`acquire: ${rows[0].kind}`)
  return { scope, key, fence: rows[0].fence, tier: tiers[0].tier }
}

export async function begin(world: World, held: Held, step = 'charge'): Promise<void> {
  await world.service.query(`SELECT * FROM idem_start_effect($1, $2, $3, $4, $5, 'http', $6, 5000)`, [
    held.scope,
    held.key,
    held.fence,
    step,
    `stripe.${step}`,
    `${held.key}:${step}`,
  ])
}

export async function settle(world: World, held: Held, reference: string, amount: number, step = 'charge') {
  await world.service.query(`SELECT idem_settle_effect($1, $2, $3, $4, 'C', $5, $6, 'USD', '{}')`, [
    held.scope,
    held.key,
    held.fence,
    step,
    reference,
    amount,
  ])
}

export async function complete(
  world: World,
  held: Held,
  body: Record<string, unknown>,
  options: { status?: number; state?: 'C' | 'F' } = {},
): Promise<void> {
  const { rows } = await world.service.query(
    `SELECT * FROM idem_complete($1, $2, $3, $4::text::"char", $5::smallint, '[]', $6)`,
    [
      held.scope,
      held.key,
      held.fence,
      options.state ?? 'C',
      options.status ?? 201,
      Buffer.from(JSON.stringify(body)),
    ],
  )
  if (rows[0].created_at === null) throw new Error('complete: stale')
}

export type Order = {
  reference: string
  amount?: number
  currency?: string
  manual?: boolean
  providerKey?: string
}

/** Charges at the provider, the way effect() does: its metadata carries the key. */
export async function charge(world: World, held: Held | null, order: Order): Promise<string> {
  const intent: Stripe.PaymentIntent = await world.stripe.paymentIntents.create(
    {
      amount: order.amount ?? 1050,
      currency: order.currency ?? 'usd',
      confirm: true,
      payment_method: 'pm_card_visa',
      ...(order.manual === true ? { capture_method: 'manual' as const } : {}),
      metadata: {
        reference: order.reference,
        ...(held === null
          ? {}
          : { idempotency_scope: held.scope, idempotency_key: held.key, idempotency_step: 'charge' }),
      },
    },
    { idempotencyKey: order.providerKey ?? `${held?.key ?? randomUUID()}:charge` },
  )
  return typeof intent.latest_charge === 'string' ? intent.latest_charge : (intent.latest_charge?.id ?? '')
}

const tagsOf = (held: Held, step: string) => ({
  idempotency_scope: held.scope,
  idempotency_key: held.key,
  idempotency_step: step,
})

/** A service that writes its tags on the payment intent once it is paid, and keeps the intent's id alone. */
export async function chargeByIntent(
  world: World,
  held: Held,
  amount = 1050,
): Promise<{ intent: string; charge: string }> {
  const intent = await world.stripe.paymentIntents.create(
    { amount, currency: 'usd', confirm: true, payment_method: 'pm_card_visa' },
    { idempotencyKey: `${held.key}:charge` },
  )
  await world.stripe.paymentIntents.update(intent.id, { metadata: tagsOf(held, 'charge') })
  return { intent: intent.id, charge: String(intent.latest_charge) }
}

/** A service that sends its customer to a checkout session, whose metadata no payment intent has. */
export async function openSession(world: World, held: Held): Promise<string> {
  const session = await world.stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [
      { quantity: 1, price_data: { currency: 'usd', unit_amount: 1050, product_data: { name: 'a chair' } } },
    ],
    metadata: tagsOf(held, 'charge'),
  })
  return session.id
}

export async function book(
  world: World,
  posting: {
    kind?: 'charge' | 'refund'
    ref: string
    charge?: string
    reference: string
    amount?: number
    currency?: string
  },
): Promise<string> {
  const { rows } = await world.service.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
     VALUES ($1, $2, $3, $4, $5, $6) RETURNING entry_id`,
    [
      posting.kind ?? 'charge',
      posting.ref,
      posting.charge ?? posting.ref,
      posting.reference,
      posting.amount ?? 1050,
      posting.currency ?? 'USD',
    ],
  )
  return rows[0].entry_id
}

export type Paid = { held: Held; charge: string; reference: string }

/** A whole payment; `skip` leaves a move out, as a fault does. */
export async function pay(
  world: World,
  reference: string,
  options: Partial<Order> & {
    skip?: 'book' | 'complete'
    bookAs?: number
    held?: Held
    tier?: 'standard' | 'short'
  } = {},
): Promise<Paid> {
  const held = options.held ?? (await acquire(world, { tier: options.tier ?? 'standard' }))
  const amount = options.amount ?? 1050
  await begin(world, held)
  const id = await charge(world, held, { reference, ...options })
  await settle(world, held, id, amount)
  const booked = options.bookAs ?? amount
  if (options.skip !== 'book' && options.manual !== true)
    await book(world, { ref: id, reference, amount: booked })
  if (options.skip !== 'complete')
    await complete(world, held, { id: `pay_${id.slice(3)}`, reference, charge: id })
  return { held, charge: id, reference }
}

/** Gives back part of a payment, with its own key. */
export async function giveBack(
  world: World,
  paid: Paid,
  options: { amount?: number; skip?: 'book' } = {},
): Promise<{ held: Held; refund: string }> {
  const amount = options.amount ?? 500
  const held = await acquire(world, { scope: 'web/POST /v1/payments/{id}/refunds' })
  await begin(world, held, 'refund')
  const refund = await world.stripe.refunds.create(
    {
      charge: paid.charge,
      amount,
      metadata: {
        reference: paid.reference,
        idempotency_scope: held.scope,
        idempotency_key: held.key,
        idempotency_step: 'refund',
      },
    },
    { idempotencyKey: `${held.key}:refund` },
  )
  await settle(world, held, refund.id, amount, 'refund')
  if (options.skip !== 'book') {
    await book(world, {
      kind: 'refund',
      ref: refund.id,
      charge: paid.charge,
      reference: paid.reference,
      amount,
    })
  }
  await complete(world, held, { id: refund.id, charge: paid.charge })
  return { held, refund: refund.id }
}

/** The lease passed long ago: its holder is dead. */
export async function killHolder(world: World, held: Held): Promise<void> {
  await world.service.query(
    `UPDATE idem_lease SET lease_until = clock_timestamp() - interval '1 minute',
       heartbeat_at = clock_timestamp() - interval '1 minute'
     WHERE key = idem_key_bytes($1)`,
    [held.key],
  )
}

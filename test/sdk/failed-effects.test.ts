import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PoolClient } from 'pg'
import Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiVersion } from '@/demo/provider/api-version'
import { type RunningProvider, startProvider } from '@/demo/provider/server'
import type { IdempotentHandler } from '@/sdk/idempotent'
import {
  createGate,
  createStoreFixture,
  idempotentOn,
  leaseState,
  postJson,
  type StoreFixture,
} from './support'

const DECLINED = 'pm_card_chargeDeclined'
const GOOD = 'pm_card_visa'

let fixture: StoreFixture
let provider: RunningProvider
let stripe: Stripe
let dataDir: string
let serial = 0
const newKey = () => `key-${++serial}`
const wrap = idempotentOn(() => fixture)

beforeAll(async () => {
  fixture = await createStoreFixture()
  dataDir = await mkdtemp(join(tmpdir(), 'idemscope-sdk-'))
  const keys = { readKey: 'rk_test_read', writeKey: 'sk_test_write' }
  provider = await startProvider({ port: 0, dataDir, seed: 'seed', ...keys })
  stripe = new Stripe(keys.writeKey, {
    apiVersion,
    host: '127.0.0.1',
    port: provider.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  })
})
afterAll(async () => {
  await provider.close()
  await rm(dataDir, { recursive: true })
  await fixture.close()
})

/** Charges the card; a declined one is a known failure, and answered with 402. */
const chargeWith =
  (card: (body: { card?: string }) => string, sent: string[] = []): IdempotentHandler<PoolClient> =>
  async (request, context) => {
    const body = await request.json()
    try {
      const { reference } = await context.effect(
        'charge',
        { name: 'stripe.charge', isFailure: (error) => error instanceof Stripe.errors.StripeCardError },
        async ({ idempotencyKey, metadata }) => {
          sent.push(idempotencyKey)
          const intent = await stripe.paymentIntents.create(
            { amount: 1050, currency: 'usd', confirm: true, payment_method: card(body), metadata },
            { idempotencyKey },
          )
          return { reference: String(intent.latest_charge), amountMinor: 1050, currency: 'USD' }
        },
      )
      return Response.json({ reference }, { status: 201 })
    } catch (error) {
      if (error instanceof Stripe.errors.StripeCardError) return new Response('declined', { status: 402 })
      throw error
    }
  }

const notStored = (response: Response) => response.status === 402

/** What the provider has taken for the key. */
async function takenFor(key: string): Promise<string[]> {
  const charges = await stripe.charges.list({ limit: 100 })
  return charges.data
    .filter((charge) => charge.metadata.idempotency_key === key && charge.status === 'succeeded')
    .map(({ id }) => id)
}

describe('a declined card', () => {
  it('is followed by a good one under the same key, which is charged once', async () => {
    const key = newKey()
    const sent: string[] = []
    let cardOnFile = DECLINED
    const pay = () =>
      wrap(
        chargeWith(() => cardOnFile, sent),
        { notStored },
      )(postJson({}, { 'idempotency-key': key }))
    expect((await pay()).status).toBe(402)
    expect(await leaseState(fixture, key)).toBe('R')
    expect((await pay()).status).toBe(402)
    cardOnFile = GOOD
    const paid = await pay()
    expect(paid.status).toBe(201)
    const { reference } = (await paid.json()) as { reference: string }
    expect(await takenFor(key)).toEqual([reference])
    expect((await pay()).headers.get('idempotent-replayed')).toBe('true')
    expect(new Set(sent).size).toBe(3)
    for (const providerKey of sent) expect(providerKey).toMatch(/^[0-9a-f]{64}$/)
  })

  it('may be replaced in the request itself, once the refusal was not stored', async () => {
    const key = newKey()
    const pay = (card: string) =>
      wrap(
        chargeWith((body) => String(body.card)),
        { notStored },
      )(postJson({ card }, { 'idempotency-key': key }))
    expect((await pay(DECLINED)).status).toBe(402)
    expect((await pay(GOOD)).status).toBe(201)
    expect(await takenFor(key)).toHaveLength(1)
    // From here on the key belongs to the request that was charged.
    expect((await pay(DECLINED)).status).toBe(422)
    expect((await pay(GOOD)).headers.get('idempotent-replayed')).toBe('true')
  })

  it('of two retries at once only one is charged', async () => {
    for (let turn = 0; turn < 8; turn += 1) {
      const key = newKey()
      const pay = (card: string) =>
        wrap(
          chargeWith((body) => String(body.card)),
          { notStored },
        )(postJson({ card }, { 'idempotency-key': key }))
      await pay(DECLINED)
      const answers = await Promise.all([pay(GOOD), pay(GOOD), pay(`${GOOD}_debit`)])
      expect(answers.map(({ status }) => status).filter((status) => status === 201).length).toBeGreaterThan(0)
      expect(await takenFor(key)).toHaveLength(1)
    }
  })
})

it('a refusal after a step that lasts keeps the key for its own request', async () => {
  const key = newKey()
  const pay = (card: string) =>
    wrap(
      async (request, context) => {
        await context.checkpoint('priced')
        return chargeWith((body) => String(body.card))(request, context)
      },
      { notStored },
    )(postJson({ card }, { 'idempotency-key': key }))
  expect((await pay(DECLINED)).status).toBe(402)
  expect((await pay(GOOD)).status).toBe(422)
})

describe('a call of unknown end', () => {
  /** As the console does it, for an effect with a provider key. */
  const release = (key: string) =>
    fixture.query(
      `UPDATE idem_lease l SET state = 'R', fence = idem_next_fence(l.fence), lease_until = clock_timestamp()
       WHERE key = idem_key_bytes($1)`,
      [key],
    )

  /** A first attempt whose call reaches the provider only when the test says so. */
  function startSlow(key: string, sent: string[]) {
    const reached = createGate()
    const go = createGate()
    const charge = chargeWith(() => GOOD, sent)
    const slow = wrap((request, context) =>
      charge(request, {
        ...context,
        effect: (step, options, call) =>
          context.effect(step, options, async (args) => {
            reached.resolve()
            await go.promise
            return call(args)
          }),
      }),
    )(postJson({}, { 'idempotency-key': key }))
    return { reached: reached.promise, go: go.resolve, slow }
  }

  it('keeps its provider key after a release, so that both calls are one charge', async () => {
    const key = newKey()
    const sent: string[] = []
    const first = startSlow(key, sent)
    await first.reached
    await release(key)
    expect((await wrap(chargeWith(() => GOOD, sent))(postJson({}, { 'idempotency-key': key }))).status).toBe(
      201,
    )
    first.go()
    await first.slow
    expect([sent.length, new Set(sent).size]).toEqual([2, 1])
    expect(await takenFor(key)).toHaveLength(1)
  })

  it('keeps it even if a later call is known to have failed, since the earlier one may still happen', async () => {
    const key = newKey()
    const sent: string[] = []
    const first = startSlow(key, sent)
    await first.reached
    await release(key)
    // It fails before it reaches the provider, so the provider knows nothing of the key.
    const failing = wrap(async (_request, context) => {
      await context.effect(
        'charge',
        { name: 'stripe.charge', isFailure: () => true },
        ({ idempotencyKey }) => {
          sent.push(idempotencyKey)
          return Promise.reject(new Error('refused'))
        },
      )
      return new Response()
    })
    await expect(failing(postJson({}, { 'idempotency-key': key }))).rejects.toThrow('refused')
    expect((await wrap(chargeWith(() => GOOD, sent))(postJson({}, { 'idempotency-key': key }))).status).toBe(
      201,
    )
    first.go()
    await first.slow
    expect([sent.length, new Set(sent).size]).toEqual([3, 1])
    expect(await takenFor(key)).toHaveLength(1)
  })
})

it('an unkeyed effect’s metadata names no key', async () => {
  const answer = await wrap(
    async (_request, context) => {
      let given = {}
      await context.effect('charge', { name: 'stripe.charge' }, async ({ metadata }) => {
        given = metadata
        return {}
      })
      return Response.json(given)
    },
    { required: false },
  )(postJson({}))
  expect(await answer.json()).toEqual({
    idempotency_scope: 'web/POST /v1/payments',
    idempotency_step: 'charge',
  })
})

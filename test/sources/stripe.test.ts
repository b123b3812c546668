import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { apiVersion } from '@/demo/provider/api-version'
import { type RunningProvider, startProvider } from '@/demo/provider/server'
import type { PageOf, ProviderSource } from '@/lib/sources/contracts'
import { SourceUnavailableError } from '@/lib/sources/contracts'
import { fromStripeAmount, toStripeAmount } from '@/lib/sources/stripe/amounts'
import { stripeConfigSchema } from '@/lib/sources/stripe/config'
import { openStripeSource } from '@/lib/sources/stripe/open'
import { createRateBudget } from '@/lib/sources/stripe/rate-budget'

/** Against a server that speaks Stripe's API, over HTTP, with the official SDK on both ends. */

let dataDir: string
let provider: RunningProvider
let stripe: Stripe
let source: ProviderSource
let nowMs: number
let slept: number[]
const KEYS = { readKey: 'rk_test_read', writeKey: 'sk_test_write' }
const waiting = {
  nowMs: () => nowMs,
  sleep: async (ms: number) => {
    slept.push(ms)
    nowMs += ms
  },
  random: () => 0.5,
}
const open = (secret: { readKey: string; writeKey?: string } = KEYS) =>
  openStripeSource(
    stripeConfigSchema.parse({ mode: 'test', baseUrl: provider.url, requestsPerSecond: 100, attemptsMax: 3 }),
    secret,
    waiting,
  )

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'idemscope-stripe-'))
  nowMs = Date.UTC(2026, 10, 22, 12)
  slept = []
  provider = await startProvider({ port: 0, dataDir, seed: 'stripe', clock: () => nowMs, ...KEYS })
  stripe = new Stripe(KEYS.writeKey, {
    apiVersion,
    host: '127.0.0.1',
    port: provider.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  })
  source = open()
})
afterEach(async () => {
  await provider.close()
  await rm(dataDir, { recursive: true })
})

async function charge(over: Partial<Stripe.PaymentIntentCreateParams> = {}): Promise<string> {
  const intent = await stripe.paymentIntents.create({
    amount: 1050,
    currency: 'usd',
    confirm: true,
    payment_method: 'pm_card_visa',
    metadata: {
      idempotency_scope: 'web/POST /v1/payments',
      idempotency_key: 'k1',
      idempotency_step: 'charge',
      reference: 'order-1',
    },
    ...over,
  })
  return String(intent.latest_charge)
}

async function all<T>(read: (cursor: string | null) => Promise<PageOf<T>>): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  do {
    const page: PageOf<T> = await read(cursor)
    items.push(...page.items)
    cursor = page.next
  } while (cursor !== null)
  return items
}
const seconds = (from: number, to: number) => ({
  from: new Date(nowMs + from * 1000),
  to: new Date(nowMs + to * 1000),
})

describe('listing', () => {
  test('a full second of objects loses none, and the upper bound is not included', async () => {
    const made = await Promise.all(Array.from({ length: 230 }, () => charge()))
    const listed = await all((cursor) => source.listCharges(seconds(0, 1), cursor))
    expect(listed.map(({ id }) => id).sort()).toEqual([...made].sort())
    expect(await all((cursor) => source.listCharges(seconds(-5, 0), cursor))).toEqual([])
  })

  test('objects made while pages are read move nothing', async () => {
    const range = seconds(0, 1)
    const made = await Promise.all(Array.from({ length: 150 }, () => charge()))
    nowMs += 1_000
    const first = await source.listCharges(range, null)
    await Promise.all(Array.from({ length: 20 }, () => charge()))
    const rest = await all((cursor) => source.listCharges(range, cursor ?? first.next))
    expect(new Set([...first.items, ...rest].map(({ id }) => id))).toEqual(new Set(made))
  })

  test('a charge comes with its tags, amounts and upper-case currency', async () => {
    const id = await charge({ currency: 'jpy', amount: 500, capture_method: 'manual' })
    const found = await source.retrieveCharge(id)
    expect(found).toMatchObject({
      kind: 'charge',
      id,
      status: 'succeeded',
      captured: false,
      amountMinor: 500n,
      capturedMinor: 0n,
      currency: 'JPY',
      scope: 'web/POST /v1/payments',
      key: 'k1',
      step: 'charge',
      reference: 'order-1',
      actionId: null,
      live: false,
    })
  })

  test('the event feed hints at changes of older objects', async () => {
    const id = await charge()
    nowMs += 60_000
    await provider.control.failCharge(id)
    const hints = await all((cursor) => source.listHints(seconds(-1, 1), cursor))
    expect(hints).toMatchObject([{ object: { id, of: 'charge' }, snapshot: { status: 'failed' } }])
    expect((await source.retrieveCharge(id))?.status).toBe('failed')
  })
})

test('its clock is the one of its answers, not ours', async () => {
  provider.control.setSwitches({ clock: { skewMs: -600_000 } })
  nowMs += 900
  expect(await source.now()).toEqual(new Date(Date.UTC(2026, 10, 22, 11, 50)))
})

describe('looking up', () => {
  const idsOf = async (id: string) => {
    const resolved = await source.resolve(id)
    return resolved.kind === 'found'
      ? resolved.objects.map((object) =>
          object.kind === 'unreadable' ? object.reason : `${object.kind} ${object.id} ${object.status}`,
        )
      : resolved.kind
  }

  test('an intent leads to every charge that was tried under it', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 1050, currency: 'usd' })
    expect(await idsOf(intent.id)).toEqual([`payment ${intent.id} pending`])
    await stripe.paymentIntents
      .confirm(intent.id, { payment_method: 'pm_card_chargeDeclined' })
      .catch(() => undefined)
    nowMs += 1000
    const { latest_charge: paid } = await stripe.paymentIntents.confirm(intent.id, {
      payment_method: 'pm_card_visa',
    })
    const [payment, ...charges] = (await idsOf(intent.id)) as string[]
    expect(payment).toBe(`payment ${intent.id} succeeded`)
    expect(charges).toEqual([`charge ${paid} succeeded`, expect.stringMatching(/^charge ch_.* failed$/)])
  })

  test('a checkout session leads to what the customer paid on it, and to nothing before that', async () => {
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [
        {
          quantity: 1,
          price_data: { currency: 'usd', unit_amount: 1050, product_data: { name: 'a chair' } },
        },
      ],
      metadata: { reference: 'order-9' },
    })
    expect(await idsOf(session.id)).toEqual([`payment ${session.id} pending`])
    await provider.control.paySession(session.id)
    const resolved = await source.resolve(session.id)
    expect(resolved).toMatchObject({
      kind: 'found',
      objects: [
        { kind: 'payment', id: session.id, status: 'succeeded', reference: 'order-9' },
        { kind: 'payment', status: 'succeeded' },
        { kind: 'charge', status: 'succeeded', reference: null },
      ],
    })
    if (resolved.kind === 'found') {
      const [paid, intent, made] = resolved.objects
      expect(paid).toMatchObject({ memberIds: [intent?.id, made?.id] })
    }
  })

  test('an invoice leads to its payments', async () => {
    const invoice = await provider.control.createInvoice({
      amount: 2000,
      currency: 'eur',
      customer: 'cus_1',
      metadata: { reference: 'order-8' },
    })
    expect(await idsOf(invoice.id)).toEqual([
      `payment ${invoice.id} pending`,
      expect.stringMatching(/^payment pi_.* pending$/),
    ])
    await provider.control.payInvoice(invoice.id)
    expect(await idsOf(invoice.id)).toEqual([
      `payment ${invoice.id} succeeded`,
      expect.stringMatching(/^payment pi_.* succeeded$/),
      expect.stringMatching(/^charge ch_.* succeeded$/),
    ])
  })

  test('refunds and disputes are looked up by their own ids', async () => {
    const id = await charge()
    const refund = await stripe.refunds.create({ charge: id, amount: 50 })
    expect(await idsOf(refund.id)).toEqual([`refund ${refund.id} succeeded`])
    await provider.control.disputeCharge(id)
    const [dispute] = (await source.listDisputes(seconds(0, 1), null)).items
    expect(await idsOf(dispute?.id ?? '')).toEqual([`dispute ${dispute?.id} pending`])
  })

  test.each([
    'ch_nowhere',
    'py_nowhere',
    'pi_nowhere',
    'cs_test_nowhere',
    'in_nowhere',
    're_nowhere',
    'du_nowhere',
  ])('%s is absent: the endpoint of its own kind has none', async (id) => {
    expect(await source.resolve(id)).toMatchObject({ kind: 'absent' })
  })

  test.each(['pay_123', 'seti_1', 'ch', 'pi_1_secret_2', 'order ch_1', ''])(
    '%s cannot be looked up, which is no absence',
    async (id) => {
      expect(await source.resolve(id)).toEqual({ kind: 'unknown_id' })
      expect(source.resolvableId.test(id)).toBe(false)
    },
  )

  test('a charge is never retrieved by the id of something else', async () => {
    await expect(source.retrieveCharge('pi_1')).rejects.toThrow('pi_1 is not the id of a charge')
    expect(await source.retrieveCharge('ch_nowhere')).toBeNull()
  })
})

describe('authorisations', () => {
  /** As the service's own version of the API has it: before 2025-03-31 a release makes a refund object. */
  const OLDER = { apiVersion: '2024-06-20' } as Stripe.RequestOptions
  const held = async () => {
    const intent = await stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      confirm: true,
      payment_method: 'pm_card_visa',
      capture_method: 'manual',
    })
    return { intent: intent.id, charge: String(intent.latest_charge) }
  }
  const amountsOf = async (id: string) => {
    const found = await source.retrieveCharge(id)
    return [found?.capturedMinor, found?.releasedMinor, found?.refundedMinor]
  }
  const refunds = async () =>
    (await all((cursor) => source.listRefunds(seconds(-60, 60), cursor))).map((refund) =>
      refund.kind === 'refund' ? [refund.amountMinor, refund.released] : refund.reason,
    )

  test.each([
    ['now', undefined, []],
    ['before 2025-03-31', OLDER, [[300n, true]]],
  ])('a partial capture releases the rest, which is no refund (%s)', async (_, options, released) => {
    const { intent, charge: id } = await held()
    expect(await amountsOf(id)).toEqual([0n, 0n, 0n])
    await stripe.paymentIntents.capture(intent, { amount_to_capture: 700 }, options)
    expect(await amountsOf(id)).toEqual([700n, 300n, 0n])
    expect(await refunds()).toEqual(released)
    expect(await source.refundsOfCharge(id)).toEqual([])
    await stripe.refunds.create({ charge: id, amount: 300 })
    expect(await amountsOf(id)).toEqual([700n, 300n, 300n])
    expect(await source.refundsOfCharge(id)).toMatchObject([{ amountMinor: 300n, released: false }])
  })

  test('several captures add up, and nothing is released before the last', async () => {
    const { intent, charge: id } = await held()
    await stripe.paymentIntents.capture(intent, { amount_to_capture: 300, final_capture: false })
    expect(await amountsOf(id)).toEqual([300n, 0n, 0n])
    await stripe.paymentIntents.capture(intent, { amount_to_capture: 200 })
    expect(await amountsOf(id)).toEqual([500n, 500n, 0n])
  })

  test.each([
    ['now', undefined, []],
    ['before 2025-03-31', OLDER, [[1000n, true]]],
  ])(
    'one that is canceled or runs out was released whole, and never refunded (%s)',
    async (_, options, released) => {
      const canceled = await held()
      await stripe.paymentIntents.cancel(canceled.intent, {}, options)
      const expired = await held()
      await provider.control.expireAuthorisation(expired.intent, options?.apiVersion)
      for (const { charge: id } of [canceled, expired]) {
        expect(await amountsOf(id)).toEqual([0n, 1000n, 0n])
        expect(await source.refundsOfCharge(id)).toEqual([])
      }
      expect(await refunds()).toEqual([...released, ...released])
    },
  )

  test('an asynchronous capture is settled later, by an event of its own', async () => {
    const id = await charge({ capture_method: 'automatic_async' })
    expect(await source.retrieveCharge(id)).toMatchObject({
      capturedMinor: 1050n,
      feeMinor: null,
      feeRef: null,
      takenAt: null,
    })
    nowMs += 60_000
    await provider.control.settleCharge(id)
    expect(await source.retrieveCharge(id)).toMatchObject({
      feeMinor: 60n,
      feeRef: `txn_${id.slice(3)}`,
      takenAt: new Date(nowMs),
    })
    const [hint] = (await source.listHints(seconds(0, 1), null)).items
    expect(hint).toMatchObject({ object: { id }, snapshot: { feeMinor: null, feeRef: `txn_${id.slice(3)}` } })
  })
})

describe('objects that cannot be read', () => {
  test('are set apart by name with what of them can be read, and the page goes on', async () => {
    const whole = await charge()
    const fraction = await charge({ metadata: { reference: 'order-2' } })
    provider.control.showAs(fraction, { currency: 'isk', amount: 505, amount_captured: 505 })
    const nameless = await charge()
    provider.control.showAs(nameless, { currency: undefined, created: null, metadata: null })
    const unknown = await charge()
    provider.control.showAs(unknown, { currency: 'zzz' })
    const { items } = await source.listCharges(seconds(0, 1), null)
    expect(items).toMatchObject([
      { kind: 'unreadable', id: unknown, reason: 'the decimals of zzz are not known' },
      {
        kind: 'unreadable',
        id: nameless,
        reason: expect.stringMatching(/^(created|currency): /),
        createdAt: null,
      },
      {
        kind: 'unreadable',
        of: 'charge',
        id: fraction,
        reason: '505 is not a whole number of minor units of ISK',
        reference: 'order-2',
        createdAt: new Date(nowMs),
      },
      { kind: 'charge', id: whole },
    ])
    expect(await source.resolve(fraction)).toMatchObject({
      kind: 'found',
      objects: [{ kind: 'unreadable', id: fraction }],
    })
    await expect(source.retrieveCharge(fraction)).rejects.toThrow(`${fraction} cannot be read`)
  })

  test('make no sum of refunds: it is an error', async () => {
    const id = await charge()
    const refund = await stripe.refunds.create({ charge: id, amount: 50 })
    provider.control.showAs(refund.id, { amount: 1.5 })
    await expect(source.refundsOfCharge(id)).rejects.toThrow(`${refund.id} of ${id} cannot be read`)
  })

  test('an event of another API version says which object changed, and not what it is', async () => {
    provider.control.setSwitches({ eventVersion: '2014-12-22' })
    const id = await charge()
    const hints = await all((cursor) => source.listHints(seconds(0, 1), cursor))
    expect(hints).toMatchObject([{ kind: 'hint', object: { id, of: 'charge' }, snapshot: null }])
  })

  test('an object of the other mode is there, and no absence', async () => {
    provider.control.setSwitches({ inLiveMode: ['ch_live'] })
    expect(await source.resolve('ch_live')).toMatchObject({
      kind: 'found',
      objects: [{ kind: 'unreadable', id: 'ch_live', otherMode: true }],
    })
  })
})

describe('trouble', () => {
  test('a restricted key that lacks one right: the right is named, and it is no empty answer', async () => {
    provider.control.setSwitches({ denied: ['disputes'] })
    await expect(source.listDisputes(seconds(-5, 0), null)).rejects.toMatchObject({
      fault: 'permission',
      message: expect.stringMatching(/^the read key lacks a right: .*'disputes' permission/),
    })
    expect((await source.listCharges(seconds(-5, 0), null)).items).toEqual([])
  })

  test('429 waits for what Retry-After says, spread out', async () => {
    provider.control.setSwitches({ rateLimit: { remaining: 2, retryAfterS: 3 } })
    await source.retrieveCharge(
      await charge()
        .catch(() => charge())
        .catch(() => charge()),
    )
    provider.control.setSwitches({ rateLimit: { remaining: 1, retryAfterS: 3 } })
    slept = []
    expect((await source.listCharges(seconds(-5, 5), null)).items.length).toBeGreaterThan(0)
    expect(slept).toEqual([3_125])
  })

  test('5xx backs off with jitter, and after the last attempt the source is unavailable', async () => {
    provider.control.setSwitches({ serverError: { remaining: 2, effect: 'before' } })
    expect((await source.listCharges(seconds(-5, 0), null)).items).toEqual([])
    expect(slept).toEqual([250, 500])
    provider.control.setSwitches({ serverError: { remaining: 9, effect: 'before' } })
    await expect(source.listCharges(seconds(-5, 0), null)).rejects.toBeInstanceOf(SourceUnavailableError)
  })

  test('an unreachable provider and a wrong key are unavailable, not empty', async () => {
    await expect(open({ readKey: 'rk_test_wrong' }).listCharges(seconds(-5, 0), null)).rejects.toBeInstanceOf(
      SourceUnavailableError,
    )
    const dead = openStripeSource(
      stripeConfigSchema.parse({ mode: 'test', baseUrl: 'http://127.0.0.1:1', attemptsMax: 1 }),
      KEYS,
      waiting,
    )
    await expect(dead.retrieveCharge('ch_1')).rejects.toBeInstanceOf(SourceUnavailableError)
  })
})

describe('refunding', () => {
  const tags = { scope: null, key: null, step: null, reference: 'order-1', actionId: 'act_1' }

  test('repeated under one action it is one refund, which carries the action', async () => {
    const chargeId = await charge()
    const refund = { idempotencyKey: 'act_1', chargeId, amountMinor: 400n, currency: 'USD', tags }
    const first = await source.createRefund(refund)
    expect(await source.createRefund(refund)).toEqual(first)
    expect(await source.refundsOfCharge(chargeId)).toMatchObject([
      { amountMinor: 400n, actionId: 'act_1', chargeId },
    ])
  })

  test('a 5xx is unknown and never repeated; one that the provider keeps replaying is said to be', async () => {
    const chargeId = await charge()
    const refund = { idempotencyKey: 'act_2', chargeId, amountMinor: 1n, currency: 'USD', tags }
    const failing = { remaining: 9, effect: 'after', match: 'POST /v1/refunds', kept: true }
    provider.control.setSwitches({ serverError: failing })
    expect(await source.createRefund(refund)).toMatchObject({ kind: 'unknown', replayed: false })
    provider.control.setSwitches({ serverError: { ...failing, remaining: 0 } })
    expect(await source.createRefund(refund)).toMatchObject({ kind: 'unknown', replayed: true })
    expect(await source.refundsOfCharge(chargeId)).toHaveLength(1)
  })

  test('a rate limit is waited for: the provider has not begun', async () => {
    const chargeId = await charge()
    provider.control.setSwitches({
      rateLimit: { remaining: 1, retryAfterS: 0, match: 'POST /v1/refunds' },
    })
    const refund = { idempotencyKey: 'act_3', chargeId, amountMinor: 1n, currency: 'USD', tags }
    expect(await source.createRefund(refund)).toMatchObject({ kind: 'done' })
  })

  test('writes that are switched off while it waits for the rate limit stop it', async () => {
    const chargeId = await charge()
    provider.control.setSwitches({ rateLimit: { remaining: 1, retryAfterS: 0, match: 'POST /v1/refunds' } })
    const answers = [null, 'writes are off']
    const stopped = async () => answers.shift() ?? null
    const refund = { idempotencyKey: 'act_5', chargeId, amountMinor: 1n, currency: 'USD', tags, stopped }
    expect(await source.createRefund(refund)).toEqual({ kind: 'stopped', message: 'writes are off' })
    expect(await source.refundsOfCharge(chargeId)).toEqual([])
  })

  test('what the provider refuses happened not; without a write key nothing is sent; the read key cannot write', async () => {
    const chargeId = await charge()
    const refund = { idempotencyKey: 'act_4', chargeId, amountMinor: 9_999n, currency: 'USD', tags }
    expect(await source.createRefund(refund)).toMatchObject({ kind: 'refused' })
    const reader = open({ readKey: KEYS.readKey })
    expect(reader.canRefund).toBe(false)
    expect(await reader.createRefund(refund)).toMatchObject({ kind: 'refused', code: 'no_write_key' })
    const confused = open({ readKey: KEYS.readKey, writeKey: KEYS.readKey })
    expect(await confused.createRefund({ ...refund, amountMinor: 1n })).toMatchObject({ kind: 'refused' })
  })
})

test.each([
  ['usd', 1050, 1050n],
  ['jpy', 500, 500n],
  ['kwd', 12_500, 12_500n],
  ['isk', 500, 5n],
  ['ugx', 1_000, 10n],
  ['mga', 7, 700n],
])('amounts of %s are minor units of ISO 4217', (currency, amount, minor) => {
  expect(fromStripeAmount(amount, currency)).toEqual({ minor, currency: currency.toUpperCase() })
  expect(toStripeAmount(minor, currency.toUpperCase())).toBe(amount)
})

test('an amount that does not come out even is an error, never rounded', () => {
  expect(() => fromStripeAmount(505, 'isk')).toThrow(/whole number/)
  expect(() => fromStripeAmount(1.5, 'usd')).toThrow(/safe integer/)
})

test('the budget allows a burst of a second, then spaces calls out', async () => {
  const budget = createRateBudget(10, waiting)
  const start = nowMs
  for (let n = 0; n < 30; n++) await budget()
  expect(nowMs - start).toBeGreaterThanOrEqual(1_900)
  expect(nowMs - start).toBeLessThanOrEqual(2_100)
})

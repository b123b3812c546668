import { spawn } from 'node:child_process'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { apiVersion } from '../../demo/provider/api-version'
import { type ProviderOptions, type RunningProvider, startProvider } from '../../demo/provider/server'

const keys = { readKey: 'rk_test_read', writeKey: 'sk_test_write' }
const create = {
  amount: 1050,
  currency: 'usd',
  confirm: true,
  payment_method: 'pm_card_visa',
  metadata: { reference: 'order-1' },
} as const

let dataDir: string
let provider: RunningProvider
let stripe: Stripe
let nowMs: number

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'idemscope-provider-'))
  nowMs = Date.UTC(2026, 0, 1)
  provider = await start()
  stripe = connect(provider.port)
})

afterEach(async () => {
  await provider.close()
  await rm(dataDir, { recursive: true })
})

function start(options: Partial<ProviderOptions> = {}): Promise<RunningProvider> {
  return startProvider({ port: 0, dataDir, seed: 'seed', clock: () => nowMs, ...keys, ...options })
}

function connect(port: number, key: string = keys.writeKey): Stripe {
  return new Stripe(key, {
    apiVersion,
    host: '127.0.0.1',
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  })
}

async function chargeOf(intent: Promise<Stripe.PaymentIntent>): Promise<string> {
  const { latest_charge } = await intent
  if (typeof latest_charge !== 'string') throw new Error('no charge')
  return latest_charge
}

describe('payment intents', () => {
  test('are created, charged, retrieved and listed', async () => {
    const intent = await stripe.paymentIntents.create(create)
    expect(intent).toMatchObject({
      status: 'succeeded',
      amount_received: 1050,
      metadata: { reference: 'order-1' },
    })
    const read = await stripe.paymentIntents.retrieve(intent.id, { expand: ['latest_charge'] })
    expect(read.latest_charge).toMatchObject({
      object: 'charge',
      amount_captured: 1050,
      metadata: { reference: 'order-1' },
      paid: true,
    })
    expect((await stripe.paymentIntents.list()).data.map((row) => row.id)).toEqual([intent.id])
    expect((await stripe.charges.list({ payment_intent: intent.id })).data).toHaveLength(1)
    expect((await stripe.charges.list({ payment_intent: 'pi_other' })).data).toHaveLength(0)
  })

  test('expands the charge that the same request made', async () => {
    const intent = await stripe.paymentIntents.create({ ...create, expand: ['latest_charge'] })
    expect(intent.latest_charge).toMatchObject({ object: 'charge', payment_intent: intent.id })
  })

  test('are captured by hand, in part, once', async () => {
    const intent = await stripe.paymentIntents.create({ ...create, capture_method: 'manual' })
    expect(intent).toMatchObject({ status: 'requires_capture', amount_capturable: 1050, amount_received: 0 })
    const captured = await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 600 })
    expect(captured).toMatchObject({ status: 'succeeded', amount_received: 600 })
    const charge = await stripe.charges.retrieve(await chargeOf(Promise.resolve(intent)))
    expect(charge).toMatchObject({ captured: true, amount: 1050, amount_captured: 600 })
    await expect(stripe.paymentIntents.capture(intent.id)).rejects.toMatchObject({
      code: 'payment_intent_unexpected_state',
    })
  })

  test('a declined card leaves a failed charge and a 402', async () => {
    const declined = stripe.paymentIntents.create({ ...create, payment_method: 'pm_card_chargeDeclined' })
    await expect(declined).rejects.toMatchObject({
      type: 'StripeCardError',
      code: 'card_declined',
      statusCode: 402,
    })
    expect((await stripe.charges.list()).data[0]).toMatchObject({
      status: 'failed',
      paid: false,
      captured: false,
    })
  })

  test.each([
    { amount: 100, currency: 'jpy', fine: true },
    { amount: 1230, currency: 'kwd', fine: true },
    { amount: 1234, currency: 'kwd', fine: false },
    { amount: 0, currency: 'usd', fine: false },
    { amount: 100_000_000, currency: 'usd', fine: false },
    { amount: 100, currency: 'xxx', fine: false },
  ])('amount $amount $currency: fine is $fine', async ({ amount, currency, fine }) => {
    const made = stripe.paymentIntents.create({ ...create, amount, currency })
    if (fine) expect(await made).toMatchObject({ amount, currency })
    else await expect(made).rejects.toMatchObject({ statusCode: 400, type: 'StripeInvalidRequestError' })
  })

  test('unknown ids and parameters are answered in the form of Stripe', async () => {
    await expect(stripe.charges.retrieve('ch_none')).rejects.toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
      requestId: expect.stringMatching(/^req_/),
    })
    const unknown = { ...create, colour: 'red' } as Stripe.PaymentIntentCreateParams
    await expect(stripe.paymentIntents.create(unknown)).rejects.toMatchObject({ code: 'parameter_unknown' })
  })
})

describe('keys of access', () => {
  test('the read key reads and may not write; another is refused', async () => {
    const reader = connect(provider.port, keys.readKey)
    expect((await reader.charges.list()).data).toEqual([])
    await expect(reader.paymentIntents.create(create)).rejects.toMatchObject({
      type: 'StripePermissionError',
    })
    await expect(connect(provider.port, 'sk_other').charges.list()).rejects.toMatchObject({ statusCode: 401 })
  })
})

describe('idempotency keys', () => {
  test('replay the same answer and make nothing new', async () => {
    const first = await stripe.paymentIntents.create(create, { idempotencyKey: 'key' })
    const again = await stripe.paymentIntents.create(create, { idempotencyKey: 'key' })
    expect(again.id).toBe(first.id)
    expect(again.lastResponse.headers['idempotent-replayed']).toBe('true')
    expect(first.lastResponse.headers['idempotent-replayed']).toBeUndefined()
    expect((await stripe.charges.list()).data).toHaveLength(1)
  })

  test('replay a declined card', async () => {
    const params = { ...create, payment_method: 'pm_card_chargeDeclined' }
    for (const _ of [1, 2]) {
      const call = stripe.paymentIntents.create(params, { idempotencyKey: 'declined' })
      await expect(call).rejects.toMatchObject({ statusCode: 402 })
    }
    expect((await stripe.charges.list()).data).toHaveLength(1)
  })

  test('refuse other parameters', async () => {
    await stripe.paymentIntents.create(create, { idempotencyKey: 'key' })
    const other = stripe.paymentIntents.create({ ...create, amount: 999 }, { idempotencyKey: 'key' })
    await expect(other).rejects.toMatchObject({ type: 'StripeIdempotencyError', statusCode: 400 })
  })

  test('answer 409 while the first request runs', async () => {
    provider.control.setSwitches({ slow: { remaining: 1, delayMs: 200 } })
    const outcomes = await Promise.allSettled(
      [1, 2].map(() => stripe.paymentIntents.create(create, { idempotencyKey: 'key' })),
    )
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected'])
    const refused = outcomes.find((outcome) => outcome.status === 'rejected')
    expect(refused?.reason).toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' })
  })

  test('are forgotten after their window, and on demand', async () => {
    const ids = [await chargeOf(stripe.paymentIntents.create(create, { idempotencyKey: 'key' }))]
    await provider.control.forgetKey('key')
    ids.push(await chargeOf(stripe.paymentIntents.create(create, { idempotencyKey: 'key' })))
    nowMs += 24 * 60 * 60 * 1000
    ids.push(await chargeOf(stripe.paymentIntents.create(create, { idempotencyKey: 'key' })))
    expect(new Set(ids).size).toBe(3)
  })
})

describe('lists', () => {
  test('lose nothing across pages inside one second', async () => {
    const made: string[] = []
    for (let n = 0; n < 23; n += 1) made.push(await chargeOf(stripe.paymentIntents.create(create)))
    const seen: string[] = []
    for await (const charge of stripe.charges.list({
      limit: 5,
      created: { gte: nowMs / 1000, lte: nowMs / 1000 },
    })) {
      seen.push(charge.id)
      // New rows arrive while the pages are read; they come first, so a cursor towards older rows is not disturbed.
      if (seen.length % 7 === 0) await stripe.paymentIntents.create(create)
    }
    expect(seen).toEqual(made.toReversed())
  })

  test('page towards newer rows too', async () => {
    const made: string[] = []
    for (let n = 0; n < 6; n += 1) made.push(await chargeOf(stripe.paymentIntents.create(create)))
    const page = await stripe.charges.list({ limit: 2, ending_before: made[1] ?? '' })
    expect(page.data.map((charge) => charge.id)).toEqual([made[3], made[2]])
    expect(page.has_more).toBe(true)
  })

  test('filter by creation, and by type for events', async () => {
    await stripe.paymentIntents.create(create)
    nowMs += 10_000
    const later = await chargeOf(stripe.paymentIntents.create(create))
    expect(
      (await stripe.charges.list({ created: { gt: nowMs / 1000 - 10 } })).data.map((row) => row.id),
    ).toEqual([later])
    expect((await stripe.charges.list({ created: { lt: nowMs / 1000 } })).data).toHaveLength(1)
    const events = await stripe.events.list({ types: ['charge.succeeded'], limit: 100 })
    expect(events.data.map((event) => event.type)).toEqual(['charge.succeeded', 'charge.succeeded'])
    expect((await stripe.events.list({ type: 'payment_intent.*' })).data).toHaveLength(4)
  })

  test('may lag behind', async () => {
    const id = await chargeOf(stripe.paymentIntents.create(create))
    provider.control.setSwitches({ listLagMs: 5000 })
    expect((await stripe.charges.list()).data).toEqual([])
    expect(await stripe.charges.retrieve(id)).toMatchObject({ id })
    nowMs += 5000
    expect((await stripe.charges.list()).data).toHaveLength(1)
  })
})

describe('refunds', () => {
  test('never exceed what was captured, also when raced', async () => {
    const charge = await chargeOf(stripe.paymentIntents.create(create))
    const raced = await Promise.allSettled(
      [1, 2, 3].map(() => stripe.refunds.create({ charge, amount: 500, metadata: { idempotency_key: 'r' } })),
    )
    expect(raced.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(2)
    expect(await stripe.charges.retrieve(charge)).toMatchObject({ amount_refunded: 1000, refunded: false })
    expect(await stripe.refunds.create({ charge })).toMatchObject({ amount: 50, status: 'succeeded' })
    await expect(stripe.refunds.create({ charge })).rejects.toMatchObject({ code: 'charge_already_refunded' })
    expect((await stripe.refunds.list({ charge })).data).toHaveLength(3)
  })

  test('need a captured charge', async () => {
    const intent = await stripe.paymentIntents.create({ ...create, capture_method: 'manual' })
    await expect(stripe.refunds.create({ payment_intent: intent.id })).rejects.toMatchObject({
      statusCode: 400,
    })
  })

  test('may fail later', async () => {
    const charge = await chargeOf(stripe.paymentIntents.create(create))
    const refund = await stripe.refunds.create({ charge })
    await provider.control.failRefund(refund.id)
    expect(await stripe.refunds.retrieve(refund.id)).toMatchObject({ status: 'failed' })
    expect(await stripe.charges.retrieve(charge)).toMatchObject({ amount_refunded: 0 })
    const events = await stripe.events.list({ types: ['refund.updated', 'refund.created'] })
    expect(events.data.map((event) => event.type)).toEqual(['refund.updated', 'refund.created'])
  })
})

test('a charge that succeeded may fail later', async () => {
  const intent = await stripe.paymentIntents.create(create)
  const charge = await chargeOf(Promise.resolve(intent))
  await provider.control.failCharge(charge)
  expect(await stripe.charges.retrieve(charge)).toMatchObject({ status: 'failed', paid: false })
  expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: 'requires_payment_method' })
  const events = await stripe.events.list({ types: ['charge.failed', 'charge.succeeded'] })
  expect(events.data.map((event) => event.data.object)).toMatchObject([
    { status: 'failed' },
    { status: 'succeeded' },
  ])
})

describe('switches', () => {
  test('429 carries Retry-After, for the matching requests only', async () => {
    provider.control.setSwitches({ rateLimit: { remaining: 1, retryAfterS: 7, match: 'GET /v1/charges' } })
    await stripe.paymentIntents.create(create)
    await expect(stripe.charges.list()).rejects.toMatchObject({
      type: 'StripeRateLimitError',
      headers: { 'retry-after': '7' },
    })
    expect((await stripe.charges.list()).data).toHaveLength(1)
  })

  test('a 5xx on a create may have had its effect', async () => {
    provider.control.setSwitches({ serverError: { remaining: 1, effect: 'before' } })
    await expect(stripe.paymentIntents.create(create)).rejects.toMatchObject({ statusCode: 500 })
    expect((await stripe.charges.list()).data).toHaveLength(0)
    provider.control.setSwitches({ serverError: { remaining: 1, effect: 'after' } })
    const lost = stripe.paymentIntents.create(create, { idempotencyKey: 'key' })
    await expect(lost).rejects.toMatchObject({ statusCode: 500 })
    await stripe.paymentIntents.create(create, { idempotencyKey: 'key' })
    expect((await stripe.charges.list()).data).toHaveLength(1)
  })
})

test('control over HTTP needs the write key and a known verb', async () => {
  const charge = await chargeOf(stripe.paymentIntents.create(create))
  const control = (key: string, body: unknown) =>
    fetch(`${provider.url}/_demo/control`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
    }).then((response) => response.status)
  expect(await control(keys.readKey, { verb: 'fail-charge', id: charge })).toBe(403)
  expect(await control(keys.writeKey, { verb: 'explode' })).toBe(400)
  expect(await control(keys.writeKey, { verb: 'fail-charge', id: 'ch_none' })).toBe(404)
  expect(await control(keys.writeKey, { verb: 'fail-charge', id: charge })).toBe(200)
  expect(await stripe.charges.retrieve(charge)).toMatchObject({ status: 'failed' })
})

describe('durability', () => {
  test('a restart keeps objects, keys and the order, and makes no id twice', async () => {
    const first = await stripe.paymentIntents.create(create, { idempotencyKey: 'key' })
    await provider.control.forgetKey('key')
    const second = await stripe.paymentIntents.create(create, { idempotencyKey: 'key' })
    await provider.close()
    await appendFile(join(dataDir, 'provider.ndjson'), '{"sequence":99,"put":[{"object":"cha')
    provider = await start()
    stripe = connect(provider.port)
    const replayed = await stripe.paymentIntents.create(create, { idempotencyKey: 'key' })
    expect(replayed.id).toBe(second.id)
    const third = await stripe.paymentIntents.create(create)
    const listed = (await stripe.paymentIntents.list()).data.map((row) => row.id)
    expect(listed).toEqual([third.id, second.id, first.id])
  })

  test('what was answered survives kill -9', async () => {
    const childDir = await mkdtemp(join(tmpdir(), 'idemscope-provider-'))
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', join(import.meta.dirname, 'provider-child.ts'), childDir],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const [port] = await new Promise<number[]>((resolve) => {
      child.stdout.once('data', (data: Buffer) => resolve([Number(data.toString())]))
    })
    const client = connect(port ?? 0)
    const answered: string[] = []
    const writers = Array.from({ length: 4 }, async () => {
      for (;;) {
        const intent = await client.paymentIntents.create(create).catch(() => undefined)
        if (intent === undefined) return
        answered.push(intent.id)
        if (answered.length === 20) child.kill('SIGKILL')
      }
    })
    await Promise.all(writers)
    const revived = await start({ dataDir: childDir, clock: Date.now })
    try {
      const listed: string[] = []
      for await (const row of connect(revived.port).paymentIntents.list({ limit: 100 })) listed.push(row.id)
      expect(listed).toEqual(expect.arrayContaining(answered))
      expect(listed.length - answered.length).toBeLessThanOrEqual(4)
    } finally {
      await revived.close()
      await rm(childDir, { recursive: true })
    }
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { operations } from '../../demo/traffic/operations'
import { planOperation } from '../../demo/traffic/plan'
import { type Fixture, startFixture } from './demo-fixture'

const body = { reference: 'order-1', customer: 'cus_1', amountMinor: '1050', currency: 'USD' }

let fixture: Fixture
beforeAll(async () => {
  fixture = await startFixture(0)
})
afterAll(() => fixture?.close())

function post(path: string, options: { key?: string; token?: string; body?: unknown }): Promise<Response> {
  return fetch(`${fixture.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${options.token ?? 'demo_key_web'}`,
      'content-type': 'application/json',
      ...(options.key === undefined ? {} : { 'idempotency-key': `"${options.key}"` }),
    },
    body: JSON.stringify(options.body ?? body),
  })
}

describe('payments', () => {
  test('are charged, booked and replayed', async () => {
    const first = await post('/v1/payments', { key: 'pay-1' })
    const paid = await first.json()
    expect(first.status).toBe(201)
    expect(paid).toMatchObject({
      reference: 'order-1',
      amountMinor: '1050',
      currency: 'USD',
      status: 'succeeded',
    })
    expect(paid.id).toBe(`pay_${paid.charge.slice(3)}`)
    const again = await post('/v1/payments', { key: 'pay-1' })
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(await again.json()).toEqual(paid)
    const { rows } = await fixture.pool.query('SELECT * FROM ledger_entry WHERE provider_ref = $1', [
      paid.charge,
    ])
    expect(rows).toMatchObject([
      { entry_kind: 'charge', amount_minor: '1050', currency: 'USD', reversed_at: null },
    ])
    expect(await fixture.client('web').read(paid.id)).toEqual(paid)
  })

  test('of two callers with one key are two', async () => {
    const [one, other] = await Promise.all([
      post('/v1/payments', { key: 'shared' }),
      post('/v1/payments', { key: 'shared', token: 'demo_key_partner' }),
    ])
    expect((await one.json()).charge).not.toBe((await other.json()).charge)
  })

  test('are captured later, in every currency', async () => {
    for (const currency of ['USD', 'JPY', 'KWD']) {
      const client = fixture.client('mobile')
      const authorised = await client.pay(
        '/v1/payments',
        { ...body, currency, captureMethod: 'manual' },
        { key: `manual-${currency}` },
      )
      expect(authorised.status).toBe('requires_capture')
      const before = await fixture.pool.query('SELECT FROM ledger_entry WHERE charge_ref = $1', [
        authorised.charge,
      ])
      expect(before.rowCount).toBe(0)
      const captured = await client.capture(authorised.id, { key: `capture-${currency}` })
      expect(captured).toEqual({ ...authorised, status: 'succeeded' })
      const after = await fixture.pool.query('SELECT FROM ledger_entry WHERE charge_ref = $1', [
        authorised.charge,
      ])
      expect(after.rowCount).toBe(1)
    }
  })

  test('are refunded and the refund is booked', async () => {
    const client = fixture.client('partner')
    const paid = await client.pay('/v1/payments', body, { key: 'pay-2' })
    const refund = await client.refund(paid.id, { amountMinor: '50' }, { key: 'refund-2' })
    expect(refund).toMatchObject({ charge: paid.charge, id: expect.stringMatching(/^re_/) })
    const { rows } = await fixture.pool.query('SELECT * FROM ledger_entry WHERE provider_ref = $1', [
      refund.id,
    ])
    expect(rows).toMatchObject([{ entry_kind: 'refund', charge_ref: paid.charge, amount_minor: '50' }])
  })

  test.each([
    { what: 'no key', options: {}, path: '/v1/payments', status: 400 },
    { what: 'an unknown caller', options: { key: 'k', token: 'no' }, path: '/v1/payments', status: 401 },
    {
      what: 'a bad body',
      options: { key: 'bad', body: { amountMinor: '-1' } },
      path: '/v1/payments',
      status: 400,
    },
    {
      what: 'an unknown payment',
      options: { key: 'none', body: {} },
      path: '/v1/payments/pay_x/refunds',
      status: 404,
    },
    { what: 'an unknown route', options: { key: 'k' }, path: '/v1/nothing', status: 404 },
  ])('$what is answered $status', async ({ options, path, status }) => {
    expect((await post(path, options)).status).toBe(status)
  })
})

test('everyday operations leave no live key and book what the provider has', async () => {
  const planned = Array.from({ length: 60 }, (_, index) =>
    planOperation(
      { seed: 'everyday', faultRate: 0, faults: [], messageFaults: [], stores: ['postgresql'] },
      index,
    ),
  )
  await Promise.all(
    planned.map((operation) => {
      const stage = fixture.stage(operation)
      return operations[operation.kind](stage)
    }),
  )
  const leases = await fixture.pool.query('SELECT FROM idem_lease')
  expect(leases.rowCount).toBe(0)
  const charges = await fixture.stripe.charges.list({ limit: 100 }).autoPagingToArray({ limit: 1000 })
  const refunds = await fixture.stripe.refunds.list({ limit: 100 }).autoPagingToArray({ limit: 1000 })
  const { rows } = await fixture.pool.query(
    'SELECT provider_ref, amount_minor, currency FROM ledger_entry ORDER BY provider_ref',
  )
  const booked = rows.map((row) => `${row.provider_ref} ${row.amount_minor} ${row.currency}`).sort()
  const moved = [
    ...charges.map((charge) => `${charge.id} ${charge.amount_captured} ${charge.currency.toUpperCase()}`),
    ...refunds.map((refund) => `${refund.id} ${refund.amount} ${refund.currency.toUpperCase()}`),
  ].sort()
  expect(booked).toEqual(moved)
})

describe('corrections by the console’s role', () => {
  const correction = {
    actionId: 'act_1',
    kind: 'book_charge',
    providerRef: 'ch_lost',
    chargeRef: 'ch_lost',
    reference: 'order-9',
    amountMinor: '1050',
    currency: 'USD',
    paymentIntent: 'pi_lost',
    customer: 'cus_9',
  }
  const apply = async (body: unknown) => {
    const { rows } = await fixture.consolePool.query('SELECT payments_apply_correction($1) AS done', [
      JSON.stringify(body),
    ])
    return rows[0]?.done
  }

  test('book once, whoever asks again', async () => {
    const raced = await Promise.all([apply(correction), apply(correction)])
    expect(raced.map(({ applied }) => applied).sort()).toEqual([false, true])
    expect(new Set(raced.map(({ entryId }) => entryId)).size).toBe(1)
    expect(await apply({ ...correction, actionId: 'act_2' })).toMatchObject({ applied: false })
    await expect(apply({ ...correction, amountMinor: '1' })).rejects.toMatchObject({ code: '23505' })
    expect(await fixture.client('web').read('pay_lost')).toMatchObject({
      charge: 'ch_lost',
      amountMinor: '1050',
    })
  })

  test('reverse once', async () => {
    const reverse = { actionId: 'act_3', kind: 'reverse', providerRef: 'ch_lost' }
    expect(await apply(reverse)).toMatchObject({ applied: true })
    expect(await apply(reverse)).toMatchObject({ applied: false })
    expect(await apply({ ...reverse, actionId: 'act_4' })).toMatchObject({ applied: false })
  })

  test('are refused when they are not understood', async () => {
    await expect(apply({ ...correction, actionId: 'act_5', kind: 'burn' })).rejects.toMatchObject({
      code: '22023',
    })
    await expect(apply({ kind: 'reverse' })).rejects.toMatchObject({ code: '22023' })
  })

  test('are the only way in: the role reads the ledger and writes nothing', async () => {
    await expect(fixture.consolePool.query('SELECT * FROM ledger_entry')).resolves.toBeDefined()
    for (const sql of [
      'DELETE FROM ledger_entry',
      'UPDATE ledger_entry SET amount_minor = 1',
      'SELECT * FROM payment',
    ]) {
      await expect(fixture.consolePool.query(sql), sql).rejects.toMatchObject({ code: '42501' })
    }
  })
})

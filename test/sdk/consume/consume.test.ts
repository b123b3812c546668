import { fork } from 'node:child_process'
import { once } from 'node:events'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type ConsumedMessage, type ConsumeHandler, type ConsumeOptions, consume } from '@/sdk/consume'
import { StoreUnavailableError } from '@/sdk/errors'
import { createGate, createStoreFixture, KEY_SECRET, leaseState, type StoreFixture } from '../support'

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await createStoreFixture()
  await fixture.query('CREATE TABLE stock (id text PRIMARY KEY, reserved int NOT NULL)')
})
afterAll(() => fixture.close())

let ids = 0
const nextMessage = (over: Partial<ConsumedMessage> = {}): ConsumedMessage => ({
  id: `message-${++ids}`,
  type: 'order.paid',
  headers: { 'content-type': 'application/json' },
  payload: Buffer.from('{"order":1}'),
  ...over,
})
const consumer = (
  handler: ConsumeHandler<pg.PoolClient>,
  over: Partial<ConsumeOptions<pg.PoolClient>> = {},
) =>
  consume<pg.PoolClient>(
    { store: fixture.store, group: 'inventory', topic: 'orders', keySecret: KEY_SECRET, ...over },
    handler,
  )

describe('a message', () => {
  test('is applied once; its duplicates are acknowledged without executing', async () => {
    let runs = 0
    const { handle } = consumer(() => void runs++)
    const message = nextMessage()
    expect(await handle(message)).toEqual({ kind: 'done', replayed: false })
    // JSON with other spaces is the same message.
    expect(await handle({ ...message, payload: Buffer.from('{ "order": 1 }') })).toEqual({
      kind: 'done',
      replayed: true,
    })
    expect(runs).toBe(1)
    const [record] = await fixture.query(
      'SELECT s.name FROM idem_record r JOIN idem_scope s USING (scope_id) WHERE r.key = idem_key_bytes($1)',
      [message.id],
    )
    expect(record).toEqual({ name: 'inventory/CONSUME orders' })
  })

  test('is applied once by each group', async () => {
    const runs: string[] = []
    const message = nextMessage()
    for (const group of ['inventory', 'mail', 'inventory'])
      await consumer(() => void runs.push(group), { group }).handle(message)
    expect(runs).toEqual(['inventory', 'mail'])
  })

  test('in progress comes later, not before its lease may have ended', async () => {
    const gate = createGate()
    const begun = createGate()
    const { handle } = consumer(async () => {
      begun.resolve()
      await gate.promise
    })
    const message = nextMessage()
    const first = handle(message)
    await begun.promise
    const second = await handle(message)
    expect(second).toMatchObject({ kind: 'later', reason: 'in_progress' })
    if (second.kind === 'later') expect(second.delayMs).toBeGreaterThan(5_000)
    gate.resolve()
    expect(await first).toMatchObject({ kind: 'done' })
  })

  test('its rows and its record commit together, or neither', async () => {
    const message = nextMessage()
    let fails = true
    const { handle } = consumer((_, ctx) =>
      ctx.transaction(async (tx) => {
        await tx.query(
          "INSERT INTO stock VALUES ('a', 1) ON CONFLICT (id) DO UPDATE SET reserved = stock.reserved + 1",
        )
        if (fails) throw new Error('no')
      }),
    )
    expect(await handle(message)).toMatchObject({ kind: 'later', reason: 'failed', error: new Error('no') })
    fails = false
    expect(await handle(message)).toEqual({ kind: 'done', replayed: false })
    expect(await handle(message)).toEqual({ kind: 'done', replayed: true })
    expect(await fixture.query('SELECT * FROM stock')).toEqual([{ id: 'a', reserved: 1 }])
  })

  test('that failed before any effect waits longer each time, and is applied in the end', async () => {
    let calls = 0
    const { handle } = consumer(
      async (_, ctx) => {
        if (ctx.attempt < 3) throw new Error('later')
        await ctx.effect('mail', { name: 'mail.send' }, async () => ({ reference: `mail_${++calls}` }))
      },
      { random: () => 0 },
    )
    const message = nextMessage()
    expect(await handle(message)).toMatchObject({ reason: 'failed', delayMs: 500 })
    expect(await handle(message)).toMatchObject({ reason: 'failed', delayMs: 1_000 })
    expect(await handle(message)).toMatchObject({ kind: 'done' })
    expect(calls).toBe(1)
  })

  test('whose effect has an unknown end is parked until it is settled', async () => {
    const message = nextMessage()
    const { handle } = consumer(async (_, ctx) => {
      await ctx.effect('charge', { name: 'stripe.charge', providerKeyed: false }, async () => {
        throw new Error('timeout')
      })
    })
    expect(await handle(message)).toMatchObject({ kind: 'later', reason: 'failed' })
    expect(await handle(message)).toEqual({ kind: 'parked', reason: 'unknown' })
    expect(await leaseState(fixture, message.id)).toBe('U')
  })

  test('with another’s id, or with none, is parked', async () => {
    const { handle } = consumer(() => {})
    const message = nextMessage()
    await handle(message)
    expect(await handle({ ...message, payload: Buffer.from('{"order":2}') })).toEqual({
      kind: 'parked',
      reason: 'mismatch',
    })
    expect(await handle({ ...message, type: 'order.refunded' })).toEqual({
      kind: 'parked',
      reason: 'mismatch',
    })
    expect(await handle(nextMessage({ id: '' }))).toEqual({ kind: 'parked', reason: 'no_id' })
  })

  test('that an operator holds comes later, and is not begun', async () => {
    let runs = 0
    const { handle } = consumer(() => void runs++, { topic: 'held-topic' })
    await handle(nextMessage())
    await fixture.query(
      "SELECT idem_place_hold('h1', 'route', 'the warehouse is down', 'test', p_route => 'CONSUME held-topic')",
    )
    onTestFinished(async () => {
      await fixture.query("SELECT idem_lift_hold('h1', 'over again', 'test')")
    })
    // Read by this process within two seconds, whatever it does.
    await expect.poll(async () => (await handle(nextMessage())).kind, { timeout: 30_000 }).toBe('later')
    const before = runs
    expect(await handle(nextMessage())).toMatchObject({ kind: 'later', reason: 'held' })
    expect(runs).toBe(before)
  })

  test('comes later when the store is down', async () => {
    const { handle } = consumer(() => {})
    const store = { ...fixture.store, acquire: () => Promise.reject(new StoreUnavailableError('down')) }
    expect(await consumer(() => {}, { store }).handle(nextMessage())).toMatchObject({
      kind: 'later',
      reason: 'store_unavailable',
    })
    expect(await handle(nextMessage())).toMatchObject({ kind: 'done' })
  })
})

test('records that are kept for less than the broker may deliver again are warned of, once', async () => {
  const warnings: string[] = []
  const onUsageWarning = (warning: Error) => void warnings.push(warning.message)
  const one = consumer(() => {}, { onUsageWarning })
  one.expectRedelivery(3_600_000)
  await one.handle(nextMessage())
  expect(warnings).toEqual([])
  one.expectRedelivery(4 * 86_400_000)
  await one.handle(nextMessage())
  await one.handle(nextMessage())
  expect(warnings).toEqual([
    'tier default keeps records for 3600 s, but the broker may deliver a message again for 345600 s: what comes after the record has expired is applied a second time',
  ])
})

test('a wrong group or topic stops the start', () => {
  expect(() => consumer(() => {}, { group: 'a/b' })).toThrow(TypeError)
  expect(() => consumer(() => {}, { topic: 'a b' })).toThrow(TypeError)
})

describe('a consumer that is killed', () => {
  test.each([
    ['before', { kind: 'done', replayed: false }],
    ['inside', { kind: 'parked', reason: 'unknown' }],
    ['after', { kind: 'done', replayed: false }],
  ])('%s its effect does it once', async (stopAt, expected) => {
    const message = { id: `killed-${stopAt}`, headers: {}, payload: new Uint8Array() }
    const child = fork('test/sdk/programs/consume-then-hang.ts', [fixture.url, message.id, stopAt], {
      execArgv: ['--import', 'tsx'],
    })
    await once(child, 'message')
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    let calls = 0
    const { handle } = consumer(async (_, ctx) => {
      await ctx.effect('reserve', { name: 'warehouse.reserve', providerKeyed: false }, async () => {
        calls += 1
        return { reference: 'r_2' }
      })
    })
    // Its lease has to pass first.
    await expect.poll(async () => (await handle(message)).kind, { timeout: 30_000 }).toBe(expected.kind)
    expect(calls).toBe(stopAt === 'before' ? 1 : 0)
  })
})

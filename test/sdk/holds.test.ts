import { fork } from 'node:child_process'
import type { PoolClient } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HeldError, StoreUnavailableError } from '@/sdk/errors'
import type { IdempotencyContext, IdempotentHandler } from '@/sdk/idempotent'
import { createPostgresStore, type PostgresStore } from '@/sdk/stores/postgres'
import { liftHold, placeHold } from './holds-fixture'
import {
  acquireRequest,
  createGate,
  createManualClock,
  createStoreFixture,
  expireLease,
  holderOf,
  idempotentOn,
  leaseState,
  openPool,
  postJson,
  type StoreFixture,
} from './support'

const SCOPE = 'web/POST /v1/payments'
const ROUTE = 'POST /v1/payments'

let fixture: StoreFixture
/** Time of the process; that of its store goes on by itself. */
let time: ReturnType<typeof createManualClock>
let store: PostgresStore
let serial = 0
let key = ''
const wrap = idempotentOn(() => fixture)

beforeAll(async () => {
  fixture = await createStoreFixture()
  await fixture.store.acquire(acquireRequest('seen'))
})
beforeEach(async () => {
  key = `key-${++serial}`
  time = createManualClock()
  store = createPostgresStore({ pool: fixture.pool, clock: time.clock })
  await fixture.query('DELETE FROM idem_hold')
})
afterAll(() => fixture.close())

const post = (name = key, body: unknown = {}) => postJson(body, { 'idempotency-key': name })
const paying =
  (charges: string[] = []): IdempotentHandler<PoolClient> =>
  async (_request, context) => {
    await charge(context, charges)
    return Response.json({ paid: true }, { status: 201 })
  }
const charge = (context: IdempotencyContext<PoolClient>, charges: string[], step = 'charge') =>
  context.effect(step, { name: `stripe.${step}` }, async () => {
    charges.push(step)
    return { reference: `ch_${charges.length}` }
  })
/** The process reads again. */
const readAgain = () => time.advance(2_001)

/** Status, problem type and whether it says when to come back. */
async function read(answer: Response) {
  const { type } = (await answer.json()) as { type?: string }
  return { status: answer.status, type, retryAfterS: Number(answer.headers.get('retry-after')) }
}
const HELD = { status: 503, type: 'urn:idemscope:problem:held', retryAfterS: 30 }

const leaseRow = async (name: string) =>
  JSON.stringify(await fixture.query('SELECT l.* FROM idem_lease l WHERE l.key = idem_key_bytes($1)', [name]))

describe('a hold', () => {
  it.each([
    ['store', {}],
    ['route', { route: ROUTE }],
    ['caller', { caller: 'web' }],
  ])('of a %s stops new executions with 503, and replays go on', async (kind, target) => {
    const handle = wrap(paying(), { store })
    await handle(post('done-before'))
    expect((await placeHold(fixture, kind, target)).said).toBe('placed')
    readAgain()
    const charges: string[] = []
    const held = wrap(paying(charges), { store })
    expect(await read(await held(post()))).toEqual(HELD)
    expect([await leaseState(fixture, key), charges]).toEqual([null, []])
    const replay = await held(post('done-before'))
    expect([replay.status, replay.headers.get('idempotent-replayed')]).toEqual([201, 'true'])
    expect((await held(post('done-before', { other: 1 }))).status).toBe(422)
  })

  it('of a key stops that key alone', async () => {
    await placeHold(fixture, 'key', { scope: SCOPE, key })
    const handle = wrap(paying(), { store })
    expect((await read(await handle(post()))).type).toBe(HELD.type)
    expect((await handle(post(`${key}-other`))).status).toBe(201)
  })

  it('of another route, caller, key or step stops nothing here', async () => {
    await fixture.store.acquire(acquireRequest('elsewhere', { scope: 'shop/POST /v1/refunds' }))
    await placeHold(fixture, 'route', { route: 'POST /v1/refunds' })
    await placeHold(fixture, 'caller', { caller: 'shop' })
    await placeHold(fixture, 'key', { scope: 'shop/POST /v1/refunds', key })
    await placeHold(fixture, 'step', { step: 'charge', route: 'POST /v1/refunds' })
    expect((await wrap(paying(), { store })(post())).status).toBe(201)
  })

  it('stops unkeyed requests too, but no safe method', async () => {
    await placeHold(fixture, 'store')
    const handle = wrap(paying(), { store, required: false })
    expect(await read(await handle(postJson({})))).toEqual(HELD)
    expect((await handle(new Request('http://service.test/v1/payments'))).status).toBe(201)
  })

  it('lets end what runs, in its own transaction too', async () => {
    const begun = createGate()
    const goOn = createGate()
    const handle = wrap(
      async (_request, context) => {
        begun.resolve()
        await goOn.promise
        await charge(context, [])
        return context.transaction(async () => new Response(null, { status: 201 }))
      },
      { store },
    )
    const running = handle(post())
    await begun.promise
    await placeHold(fixture, 'store')
    readAgain()
    expect((await read(await handle(post(`${key}-new`)))).type).toBe(HELD.type)
    goOn.resolve()
    expect((await running).status).toBe(201)
  })

  it('changes nothing of the key that it stops, however often that is asked for', async () => {
    const handle = wrap(paying(), { store })
    const request = acquireRequest('stopped')
    const holder = holderOf(request, await fixture.store.acquire(request))
    await fixture.store.checkpoint(holder, 'booked', { row: 1 })
    await expireLease(fixture, 'stopped')
    await placeHold(fixture, 'store')
    const before = await leaseRow('stopped')
    expect(await store.holds?.look(request)).toEqual({ kind: 'held' })
    expect((await handle(post('stopped', { another: 'body' }))).status).toBe(422)
    expect(await leaseRow('stopped')).toBe(before)
  })

  it('ends by itself, on the clock of the store', async () => {
    await placeHold(fixture, 'store', { lastsMs: 1_500 })
    const handle = wrap(paying(), { store })
    expect(await read(await handle(post()))).toEqual({ ...HELD, retryAfterS: 2 })
    // This process believes that no time has passed.
    await expect.poll(async () => (await fixture.query('SELECT idem_holds() AS h'))[0]?.h).toBe(null)
    expect((await read(await handle(post()))).type).toBe(HELD.type)
    readAgain()
    expect((await handle(post())).status).toBe(201)
  })

  it('can be lifted, once', async () => {
    const { id } = await placeHold(fixture, 'store')
    const handle = wrap(paying(), { store })
    expect((await handle(post())).status).toBe(503)
    expect([await liftHold(fixture, id), await liftHold(fixture, id)]).toEqual(['lifted', 'ended'])
    readAgain()
    expect((await handle(post())).status).toBe(201)
    expect(await liftHold(fixture, 'nobody')).toBe('unknown')
  })
})

describe('a held step', () => {
  it('is not begun: nothing is charged, and the key may be used again', async () => {
    const { id } = await placeHold(fixture, 'step', { step: 'charge' })
    const charges: string[] = []
    const handle = wrap(paying(charges), { store })
    expect(await read(await handle(post()))).toEqual(HELD)
    expect([charges, await leaseState(fixture, key)]).toEqual([[], null])
    await liftHold(fixture, id)
    readAgain()
    expect([(await handle(post())).status, charges]).toEqual([201, ['charge']])
  })

  it('leaves what was done before it, which is not done again', async () => {
    const charges: string[] = []
    const handle = wrap(
      async (_request, context) => {
        await charge(context, charges)
        await charge(context, charges, 'mail')
        return new Response(null, { status: 201 })
      },
      { store },
    )
    const mail = await placeHold(fixture, 'step', { step: 'mail', route: ROUTE })
    expect((await read(await handle(post()))).type).toBe(HELD.type)
    expect([charges, await leaseState(fixture, key)]).toEqual([['charge'], 'R'])
    // Held now itself, what it made is still given to the next attempt.
    await placeHold(fixture, 'step', { step: 'charge' })
    await liftHold(fixture, mail.id)
    readAgain()
    expect([(await handle(post())).status, charges]).toEqual([201, ['charge', 'mail']])
  })

  it('can be caught: the handler decides what follows', async () => {
    await placeHold(fixture, 'step', { step: 'mail' })
    const handle = wrap(
      async (_request, context) => {
        const error = await charge(context, [], 'mail').catch((thrown: unknown) => thrown)
        return Response.json({ later: error instanceof HeldError }, { status: 202 })
      },
      { store },
    )
    const answer = await handle(post())
    expect([answer.status, await answer.json()]).toEqual([202, { later: true }])
  })

  it('is not begun by an unkeyed request either', async () => {
    await placeHold(fixture, 'step', { step: 'charge' })
    const charges: string[] = []
    const handle = wrap(paying(charges), { store, required: false })
    expect([await read(await handle(postJson({}))), charges]).toEqual([HELD, []])
  })
})

describe('a hold that comes between', () => {
  it('an acquire and its execution stops the execution, and the key is as before', async () => {
    const late: PostgresStore = {
      ...store,
      async acquire(request) {
        const acquired = await store.acquire(request)
        await placeHold(fixture, 'route', { route: ROUTE })
        readAgain()
        return acquired
      },
    }
    const charges: string[] = []
    expect(await read(await wrap(paying(charges), { store: late })(post()))).toEqual(HELD)
    expect([charges, await leaseState(fixture, key)]).toEqual([[], null])
  })

  it('the beginning of an effect and its call stops the call, and says that it was not made', async () => {
    const late: PostgresStore = {
      ...store,
      async beginEffect(holder, effect) {
        const begun = await store.beginEffect(holder, effect)
        await placeHold(fixture, 'step', { step: effect.step })
        readAgain()
        return begun
      },
    }
    const charges: string[] = []
    expect(await read(await wrap(paying(charges), { store: late })(post()))).toEqual(HELD)
    expect([charges, await leaseState(fixture, key)]).toEqual([[], 'R'])
    await fixture.query('DELETE FROM idem_hold')
    readAgain()
    expect([(await wrap(paying(charges), { store })(post())).status, charges]).toEqual([201, ['charge']])
  })

  it('two tries of a waiting duplicate stops it from taking the key over', async () => {
    const [running, goOn] = [createGate(), createGate()]
    const broken = async () => {
      running.resolve()
      await goOn.promise
      throw new Error('broken')
    }
    const first = wrap(broken, { store })(post())
    await running.promise
    let asked = 0
    const counted: PostgresStore = {
      ...store,
      async acquire(request) {
        const acquired = await store.acquire(request)
        asked += 1
        return acquired
      },
    }
    const charges: string[] = []
    const options = { store: counted, clock: time.clock, waitMs: 60_000 }
    const second = wrap(paying(charges), options)(post())
    await expect.poll(() => asked).toBe(1)
    await placeHold(fixture, 'store')
    goOn.resolve()
    await expect(first).rejects.toThrow('broken')
    readAgain()
    expect([await read(await second), charges, asked]).toEqual([HELD, [], 1])
    expect(await leaseState(fixture, key)).toBe('R')
  })
})

describe('while the store cannot be read', () => {
  const down = () => Promise.reject(new StoreUnavailableError('down'))

  it('the last known holds stay in force on a route that fails open, until they end', async () => {
    const pool = openPool(fixture.url, 2)
    const errors: unknown[] = []
    const failing = createPostgresStore({
      pool,
      clock: time.clock,
      onHoldError: (error) => void errors.push(error),
    })
    await placeHold(fixture, 'store', { lastsMs: 60_000 })
    const handle = wrap(paying(), { store: { ...failing, acquire: down }, failMode: 'open' })
    expect(await read(await handle(post()))).toEqual(HELD)
    await pool.end()
    readAgain()
    expect(await read(await handle(post()))).toEqual({ ...HELD, retryAfterS: 30 })
    expect(errors.length).toBeGreaterThan(0)
    time.advance(60_000)
    expect((await handle(post())).status).toBe(201)
  })

  it('requests do not wait for it again and again', async () => {
    let reads = 0
    const pool = openPool(fixture.url, 2)
    const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<unknown>
    Object.assign(pool, {
      query(...args: unknown[]) {
        if (!(args[0] as { text: string }).text.includes('idem_holds')) return query(...args)
        reads += 1
        return Promise.reject(new Error('Query read timeout'))
      },
    })
    const failing = createPostgresStore({ pool, clock: time.clock })
    const handle = wrap(paying(), { store: failing })
    for (let n = 0; n < 5; n += 1) expect((await handle(post(`${key}-${n}`))).status).toBe(201)
    expect(reads).toBe(1)
    await pool.end()
  })
})

it('a process that was frozen reads before its first execution', async () => {
  const handle = wrap(paying(), { store })
  expect((await handle(post())).status).toBe(201)
  await placeHold(fixture, 'store')
  // Its timers did not fire meanwhile.
  const frozen = { ...time.clock, nowMs: () => time.clock.nowMs() + 3_600_000 }
  const thawed = createPostgresStore({ pool: fixture.pool, clock: frozen })
  expect((await read(await wrap(paying(), { store: thawed })(post(`${key}-2`)))).type).toBe(HELD.type)
})

it('reads once a second in the background, and never for a request', async () => {
  const texts: string[] = []
  const pool = openPool(fixture.url, 2)
  const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<unknown>
  Object.assign(pool, {
    query(...args: unknown[]) {
      texts.push((args[0] as { text: string }).text)
      return query(...args)
    },
  })
  const counted = createPostgresStore({ pool, clock: time.clock })
  await counted.registerTier('default', 3_600_000)
  const reads = () => texts.filter((text) => text.includes('idem_holds')).length
  const handle = wrap(() => new Response(null, { status: 201 }), { store: counted })
  expect(reads()).toBe(1)
  for (let n = 0; n < 20; n += 1) await handle(post(`${key}-${n}`))
  expect(reads()).toBe(1)
  time.advance(1_000)
  await expect.poll(reads).toBe(2)
  counted.close()
  time.advance(60_000)
  expect(reads()).toBe(2)
  await pool.end()
})

it('is in force in every process within 2 seconds', async () => {
  const program = new URL('./programs/execute-on-and-on.ts', import.meta.url).pathname
  const children = [1, 2].map(() => {
    const said: { status: number; begunAtMs: number | null }[] = []
    const child = fork(program, [fixture.url], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    child.on('message', (message) => said.push(message as (typeof said)[number]))
    return { child, said }
  })
  try {
    await expect.poll(() => children.every(({ said }) => said.length > 5)).toBe(true)
    await placeHold(fixture, 'route', { route: ROUTE })
    const placedAtMs = Date.now()
    await expect
      .poll(() => children.every(({ said }) => said.slice(-5).every(({ status }) => status === 503)), {
        timeout: 10_000,
      })
      .toBe(true)
    const last = Math.max(...children.flatMap(({ said }) => said.map(({ begunAtMs }) => begunAtMs ?? 0)))
    console.log(`holds: the last execution began ${last - placedAtMs} ms after the hold was placed`)
    expect(last - placedAtMs).toBeLessThanOrEqual(2_000)
    expect(
      children.flatMap(({ said }) => said.map(({ status }) => status)).every((s) => s === 201 || s === 503),
    ).toBe(true)
  } finally {
    for (const { child } of children) child.kill('SIGKILL')
  }
})

import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { StoreUnavailableError } from '@/sdk/errors'
import type { IdempotentHandler } from '@/sdk/idempotent'
import { createPostgresStore, type PostgresStore } from '@/sdk/stores/postgres'
import { type BreakingFixture, createBreakingFixture } from './breaking-fixture'
import type { Break } from './breaking-proxy'
import { expireLease, idempotentOn, leaseState, postJson } from './support'

let fixture: BreakingFixture
let proxy: BreakingFixture['proxy']
let pool: pg.Pool
let store: PostgresStore
let serial = 0
let key = ''
const wrap = idempotentOn(() => fixture)

beforeAll(async () => {
  fixture = await createBreakingFixture()
  await fixture.query('CREATE TABLE booking (key text, attempt int)')
  ;({
    proxy,
    through: { pool, store },
  } = fixture)
})
beforeEach(() => {
  key = `key-${++serial}`
})
afterAll(() => fixture.close())

/** A handler that tries its transaction again, as careful people do when a database says "not now". */
const persistent =
  (answers: number[] = []): IdempotentHandler<pg.PoolClient> =>
  async (_request, context) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await context.transaction(async (tx) => {
          await tx.query('INSERT INTO booking VALUES ($1, $2)', [key, attempt])
          answers.push(attempt)
          return Response.json({ attempt }, { status: 201 })
        })
      } catch (error) {
        if (!(error instanceof StoreUnavailableError) || attempt === 3) throw error
      }
    }
  }

const booked = async () =>
  (await fixture.query<{ attempt: number }>('SELECT attempt FROM booking WHERE key = $1', [key])).map(
    ({ attempt }) => attempt,
  )

const replay = () =>
  wrap(() => {
    throw new Error('it is executed again')
  })(postJson({}, { 'idempotency-key': key }))

const OUTCOMES: [Break, string, number][] = [
  ['after', 'committed: it is not run again', 1],
  ['before', 'rolled back: it may be run again', 2],
  ['half', 'left open by a server that does not know: it is ended, and may be run again', 2],
]

describe.each(OUTCOMES)(
  'a COMMIT whose connection breaks (%s) and whose work was %s',
  (how, _what, attempt) => {
    it('under a key', async () => {
      proxy.breakAtCommit(how)
      const answer = await wrap(persistent(), { store })(postJson({}, { 'idempotency-key': key }))
      expect([answer.status, await answer.json()]).toEqual([201, { attempt }])
      expect(proxy.broken()).toBe(1)
      expect(await booked()).toEqual([attempt])
      expect(await (await replay()).json()).toEqual({ attempt })
    })

    it('without a key', async () => {
      proxy.breakAtCommit(how)
      const answer = await wrap(persistent(), { store, required: false })(postJson({}))
      expect([answer.status, await answer.json()]).toEqual([201, { attempt }])
      expect(await booked()).toEqual([attempt])
    })
  },
)

it('a COMMIT that was sent down a broken pipe is asked after, as any other whose answer is lost', async () => {
  const single = new pg.Pool({ connectionString: fixture.url, max: 1 })
  single.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>
    Object.assign(client, {
      async query(...args: unknown[]) {
        const answer = await query(...args)
        if ((args[0] as { text?: string }).text !== 'COMMIT') return answer
        throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE', errno: -32, syscall: 'write' })
      },
    })
  })
  const piped = createPostgresStore({ pool: single })
  const answer = await wrap(persistent(), { store: piped })(postJson({}, { 'idempotency-key': key }))
  piped.close()
  await single.end()
  expect([answer.status, await answer.json(), await booked()]).toEqual([201, { attempt: 1 }, [1]])
})

describe.each(['after', 'before'] as const)('while the store cannot be asked (%s)', (how) => {
  /** Nobody waits for it: the store's own waits pass at once. */
  const clock = {
    nowMs: () => performance.now(),
    after(delayMs: number, call: () => void, kind?: 'background') {
      const timer = setTimeout(call, kind === 'background' ? delayMs : 0)
      timer.unref()
      return () => clearTimeout(timer)
    },
  }

  it('the work is not run again; the next request is answered by what became of it', async () => {
    // One connection: the store must not be asked by another that is still open.
    const single = new pg.Pool({ connectionString: proxy.url, max: 1 })
    single.on('error', () => {})
    const impatient = createPostgresStore({ pool: single, clock })
    const runs: number[] = []
    let refused = 0
    const handle = wrap(
      async (request, context) => {
        try {
          return await persistent(runs)(request, context)
        } catch (error) {
          refused += 1
          throw error
        }
      },
      {
        store: {
          ...impatient,
          async transaction(holder, work) {
            await impatient.transaction?.(holder, async (tx) => {
              const end = await work(tx)
              proxy.breakAtCommit(how)
              proxy.refuse(true)
              return end
            })
          },
        },
      },
    )
    const answer = await handle(postJson({}, { 'idempotency-key': key }))
    proxy.refuse(false)
    impatient.close()
    await single.end()
    expect([answer.status, runs, refused]).toEqual([503, [1], 1])
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    if (how === 'after') {
      expect(await (await replay()).json()).toEqual({ attempt: 1 })
    } else {
      expect(await leaseState(fixture, key)).toBe('L')
      await expireLease(fixture, key)
      expect((await wrap(persistent())(postJson({}, { 'idempotency-key': key }))).status).toBe(201)
    }
    expect(await booked()).toEqual([1])
  })
})

it('is not taken for committed when a new server has given its id to another transaction', async () => {
  const query = (text: unknown, values: unknown) =>
    String(text).includes('pg_xact_status')
      ? Promise.resolve({ rows: [{ status: 'committed' }] })
      : pool.query(text as string, values as unknown[])
  const failedOver = { connect: () => pool.connect(), query } as unknown as pg.Pool
  const store = createPostgresStore({ pool: failedOver })
  proxy.breakAtCommit('before')
  const answer = await wrap(persistent(), { store })(postJson({}, { 'idempotency-key': key }))
  store.close()
  expect([answer.status, await booked(), await leaseState(fixture, key)]).toEqual([503, [], 'L'])
  await expireLease(fixture, key)
  expect((await wrap(persistent())(postJson({}, { 'idempotency-key': key }))).status).toBe(201)
  expect(await booked()).toEqual([1])
})

it.each(['COMMIT', 'ROLLBACK', 'COMMIT; BEGIN'])(
  'work that ends its transaction itself (%s) does not complete the key',
  async (statement) => {
    const handler: IdempotentHandler<pg.PoolClient> = (_request, context) =>
      context.transaction(async (tx) => {
        await tx.query('INSERT INTO booking VALUES ($1, 1)', [key])
        await tx.query(statement)
        return new Response('booked', { status: 201 })
      })
    const request = () => postJson({}, { 'idempotency-key': key })
    await expect(wrap(handler)(request())).rejects.toThrow(/ended the transaction itself/)
    expect(await leaseState(fixture, key)).toBe('R')
    await expect(wrap(handler, { required: false })(postJson({}))).rejects.toThrow(/ended the transaction/)
    // The connection is fit for others.
    expect((await wrap(persistent())(request())).status).toBe(201)
  },
)

it('a connection that breaks between two statements fails the request, not the process', async () => {
  const answer = wrap(
    (_request, context) =>
      context.transaction(async (tx) => {
        const { rows } = await tx.query('SELECT pg_backend_pid() AS pid')
        await fixture.query('SELECT pg_terminate_backend($1)', [rows[0].pid])
        await expect
          .poll(() => fixture.query('SELECT FROM pg_stat_activity WHERE pid = $1', [rows[0].pid]))
          .toEqual([])
        return new Response('booked', { status: 201 })
      }),
    { store },
  )(postJson({}, { 'idempotency-key': key }))
  expect((await answer).status).toBe(503)
  expect(await leaseState(fixture, key)).toBe('R')
})

import pg from 'pg'
import { expect, it } from 'vitest'
import { StoreUnavailableError } from '@/sdk/errors'
import { idempotent } from '@/sdk/idempotent'
import { createPostgresStore, type PostgresStore } from '@/sdk/stores/postgres'
import { acquireRequest, createStoreFixture, holderOf, KEY_SECRET, okResponse, postJson } from './support'

it('a refused connection is an unavailable store: 503, or executed unprotected where the route is open', async () => {
  const pool = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' })
  const store = createPostgresStore({ pool })
  await expect(store.acquire(acquireRequest('k'))).rejects.toBeInstanceOf(StoreUnavailableError)
  const serve = (failMode: 'open' | 'closed') =>
    idempotent(() => new Response('done'), {
      store,
      keySecret: KEY_SECRET,
      failMode,
      scope: () => ({ caller: 'web', route: '/v1/payments' }),
    })(postJson({}, { 'idempotency-key': 'k' }))
  expect((await serve('closed')).status).toBe(503)
  expect(await (await serve('open')).text()).toBe('done')
  store.close()
  await pool.end()
})

it('a statement that does not come back is an unavailable store', async () => {
  const fixture = await createStoreFixture()
  const slow = createPostgresStore({ pool: fixture.pool, operationTimeoutMs: 100 })
  const holder = holderOf(acquireRequest('slow'), await fixture.store.acquire(acquireRequest('slow')))
  const blocker = await fixture.pool.connect()
  await blocker.query('BEGIN')
  await blocker.query('SELECT FROM idem_lease FOR UPDATE')
  await expect(slow.heartbeat(holder, 1000)).rejects.toBeInstanceOf(StoreUnavailableError)
  await blocker.query('ROLLBACK')
  blocker.release()
  slow.close()
  await fixture.close()
})

it('a completion whose answer was lost is said again and found to be this holder’s own', async () => {
  const fixture = await createStoreFixture()
  let lost = 0
  const store: PostgresStore = {
    ...fixture.store,
    async complete(holder, response) {
      const completed = await fixture.store.complete(holder, response)
      lost += 1
      if (lost === 1) throw new StoreUnavailableError('the connection broke after COMMIT')
      return completed
    },
  }
  const response = await idempotent(() => Response.json({ a: 1 }, { status: 201 }), {
    store,
    keySecret: KEY_SECRET,
    scope: () => ({ caller: 'web', route: '/v1/payments' }),
  })(postJson({}, { 'idempotency-key': 'lost' }))
  expect([response.status, lost]).toEqual([201, 2])
  await fixture.close()
})

it.each(['written', 'not written'])(
  'an effect whose beginning was %s and not answered was not called: the next request does it',
  async (how) => {
    const fixture = await createStoreFixture()
    let lost = 0
    const store: PostgresStore = {
      ...fixture.store,
      async beginEffect(holder, effect) {
        if (lost > 0) return fixture.store.beginEffect(holder, effect)
        lost += 1
        if (how === 'written') await fixture.store.beginEffect(holder, effect)
        throw new StoreUnavailableError('the connection broke')
      },
    }
    let calls = 0
    const pay = () =>
      idempotent(
        async (_request, context) => {
          await context.effect('charge', { name: 'charge', providerKeyed: false }, async () => {
            calls += 1
            return {}
          })
          return new Response('paid', { status: 201 })
        },
        { store, keySecret: KEY_SECRET, scope: () => ({ caller: 'web', route: '/v1/payments' }) },
      )(postJson({}, { 'idempotency-key': 'begun' }))
    expect((await pay()).status).toBe(503)
    expect([(await pay()).status, calls]).toEqual([201, 1])
    await fixture.close()
  },
)

it('a beginning that is not answered says nothing of an earlier call of the same step', async () => {
  const fixture = await createStoreFixture()
  let begins = 0
  const store: PostgresStore = {
    ...fixture.store,
    async beginEffect(holder, effect) {
      begins += 1
      if (begins === 2) throw new StoreUnavailableError('the connection broke')
      return fixture.store.beginEffect(holder, effect)
    },
    settleEffect: async (holder, step, end) => {
      // The first call's end could not be written.
      if (end.state === 'unknown') throw new StoreUnavailableError('down')
      return fixture.store.settleEffect(holder, step, end)
    },
  }
  const handle = idempotent(
    async (_request, context) => {
      const charge = () =>
        context.effect('charge', { name: 'charge', providerKeyed: false }, () =>
          Promise.reject(new Error('timeout')),
        )
      await charge().catch(() => {})
      await charge()
      return new Response()
    },
    { store, keySecret: KEY_SECRET, scope: () => ({ caller: 'web', route: '/v1/payments' }) },
  )
  expect((await handle(postJson({}, { 'idempotency-key': 'twice' }))).status).toBe(503)
  expect(await fixture.query('SELECT state FROM idem_lease')).toEqual([{ state: 'U' }])
  await fixture.close()
})

it('a store without its tables is a bug, not an outage', async () => {
  const fixture = await createStoreFixture()
  const store = createPostgresStore({ pool: fixture.pool, schema: 'nowhere' })
  await expect(store.acquire(acquireRequest('k'))).rejects.not.toBeInstanceOf(StoreUnavailableError)
  await expect(fixture.store.acquire(acquireRequest('k', { tier: 'unknown' }))).rejects.toThrow(
    /not registered/,
  )
  store.close()
  expect(
    await fixture.store.complete(
      holderOf(acquireRequest('k'), await fixture.store.acquire(acquireRequest('k'))),
      okResponse(),
    ),
  ).not.toBe('stale')
  await fixture.close()
})

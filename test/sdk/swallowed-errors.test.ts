import type { PoolClient } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '@/sdk/clock'
import { StoreUnavailableError } from '@/sdk/errors'
import type { IdempotentHandler } from '@/sdk/idempotent'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { runTransaction } from '@/sdk/stores/postgres/transaction'
import {
  createStoreFixture,
  idempotentOn,
  leaseState,
  openPool,
  postJson,
  type StoreFixture,
} from './support'

let fixture: StoreFixture
let serial = 0
const newKey = () => `key-${++serial}`
const wrap = idempotentOn(() => fixture)

beforeAll(async () => {
  fixture = await createStoreFixture()
  await fixture.query('CREATE TABLE booking (id text PRIMARY KEY)')
})
afterAll(() => fixture.close())

const book =
  (id: string, work: 'swallow' | 'savepoint'): IdempotentHandler<PoolClient> =>
  (_request, context) =>
    context.transaction(async (tx) => {
      await tx.query('INSERT INTO booking VALUES ($1)', [id])
      if (work === 'savepoint') await tx.query('SAVEPOINT again')
      await tx.query('INSERT INTO booking VALUES ($1)', [id]).catch(() => {})
      if (work === 'savepoint') await tx.query('ROLLBACK TO SAVEPOINT again')
      return new Response('booked', { status: 201 })
    })

const down = async () => {
  throw new StoreUnavailableError('down')
}

const booked = (id: string) => fixture.query('SELECT id FROM booking WHERE id = $1', [id])

describe.each(['keyed', 'unkeyed', 'bypassed'])('a statement whose error is swallowed, %s', (kind) => {
  const serve = (key: string, work: 'swallow' | 'savepoint') =>
    wrap(book(key, work), {
      required: false,
      failMode: 'open',
      ...(kind === 'bypassed' ? { store: { ...fixture.store, acquire: down } } : {}),
    })(postJson({}, kind === 'unkeyed' ? {} : { 'idempotency-key': key }))

  it('is no success: nothing was committed, and nobody is told that it was', async () => {
    const key = newKey()
    await expect(serve(key, 'swallow')).rejects.toMatchObject({
      name: 'IdempotencyUsageError',
      message: expect.stringContaining('SAVEPOINT'),
    })
    expect(await booked(key)).toEqual([])
    if (kind === 'keyed') expect(await leaseState(fixture, key)).toBe('R')
  })

  it('does no harm inside a savepoint', async () => {
    const key = newKey()
    expect((await serve(key, 'savepoint')).status).toBe(201)
    expect(await booked(key)).toEqual([{ id: key }])
  })
})

it('the answer to COMMIT is read: ROLLBACK is no success', async () => {
  const key = newKey()
  const options = { pool: fixture.pool, clock: systemClock, operationTimeoutMs: 5_000 }
  const swallows = runTransaction(options, async (tx) => {
    await tx.query('INSERT INTO booking VALUES ($1)', [key])
    await tx.query('SELECT 1/0').catch(() => {})
    return 'commit'
  })
  await expect(swallows).rejects.toMatchObject({ name: 'IdempotencyUsageError' })
  expect(await booked(key)).toEqual([])
})

it('gives a connection back without a transaction, however the work ended', async () => {
  const one = openPool(fixture.url, 1)
  const store = createPostgresStore({ pool: one })
  const ends: Record<string, (tx: PoolClient) => Promise<Response>> = {
    'an error that was swallowed': async (tx) => {
      await tx.query('SELECT 1/0').catch(() => {})
      return new Response('done', { status: 201 })
    },
    'an error that was thrown': (tx) => tx.query('SELECT 1/0').then(() => new Response()),
    'an answer that is not stored': async () => new Response('no', { status: 409 }),
    'an answer that cannot be stored': async () => new Response('x'.repeat(100), { status: 201 }),
    'an open savepoint': async (tx) => {
      await tx.query('SAVEPOINT left_open')
      return new Response('done', { status: 201 })
    },
    'its own COMMIT': async (tx) => {
      await tx.query('COMMIT')
      return new Response('done', { status: 201 })
    },
    'its own second transaction': async (tx) => {
      await tx.query('COMMIT; BEGIN ISOLATION LEVEL SERIALIZABLE')
      return new Response('done', { status: 201 })
    },
  }
  for (const [name, end] of Object.entries(ends)) {
    for (const headers of [{ 'idempotency-key': newKey() }, {}]) {
      await wrap((_request, context) => context.transaction(end), {
        store,
        required: false,
        responseBytesMax: 50,
      })(postJson({}, headers)).catch(() => {})
      // 25P01 = there is no transaction.
      await expect(one.query('SAVEPOINT probe'), name).rejects.toMatchObject({ code: '25P01' })
    }
  }
  store.close()
  await one.end()
})

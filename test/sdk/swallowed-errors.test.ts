import type { PoolClient } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StoreUnavailableError } from '@/sdk/errors'
import type { IdempotentHandler } from '@/sdk/idempotent'
import { createStoreFixture, idempotentOn, leaseState, postJson, type StoreFixture } from './support'

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

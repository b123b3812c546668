import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createOutbox } from '@/sdk/outbox'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { startBreakingProxy } from '../breaking-proxy'
import { idempotentOn, openPool, postJson, type StoreFixture } from '../support'
import {
  createOutboxFixture,
  createRecorder,
  drain,
  inTransaction,
  message,
  type OutboxFixture,
  relayOn,
} from './fixture'

let fixture: OutboxFixture
beforeAll(async () => {
  fixture = await createOutboxFixture()
})
beforeEach(() => fixture.pool.query('DELETE FROM idem_outbox'))
afterAll(() => fixture.close())

describe('publishing', () => {
  test('a committed message is stored whole, and published as it was given', async () => {
    const [id = ''] = await fixture.publish({
      topic: 'orders',
      key: 'order-1',
      type: 'order.paid',
      payload: { amount: '1050', text: 'ü' },
      headers: { Tenant: 'a' },
    })
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const { state, publisher } = createRecorder()
    await drain(relayOn(fixture, publisher))
    expect(state.published).toEqual([
      {
        id,
        topic: 'orders',
        key: 'order-1',
        type: 'order.paid',
        headers: { 'content-type': 'application/json', tenant: 'a' },
        payload: Buffer.from('{"amount":"1050","text":"ü"}'),
        createdAt: expect.any(Date),
        attempt: 1,
      },
    ])
  })

  test('a message of a transaction that rolled back is never published', async () => {
    await expect(
      inTransaction(fixture.pool, async (client) => {
        await fixture.outbox.publish(client, message('never'))
        throw new Error('the work failed')
      }),
    ).rejects.toThrow('the work failed')
    const { publisher, types } = createRecorder()
    await drain(relayOn(fixture, publisher))
    expect(types()).toEqual([])
  })

  test('bytes are published as they are', async () => {
    const payload = new Uint8Array([0, 1, 255])
    await fixture.publish({
      topic: 't',
      type: 'bytes',
      payload,
      headers: { 'content-type': 'application/x-own' },
    })
    const { state, publisher } = createRecorder()
    await drain(relayOn(fixture, publisher))
    expect(state.published[0]).toMatchObject({
      payload: Buffer.from(payload),
      headers: { 'content-type': 'application/x-own' },
    })
  })

  test.each([
    ['a topic with a space', { topic: 'a b' }, /topic must be/],
    ['an empty key', { key: '' }, /key must be/],
    ['a key of 256 bytes', { key: 'ü'.repeat(128) }, /key must be/],
    ['half a character', { key: '\ud800' }, /key must be/],
    ['a header with a line break', { headers: { a: 'b\nc' } }, /headers must have/],
    ['too many headers', { headers: { a: 'x'.repeat(9_000) } }, /headers must be at most 8192 bytes/],
    [
      'a payload beyond the bound',
      { payload: 'x'.repeat(262_143) },
      /payload has 262145 bytes, more than payloadBytesMax \(262144\)/,
    ],
  ])('%s is an error at publish, and nothing is written', async (_, over, error) => {
    const valid = message('wrong')
    await expect(fixture.publish({ ...valid, ...over })).rejects.toThrow(error)
    expect(await fixture.states()).toEqual({})
  })

  test('refuses to publish outside a transaction', async () => {
    await expect(fixture.outbox.publish(fixture.pool, message('x'))).rejects.toThrow(
      /needs an open transaction/,
    )
    const client = await fixture.pool.connect()
    await client.query('SELECT 1')
    await expect(fixture.outbox.publish(client, message('x'))).rejects.toThrow(/needs an open transaction/)
    client.release()
  })

  test('lives in a schema of its own', async () => {
    const { migrateOutbox, createRelay } = await import('@/sdk/outbox')
    await migrateOutbox({ pool: fixture.pool, schema: 'Own"schema' })
    const outbox = createOutbox({ schema: 'Own"schema' })
    await inTransaction(fixture.pool, (client) => outbox.publish(client, message('own')))
    const { publisher, types } = createRecorder()
    await drain(createRelay({ pool: fixture.pool, publisher, schema: 'Own"schema', listen: false }))
    expect(types()).toEqual(['own'])
    await fixture.pool.query('DROP SCHEMA "Own""schema" CASCADE')
  })

  test('needs no partition that was made ahead', async () => {
    await fixture.pool.query(`
      DO $$ DECLARE p record; BEGIN
        FOR p IN SELECT partition FROM idem_outbox_partitions() LOOP EXECUTE format('DROP TABLE %s', p.partition); END LOOP;
      END $$`)
    await fixture.publish(message('in-the-default'))
    const { publisher, types } = createRecorder()
    await drain(relayOn(fixture, publisher))
    expect(types()).toEqual(['in-the-default'])
    await fixture.pool.query('DELETE FROM idem_outbox')
    await fixture.pool.query('SELECT idem_outbox_ensure_partitions()')
    expect((await fixture.pool.query('SELECT FROM idem_outbox_partitions()')).rowCount).toBe(5)
  })
})

describe('within ctx.transaction', () => {
  test('is published once, although the answer to COMMIT is lost', async () => {
    const proxy = await startBreakingProxy(fixture.url)
    const pool = openPool(proxy.url, 4)
    const store = createPostgresStore({ pool })
    await store.registerTier('default', 3_600_000)
    const idempotent = idempotentOn(() => ({ store }) as StoreFixture)
    const handle = idempotent(async (_request, ctx) =>
      ctx.transaction(async (tx) => {
        await fixture.outbox.publish(tx, message(`how-${ctx.key}`, 'k'))
        return new Response('done', { status: 201 })
      }),
    )
    try {
      proxy.breakAtCommit('after')
      expect((await handle(postJson({}, { 'idempotency-key': 'after' }))).status).toBe(201)
      proxy.breakAtCommit('before')
      // Nothing was committed: the client tries again, and that try publishes.
      expect((await handle(postJson({}, { 'idempotency-key': 'before' }))).status).toBe(503)
      expect((await handle(postJson({}, { 'idempotency-key': 'before' }))).status).toBe(201)
      expect(
        (await handle(postJson({}, { 'idempotency-key': 'after' }))).headers.get('idempotent-replayed'),
      ).toBe('true')
    } finally {
      store.close()
      await pool.end()
      await proxy.close()
    }
    const { publisher, types } = createRecorder()
    await drain(relayOn(fixture, publisher))
    expect(types()).toEqual(['how-after', 'how-before'])
  })
})

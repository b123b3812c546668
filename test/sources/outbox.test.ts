import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { MessageRow, MessageSource } from '@/lib/sources/contracts'
import { outboxConfigSchema } from '@/lib/sources/outbox/config'
import { openOutboxSource } from '@/lib/sources/outbox/open'
import { migrateOutbox } from '@/sdk/outbox'
import { grantsForConsole } from '@/sdk/stores/grants'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { createOutboxFixture, createRecorder, drain, message, relayOn, work } from '../sdk/outbox/fixture'
import { createEmptyDatabase } from '../support/database'

/** The outbox adapter, through the role that the SDK's grants make: least privilege. */

let fixture: Awaited<ReturnType<typeof createOutboxFixture>>
let source: MessageSource
const ROLE = `idemscope_outbox_${process.pid}`

beforeAll(async () => {
  fixture = await createOutboxFixture()
  const store = createPostgresStore({ pool: fixture.pool })
  await store.migrate()
  store.close()
  await fixture.pool.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD 'least'`)
  await fixture.pool.query(grantsForConsole({ role: ROLE }))
  const url = new URL(fixture.url)
  url.username = ROLE
  url.password = 'least'
  source = openOutboxSource(outboxConfigSchema.parse({}), { url: url.href })
})
afterAll(async () => {
  await source.close()
  await fixture.pool.query(`DROP OWNED BY ${ROLE}`)
  await fixture.pool.query(`DROP ROLE ${ROLE}`)
  await fixture.close()
})
beforeEach(() => fixture.pool.query('DELETE FROM idem_outbox'))

/** A relay of which the broker refuses for good what is named. */
async function publishWith(refused: readonly string[]) {
  const recorder = createRecorder({ keepsOrder: true })
  recorder.state.refuses = ({ type }) =>
    refused.includes(type) ? `Error: no such route\n at send.ts:1 ${type}` : null
  const relay = relayOn(fixture, recorder.publisher, { attemptsMax: 1 })
  await drain(relay)
  return { ...recorder, relay }
}

async function deadOne(type = 'dies'): Promise<MessageRow> {
  await fixture.publish(message(type, 'k'))
  await publishWith([type])
  const { items } = await source.readDead(null, 10)
  const found = items.find((each) => each.type === type)
  if (found === undefined) throw new Error('it is not dead')
  return found
}

const read = async ({ seen }: MessageRow) => {
  const { message: found } = await source.readMessage(seen.place)
  if (found === null) throw new Error('it is gone')
  return found
}

test('counts by topic what is unsent and dead, and since when', async () => {
  await fixture.publish(message('dies', 'a'), message('sent', 'b'), message('sent-too', null, 'mails'))
  await publishWith(['dies'])
  await fixture.publish(message('waits', 'c'), message('waits-too', 'd'))
  await fixture.pool.query(
    `INSERT INTO idem_outbox_relay (owner, asleep) VALUES ('relay-1', true) ON CONFLICT DO NOTHING`,
  )
  const sample = await source.sample()
  expect(sample).toMatchObject({
    atLeast: false,
    relays: expect.arrayContaining([expect.objectContaining({ owner: 'relay-1', asleep: true })]),
    topics: [{ topic: 'orders', unsent: 2, retrying: 0, dead: 1, published: expect.any(Number) }],
  })
  const [orders] = sample.topics
  expect(orders?.oldestUnsentAt?.getTime()).toBeLessThanOrEqual(sample.now.getTime())
  expect(orders?.oldestDeadAt).toBeInstanceOf(Date)
})

test('lists what is dead page by page, with its error whole, and reads one in every state', async () => {
  await fixture.publish(...['a', 'b', 'c'].map((type) => message(type, type)))
  await publishWith(['a', 'b', 'c'])
  const first = await source.readDead(null, 2)
  const rest = await source.readDead(first.cursor, 2)
  expect([...first.items, ...rest.items].map(({ type }) => type).sort()).toEqual(['a', 'b', 'c'])
  expect(rest.cursor).toBeNull()
  expect(first.items[0]).toMatchObject({
    state: 'dead',
    attempts: 1,
    error: expect.stringContaining('send.ts'),
  })
  const one = await source.readMessage(first.items[0]?.seen.place ?? '')
  expect(Buffer.from(one.message?.payload ?? []).toString()).toContain('type')
  expect(await source.readMessage('not an id')).toMatchObject({ message: null })
})

test('a redriven message is published once more, under its own id; the same act twice is one', async () => {
  const dead = await deadOne()
  expect(await source.redrive(dead.seen, { actionId: 'act_1' })).toEqual({ kind: 'done', id: dead.id })
  expect(await source.redrive(dead.seen, { actionId: 'act_1' })).toEqual({ kind: 'done', id: dead.id })
  expect(await source.redrive(dead.seen, { actionId: 'act_2' })).toMatchObject({ kind: 'refused' })
  expect(await read(dead)).toMatchObject({ state: 'pending', attempts: 0, actionId: 'act_1' })
  const { state } = await publishWith([])
  expect(state.published.map(({ id }) => id)).toEqual([dead.id])
  expect(await source.redrive(dead.seen, { actionId: 'act_1' })).toEqual({ kind: 'done', id: dead.id })
  expect(await read(dead)).toMatchObject({ state: 'sent' })
})

test('of two acts at once one is done', async () => {
  const dead = await deadOne()
  const outcomes = await Promise.all([
    source.redrive(dead.seen, { actionId: 'act_a' }),
    source.discard(dead.seen, { actionId: 'act_b' }),
    source.redrive(dead.seen, { actionId: 'act_c', payload: Buffer.from('{}') }),
  ])
  expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(1)
})

test('one that died again since it was seen is left alone', async () => {
  const dead = await deadOne()
  await source.redrive(dead.seen, { actionId: 'act_1' })
  await publishWith(['dies'])
  expect(await source.redrive(dead.seen, { actionId: 'act_2' })).toMatchObject({ kind: 'refused' })
  expect(await source.discard(dead.seen, { actionId: 'act_2' })).toMatchObject({ kind: 'refused' })
  expect(await read(dead)).toMatchObject({ state: 'dead' })
})

test('a changed message is a new one that names the old, which ends', async () => {
  const dead = await deadOne()
  const outcome = await source.redrive(dead.seen, { actionId: 'act_1', payload: Buffer.from('{"amount":2}') })
  if (outcome.kind !== 'done') throw new Error('refused')
  expect(outcome.id).not.toBe(dead.id)
  expect(
    await source.redrive(dead.seen, { actionId: 'act_1', payload: Buffer.from('{"amount":2}') }),
  ).toEqual(outcome)
  expect(await read(dead)).toMatchObject({ state: 'discarded' })
  const { state } = await publishWith([])
  expect(state.published).toMatchObject([{ id: outcome.id, headers: { 'idemscope-replaces': dead.id } }])
  expect(Buffer.from(state.published[0]?.payload ?? []).toString()).toBe('{"amount":2}')
})

test('a discarded message is never published, and does not keep its day', async () => {
  const dead = await deadOne()
  expect(await source.discard(dead.seen, { actionId: 'act_1' })).toEqual({ kind: 'done', id: dead.id })
  expect(await source.discard(dead.seen, { actionId: 'act_1' })).toEqual({ kind: 'done', id: dead.id })
  expect(await work(relayOn(fixture, createRecorder().publisher))).toMatchObject({ kind: 'idle' })
  const { rows } = await fixture.pool.query(
    `SELECT idem_outbox_is_open(tableoid::regclass, true) AS open FROM idem_outbox`,
  )
  expect(rows).toEqual([{ open: false }])
})

test('an outbox that is not there, and a role without the right, say what to do', async () => {
  const empty = await createEmptyDatabase()
  const none = openOutboxSource(outboxConfigSchema.parse({}), { url: empty.url })
  await expect(none.sample()).rejects.toThrow(/let the service run migrateOutbox/)
  const owner = new pg.Pool({ connectionString: empty.url })
  await migrateOutbox({ pool: owner })
  const url = new URL(empty.url)
  url.username = ROLE
  url.password = 'least'
  const without = openOutboxSource(outboxConfigSchema.parse({}), { url: url.href })
  await expect(without.readDead(null, 1)).rejects.toThrow(/run the SQL for its role/)
  await Promise.all([none.close(), without.close(), owner.end()])
  await empty.close()
})

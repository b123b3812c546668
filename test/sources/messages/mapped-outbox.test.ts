import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '@/lib/log'
import { adapterNameSchema } from '@/lib/sources/adapters'
import type { DetectedLayout, MessageSource } from '@/lib/sources/contracts'
import { mappedOutboxConfigSchema } from '@/lib/sources/mapped-outbox/config'
import { mappedOutboxGrants } from '@/lib/sources/mapped-outbox/grants'
import { openMappedMessages } from '@/lib/sources/mapped-outbox/open'
import { detectSource, previewSource, sourceGrants } from '@/lib/sources/preview'
import { migrateOutbox } from '@/sdk/outbox'
import { openPool } from '../../sdk/support'
import { createEmptyDatabase } from '../../support/database'
import { OTHER_OUTBOXES } from './other-outboxes'

/** Tables of other libraries, found by their columns, and through roles that have what the generated SQL grants, and no more. */

const admin = { kind: 'user', userId: 'u', name: 'a', role: 'admin', via: 'session' } as const
const ROLES: string[] = []
let database: Awaited<ReturnType<typeof createEmptyDatabase>>
let pool: pg.Pool
let found: DetectedLayout[]
beforeAll(async () => {
  database = await createEmptyDatabase()
  pool = openPool(database.url, 10)
  await pool.query(OTHER_OUTBOXES)
  await migrateOutbox({ pool })
  found = await detectSource({ actor: admin }, { secret: { url: database.url } })
})
afterAll(async () => {
  for (const role of ROLES) await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  await pool.end()
  await database.close()
})

const layoutAt = (place: string): DetectedLayout => {
  const layout = found.find((each) => each.place === place)
  if (layout === undefined) throw new Error(`${place} was not found`)
  return layout
}

/** Opened as the role that its generated SQL makes. */
async function openAs(place: string, over: Record<string, unknown> = {}): Promise<MessageSource> {
  const { adapter, config } = layoutAt(place)
  const role = `messages_${randomBytes(6).toString('hex')}`
  ROLES.push(role)
  const parsed = mappedOutboxConfigSchema.parse({ ...config, ...over })
  await pool.query(mappedOutboxGrants(parsed, role))
  const url = new URL(database.url)
  url.username = role
  url.password = 'choose one'
  const kind = adapter === 'mapped-outbox' ? 'outbox' : 'dead_letters'
  return openMappedMessages(kind, parsed, { url: url.href })
}

test('finds each table of messages by its columns, whatever its spelling, and no other', () => {
  expect(found.map(({ adapter, library, place }) => [place, adapter, library])).toEqual([
    ['cap.published', 'mapped-outbox', 'CAP, published'],
    ['cap.received', 'mapped-dead-letters', 'CAP, received'],
    ['public.OutboxMessage', 'mapped-outbox', 'MassTransit, outbox'],
    ['public.debezium_outbox', 'mapped-outbox', 'Debezium outbox event router'],
    ['public.event_log', 'mapped-outbox', 'event log of a service’s own'],
    ['public.idem_lease', 'native', 'Idemscope SDK'],
    ['public.idem_outbox', 'outbox', 'Idemscope SDK, outbox'],
    ['public.inbox_state', 'mapped-dead-letters', 'MassTransit, inbox'],
    ['public.outbox', 'mapped-outbox', 'outbox of a service’s own'],
  ])
})

test('each is previewed as it was found, without payloads, and says why a verb is not offered', async () => {
  await pool.query(`INSERT INTO outbox (topic, event_type, payload, failed_at, attempts, last_error)
    VALUES ('payments', 'paid', '{"card":"4242"}', now(), 3, 'no route')`)
  for (const { adapter, config, place } of found) {
    if (place === 'public.idem_lease') continue
    const ctx = { actor: admin, log: silentLog }
    const preview = await previewSource(ctx, {
      adapter: adapterNameSchema.parse(adapter),
      config,
      secret: { url: database.url },
    })
    expect([place, preview.messages?.topics]).toEqual([place, expect.any(Array)])
    expect(JSON.stringify(preview)).not.toContain('4242')
    expect(sourceGrants(adapter, config, 'reader')).toContain('GRANT SELECT')
    const { canRedrive, canDiscard, reasons } = preview.capabilities as MessageSource['capabilities']
    for (const [can, why] of [
      [canRedrive, reasons?.redrive],
      [canDiscard, reasons?.discard],
    ])
      expect(can ? 'offered' : why).toBeTruthy()
  }
  await pool.query('DELETE FROM outbox')
})

describe('an outbox of a service’s own', () => {
  let source: MessageSource
  beforeAll(async () => {
    source = await openAs('public.outbox', {
      discard: { set: { published_at: { now: true } } },
      consumers: [{ group: 'inventory', topic: 'payments', store: 'orders' }],
    })
  })
  afterAll(() => source.close())
  beforeEach(() => pool.query('DELETE FROM outbox'))

  async function dead(type = 'paid'): Promise<string> {
    const { rows } = await pool.query<{ id: string }>(
      `INSERT INTO outbox (topic, event_key, event_type, payload, failed_at, attempts, last_error)
       VALUES ('payments', 'k', $1, '{"amount":1}', clock_timestamp(), 3, E'Error: no route\\n at send.ts:1') RETURNING id`,
      [type],
    )
    return rows[0]?.id ?? ''
  }
  const only = async () => {
    const { items } = await source.readDead(null, 10)
    const [one] = items
    if (one === undefined || items.length !== 1) throw new Error('there is not one')
    return one
  }

  test('counts what is unsent and dead by topic, and what came in the last whole minute', async () => {
    await dead()
    await pool.query(`INSERT INTO outbox (topic, event_type, payload, attempts, created_at, published_at) VALUES
      ('payments', 'a', '{}', 0, now() - interval '2 hours', NULL), ('payments', 'b', '{}', 2, now(), NULL),
      ('mails', 'c', '{}', 0, date_trunc('minute', now()) - interval '30 seconds', now())`)
    const { topics, atLeast } = await source.sample()
    expect(atLeast).toBe(false)
    expect(topics).toMatchObject([
      { topic: 'mails', unsent: 0, dead: 0, published: 1 },
      { topic: 'payments', unsent: 2, retrying: 1, dead: 1, published: 0 },
    ])
    const ageMs = Date.now() - (topics[1]?.oldestUnsentAt?.getTime() ?? 0)
    expect(ageMs).toBeGreaterThan(7_000_000)
  })

  test('lists the dead page by page with their errors, and reads one by its id in any state', async () => {
    const ids = [await dead('a'), await dead('b'), await dead('c')]
    const first = await source.readDead(null, 2)
    const rest = await source.readDead(first.cursor, 2)
    expect([...first.items, ...rest.items].map(({ id, error }) => [id, error?.slice(0, 15)])).toEqual(
      ids.map((id) => [id, 'Error: no route']),
    )
    expect(rest.cursor).toBeNull()
    const { message } = await source.readMessage(ids[0] ?? '')
    expect(message).toMatchObject({ state: 'dead', topic: 'payments', type: 'a', attempts: 3 })
    expect(Buffer.from(message?.payload ?? []).toString()).toBe('{"amount": 1}')
    expect((await source.readMessage('no id')).message).toBeNull()
  })

  test('a redriven message is unsent again; only as it was seen', async () => {
    const id = await dead()
    const { seen } = await only()
    expect(await source.redrive(seen, { actionId: 'act_1' })).toEqual({ kind: 'done', id })
    expect((await source.readMessage(id)).message).toMatchObject({ state: 'pending', attempts: 0 })
    expect(await source.redrive(seen, { actionId: 'act_2' })).toEqual({ kind: 'refused', reason: 'changed' })
  })

  test('of two redrives and a discard at once one is done', async () => {
    await dead()
    const { seen } = await only()
    const outcomes = await Promise.all([
      source.redrive(seen, { actionId: 'act_a' }),
      source.redrive(seen, { actionId: 'act_b' }),
      source.discard(seen, { actionId: 'act_c' }),
    ])
    expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(1)
  })

  test('a publisher that writes to the row in between wins', async () => {
    const id = await dead()
    const { seen } = await only()
    const publisher = await pool.connect()
    await publisher.query('BEGIN')
    await publisher.query('UPDATE outbox SET attempts = 4, failed_at = clock_timestamp() WHERE id = $1', [id])
    const redriven = source.redrive(seen, { actionId: 'act_1' })
    await expect
      .poll(async () => {
        const { rows } = await pool.query(
          `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
        )
        return rows[0].waiting
      })
      .toBe(1)
    await publisher.query('COMMIT')
    publisher.release()
    expect(await redriven).toEqual({ kind: 'refused', reason: 'changed' })
    expect((await source.readMessage(id)).message).toMatchObject({ state: 'dead', attempts: 4 })
  })
})

test('with a column for it, the same act is done once and is told by its id', async () => {
  await pool.query('ALTER TABLE outbox ADD COLUMN IF NOT EXISTS action text')
  const { config } = layoutAt('public.outbox')
  const columns = { ...(config.columns as object), actionId: 'action' }
  const source = await openAs('public.outbox', { columns })
  await pool.query(
    `INSERT INTO outbox (topic, event_type, payload, failed_at) VALUES ('t', 'x', '{}', now())`,
  )
  const [one] = (await source.readDead(null, 1)).items
  if (one === undefined) throw new Error('none is dead')
  const outcomes = await Promise.all([1, 2].map(() => source.redrive(one.seen, { actionId: 'act_1' })))
  expect(outcomes).toEqual([
    { kind: 'done', id: one.id },
    { kind: 'done', id: one.id },
  ])
  expect((await source.readMessage(one.seen.place)).message).toMatchObject({ actionId: 'act_1' })
  await source.close()
  await pool.query('DELETE FROM outbox')
})

test('CAP: tried fifty times is dead, its error and id come from its content, and a redrive is what CAP retries', async () => {
  const content = (id: number) =>
    JSON.stringify({
      Headers: { 'cap-msg-id': `m${id}`, 'cap-exception': 'TimeoutException-->no broker', traceparent: null },
      Value: { amount: 1 },
    })
  const insert = 'INSERT INTO cap.published VALUES ($1, $2, $3, $4, $5, $6, $7, $8)'
  for (const [id, retries, status] of [
    [1, 50, 'Failed'],
    [2, 3, 'Failed'],
    [3, 0, 'Scheduled'],
    [4, 0, 'Succeeded'],
    [5, 0, 'Odd'],
  ] as const)
    await pool.query(insert, [
      id,
      'v1',
      'orders.paid',
      content(id),
      retries,
      '2026-11-30 10:00',
      null,
      status,
    ])
  const source = await openAs('cap.published', { timeZone: 'Europe/Berlin' })
  expect((await source.sample()).topics).toMatchObject([
    { topic: 'orders.paid', unsent: 2, retrying: 1, dead: 1, published: null },
  ])
  const { items } = await source.readDead(null, 10)
  expect(items).toMatchObject([
    { id: 'm1', error: 'TimeoutException-->no broker', publishedAt: new Date('2026-11-30T09:00:00Z') },
  ])
  const [one] = items
  if (one === undefined) throw new Error('none is dead')
  expect(await source.redrive(one.seen, { actionId: 'act_1' })).toEqual({ kind: 'done', id: 'm1' })
  const { rows } = await pool.query('SELECT "StatusName", "Retries" FROM cap.published WHERE "Id" = 1')
  expect(rows).toEqual([{ StatusName: 'Scheduled', Retries: 0 }])
  expect((await source.readMessage('5')).message).toMatchObject({ state: 'unknown' })
  await expect(source.discard(one.seen, { actionId: 'act_2' })).rejects.toThrow(/no state for a message/)
  await source.close()
})

test('MassTransit: what is there is unsent, read by its message id, and nothing is changed', async () => {
  const messageId = '0193e1f0-0000-7000-8000-000000000001'
  await pool.query(
    `INSERT INTO "OutboxMessage" ("SentTime", "Headers", "OutboxId", "MessageId", "ContentType", "MessageType", "Body", "DestinationAddress")
     VALUES (now(), '{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}', gen_random_uuid(), $1,
       'application/json', 'urn:message:Shop:Paid', '{"id":1}', 'rabbitmq://localhost/orders')`,
    [messageId],
  )
  const source = await openAs('public.OutboxMessage')
  expect((await source.sample()).topics).toMatchObject([
    { topic: 'rabbitmq://localhost/orders', unsent: 1, dead: null },
  ])
  const { message } = await source.readMessage(messageId)
  expect(message).toMatchObject({
    id: messageId,
    state: 'pending',
    traceId: '0af7651916cd43dd8448eb211c80319c',
  })
  expect(source.capabilities).toMatchObject({ canRedrive: false, canDiscard: false })
  await source.close()
})

test('Debezium: whether a row was sent is not known', async () => {
  await pool.query(
    `INSERT INTO debezium_outbox VALUES (gen_random_uuid(), 'order', '1', 'OrderPaid', '{"id":1}')`,
  )
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM debezium_outbox')
  const source = await openAs('public.debezium_outbox')
  expect((await source.readMessage(rows[0]?.id ?? '')).message).toMatchObject({
    state: 'unknown',
    topic: 'outbox.event.order',
    key: '1',
  })
  expect(await source.sample()).toMatchObject({ topics: [] })
  await source.close()
})

test('a column that is gone, a table that is gone and a role without rights say so', async () => {
  const secret = { url: database.url }
  const open = (over: object) =>
    openMappedMessages(
      'outbox',
      mappedOutboxConfigSchema.parse({ ...layoutAt('public.outbox').config, ...over }),
      secret,
    )
  const cases: [MessageSource, RegExp][] = [
    [open({ relation: { schema: 'public', name: 'nowhere' } }), /no table or view public.nowhere/],
    [open({ topic: { column: 'subject' } }), /has no column subject/],
  ]
  for (const [source, says] of cases) {
    await expect(source.sample()).rejects.toThrow(says)
    await source.close()
  }
  const role = `messages_${randomBytes(6).toString('hex')}`
  ROLES.push(role)
  await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
  const url = new URL(database.url)
  url.username = role
  url.password = 'x'
  const without = openMappedMessages(
    'outbox',
    mappedOutboxConfigSchema.parse(layoutAt('public.outbox').config),
    { url: url.href },
  )
  await expect(without.sample()).rejects.toThrow(/lacks a permission/)
  await without.close()
  expect(() =>
    mappedOutboxConfigSchema.parse({ ...layoutAt('public.OutboxMessage').config, deadFromAttempts: 5 }),
  ).toThrow(/needs columns.attempts/)
})

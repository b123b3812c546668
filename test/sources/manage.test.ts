import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connectSource, switchSource } from '@/lib/sources/connect'
import { openSecret } from '@/lib/sources/credentials'
import { changeSource, planChange } from '@/lib/sources/manage/change'
import { describeSource, lookAtChange } from '@/lib/sources/manage/describe'
import { compareReadings, readingOf } from '@/lib/sources/manage/reading'
import { removeSource } from '@/lib/sources/manage/remove'
import { saveSource } from '@/lib/sources/save'
import { createTestDatabase } from '../support/database'
import { userContext } from '../support/user-context'

let database: Awaited<ReturnType<typeof createTestDatabase>>
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const as = (role: 'admin' | 'operator') => userContext(database.db, role)
const options = { credentialsKey: 'a'.repeat(64), demo: false }
const REASON = 'the store got another role'
const URL_BEFORE = 'postgres://reader:hidden-word@db.internal/orders'

const store = () => ({
  adapter: 'native' as const,
  name,
  system: 'orders',
  config: {},
  secret: { url: URL_BEFORE },
})

let count = 0
let id = ''
let name = ''
beforeEach(async () => {
  name = `store ${count++}`
  id = (await connectSource(as('admin'), { ...store(), reason: REASON }, options)).id
  await database.db.prisma.source.update({ where: { id }, data: { lastOkAt: new Date() } })
  await stage('k1', null)
})

const row = () => database.db.prisma.source.findUniqueOrThrow({ where: { id } })
const secretOf = async () => openSecret(options.credentialsKey, id, (await row()).secret ?? new Uint8Array())
const off = () => switchSource(as('admin'), { id, on: false, reason: REASON })

/** A row of the mirror and a position, as staging leaves them. */
async function stage(object: string, operation: number | null): Promise<void> {
  await database.db.pool.query(
    `INSERT INTO mirror.object (version, seq, born_seq, operation_id, occurred_at, staged_at, source_id, object_id, system,
       side, kind, status, content_hash, data)
     VALUES (1, nextval('mirror.seq'), 1, $3, now(), now(), $1, $2, 'orders', 'intent', 'key', 'completed', '\\x00', '{}')`,
    [id, object, operation],
  )
  await database.db.pool.query(
    `INSERT INTO mirror.cursor VALUES ($1, 'records', 'a position', now()) ON CONFLICT DO NOTHING`,
    [id],
  )
}

async function kept(): Promise<{ objects: number; cursors: number; ended: number }> {
  const { rows } = await database.db.pool.query(
    `SELECT (SELECT count(*)::int FROM mirror.object WHERE source_id = $1) AS objects,
       (SELECT count(*)::int FROM mirror.cursor WHERE source_id = $1) AS cursors,
       (SELECT count(*)::int FROM ended_reading WHERE source_id = $1) AS ended`,
    [id],
  )
  return rows[0]
}

async function openCase(operationId: bigint, objectId: string): Promise<void> {
  await database.db.prisma.reconciliationCase.create({
    data: {
      ...{ id: `case_${name}`, breakId: `b_${name}`, system: 'orders', operationId, aspect: 'existence' },
      ...{
        objectId,
        class: 'orphan_effect',
        severity: 'P2',
        outcome: 'break',
        lifecycle: 'new',
        triage: 'open',
      },
      ...{ effectIds: [], evidence: {}, evidenceHash: 'h', version: 1, firstRunId: 'r', lastRunId: 'r' },
      ...{ firstSeen: new Date(), lastSeen: new Date(), breakOn: new Date() },
    },
  })
}

const given = { system: 'orders', reason: REASON }
const change = async (what: object, version?: number) =>
  changeSource(
    as('admin'),
    { id, version: version ?? (await row()).version, ...given, config: {}, ...what },
    options,
  )

describe('changing a source', () => {
  test('other credentials keep the mirror and its positions, and need no switch', async () => {
    const secret = { url: 'postgres://other:new-word@db.internal/orders' }
    expect(await change({ secret, config: { statementTimeoutMs: 9_000 } })).toEqual({
      id,
      version: 2,
      outcome: 'kept',
    })
    expect(await secretOf()).toEqual(secret)
    expect(await kept()).toEqual({ objects: 1, cursors: 1, ended: 0 })
    const [entry] = await database.db.prisma.auditEntry.findMany({
      where: { verb: 'source.change', subject: name },
    })
    expect(entry).toMatchObject({ reason: REASON, after: { secretChanged: true, reading: 'kept' } })
    expect(JSON.stringify([entry?.before, entry?.after])).not.toMatch(/hidden-word|new-word/)
  })

  test('the secret is kept where none is entered', async () => {
    await change({ region: 'eu-west-1' })
    expect(await secretOf()).toEqual({ url: URL_BEFORE })
    expect(await row()).toMatchObject({ region: 'eu-west-1', version: 2, name })
  })

  test('of two administrators at once the second is told', async () => {
    const both = await Promise.allSettled([1, 2].map((n) => change({ region: `region-${n}` }, 1)))
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'conflict', message: expect.stringContaining('changed since you looked') },
    })
    await switchSource(as('admin'), { id, on: false, reason: REASON })
    await expect(change({}, 2)).rejects.toMatchObject({ code: 'conflict' })
  })

  test('a lesser role may neither look, change nor remove', async () => {
    const lesser = as('operator')
    const forbidden = { code: 'forbidden' }
    await expect(describeSource(lesser, id, options)).rejects.toMatchObject(forbidden)
    await expect(lookAtChange(lesser, { id, ...given, config: {} }, options)).rejects.toMatchObject(forbidden)
    await expect(
      changeSource(lesser, { id, version: 1, ...given, config: {} }, options),
    ).rejects.toMatchObject(forbidden)
  })

  test('another place has to be said what it holds, and takes a source that is off', async () => {
    const secret = { url: 'postgres://reader:hidden-word@db.internal/other' }
    await expect(change({ secret })).rejects.toMatchObject({
      code: 'unprocessable',
      meta: { reason: 'records' },
    })
    await expect(change({ secret, records: 'other' })).rejects.toThrow('switch it off first')
    await off()
    expect(await change({ secret, records: 'other' })).toMatchObject({ outcome: 'forgotten' })
    // Nothing of the former records is left, no position is used again, and its earlier words are no more.
    expect(await kept()).toEqual({ objects: 0, cursors: 0, ended: 1 })
  })

  test('records that moved are read again from the beginning, and what was read stays', async () => {
    await off()
    const secret = { url: 'postgres://reader:hidden-word@db-2.internal/orders' }
    expect(await change({ secret, records: 'same' })).toMatchObject({ outcome: 'read_again' })
    expect(await kept()).toEqual({ objects: 1, cursors: 0, ended: 0 })
  })

  test('records that are understood otherwise are read again whole', async () => {
    await off()
    expect(await change({ config: { referenceField: 'order' } })).toMatchObject({ outcome: 'forgotten' })
    expect(await kept()).toEqual({ objects: 0, cursors: 0, ended: 0 })
  })

  test('waits for a run that began before the switch, and for an action that has not ended', async () => {
    const { prisma } = database.db
    await off()
    const run = await prisma.run.create({
      data: {
        id: `run_${name}`,
        kind: 'lock_check',
        state: 'running',
        requestedBy: 'system:test',
        startedAt: new Date(0),
      },
    })
    await expect(change({ config: { idFields: ['id'] } })).rejects.toThrow(`Run ${run.id}`)
    await prisma.run.update({ where: { id: run.id }, data: { state: 'done' } })
    const action = await prisma.action.create({
      data: {
        id: `act_${name}`,
        kind: 'release',
        state: 'unknown',
        sourceId: id,
        reason: REASON,
        createdAt: new Date(),
      },
    })
    await expect(change({ config: { idFields: ['id'] } })).rejects.toThrow(`Action ${action.id}`)
    await prisma.action.update({ where: { id: action.id }, data: { state: 'done' } })
    expect(await change({ config: { idFields: ['id'] } })).toMatchObject({ outcome: 'forgotten' })
  })

  test('a file that is saved again makes the same of what was read', async () => {
    const file = { ...store(), config: { schema: 'moved' } }
    const ctx = as('admin')
    await expect(saveSource(ctx, file, options)).rejects.toMatchObject({ meta: { reason: 'records' } })
    await expect(saveSource(ctx, { ...file, records: 'other' }, options)).rejects.toThrow(
      'switch it off first',
    )
    await off()
    expect(await saveSource(ctx, { ...file, records: 'other' }, options)).toBe(id)
    expect(await kept()).toEqual({ objects: 0, cursors: 0, ended: 1 })
    expect(await row()).toMatchObject({ enabled: true, switchedOffAt: null, version: 3 })
  })
})

test('a form shows what a source has, and nothing of its secret', async () => {
  const shown = await describeSource(as('admin'), id, options)
  expect(shown).toMatchObject({
    ...{ id, name, version: 1, adapter: 'native', system: 'orders', region: null, enabled: true },
    secret: [{ name: 'url', optional: false, kept: true }],
    place: { url: 'db.internal/orders', schema: 'public' },
  })
  expect(JSON.stringify(shown)).not.toMatch(/hidden-word|reader/)
})

test('what a change connects with is tried first, and what it does is said', async () => {
  await expect(
    lookAtChange(
      as('admin'),
      { id, ...given, config: {}, secret: { url: 'postgres://a:b@127.0.0.1:1/none' } },
      options,
    ),
  ).rejects.toMatchObject({ code: 'unprocessable' })
  const planned = await planChange(as('admin'), id, { ...given, config: { schema: 'second' } }, options)
  expect(planned.reading).toEqual({
    kind: 'place',
    fields: [{ name: 'schema', before: 'public', after: 'second' }],
  })
})

test('what open cases rest on is kept apart from the records of another place with the same ids', async () => {
  await stage('entry 1', 8)
  await openCase(8n, 'entry 1')
  await off()
  const secret = { url: 'postgres://reader:hidden-word@db.internal/other' }
  expect(await change({ secret, records: 'other' })).toMatchObject({ outcome: 'forgotten' })
  // Nothing of the source's own stands in the way of what it reads now, or is called gone by a reading of the new place.
  expect(await kept()).toEqual({ objects: 0, cursors: 0, ended: 1 })
  await stage('entry 1', null)
  const { rows } = await database.db.pool.query(
    `SELECT o.operation_id::int AS operation, e.name FROM mirror.object o JOIN ended_reading e ON e.id = o.source_id
     WHERE e.source_id = $1`,
    [id],
  )
  expect(rows).toEqual([{ operation: 8, name }])
  expect(await kept()).toMatchObject({ objects: 1 })
})

test('what open cases rest on stays in the system that a source leaves', async () => {
  await stage('entry 2', 9)
  await openCase(9n, 'entry 2')
  await off()
  expect(await change({ system: 'refunds' })).toMatchObject({ outcome: 'forgotten' })
  expect(await kept()).toEqual({ objects: 0, cursors: 0, ended: 1 })
})

test('a removed source frees its name and keeps what open cases rest on', async () => {
  await stage('k2', 7)
  await openCase(7n, 'k2')
  await off()
  const removed = await removeSource(as('admin'), { id, version: 2, name, reason: REASON })
  expect(removed).toEqual({ id, rowsForgotten: 1 })
  expect(await kept()).toEqual({ objects: 1, cursors: 0, ended: 1 })
  await expect(describeSource(as('admin'), id, options)).rejects.toMatchObject({ code: 'not_found' })
  expect((await connectSource(as('admin'), { ...store(), reason: REASON }, options)).id).not.toBe(id)
})

test('credentials, ways to the same records and the pace are no other place', () => {
  const place = (config: object, secret: object) => readingOf(config, secret)
  const redis = place(
    { pattern: 'a:{key}', scanCount: 1 },
    { url: 'rediss://u:p@r:6379/0', replicaUrl: 'rediss://x' },
  )
  expect(redis.place).toEqual({ url: 'r:6379/0', pattern: 'a:{key}' })
  expect(compareReadings(redis, place({ pattern: 'a:{key}' }, { url: 'rediss://r:6379/0' })).kind).toBe(
    'pace',
  )
  expect(compareReadings(redis, place({ pattern: 'b:{key}' }, { url: 'rediss://r:6379/0' })).kind).toBe(
    'place',
  )
  const kafka = { brokers: 'k:9092', password: 'hidden-word', unheardOf: 'hidden-too' }
  expect(place({}, kafka).place).toEqual({ brokers: 'k:9092' })
  expect(compareReadings(place({}, kafka), place({}, { ...kafka, unheardOf: 'other' })).kind).toBe('mapping')
  const dynamo = { region: 'eu-west-1', accessKeyId: 'a', secretAccessKey: 'b' }
  expect(place({ table: 't' }, dynamo).place).toEqual({ region: 'eu-west-1', table: 't' })
})

test('a URL that names another server or schema in its query is another place; how it is signed in with is neither shown nor one', () => {
  const of = (url: string) => readingOf({}, { url })
  const plain = of('postgres://u:p@db/orders?sslmode=require')
  expect(plain.place).toEqual({ url: 'db/orders' })
  expect(compareReadings(plain, of('postgres://v:q@db/orders?application_name=x')).kind).toBe('pace')
  for (const query of ['host=other', 'port=5433', 'options=-csearch_path%3Dother']) {
    expect(compareReadings(plain, of(`postgres://u:p@db/orders?${query}`)).kind).toBe('place')
  }
  expect(of('Postgres://u:hidden-word@db/orders').place).toEqual({ url: 'db/orders' })
  const socket = of('postgres:///orders?host=/run/postgres&user=u&password=hidden-word')
  expect(socket.place).toEqual({ url: '/orders host=/run/postgres' })
})

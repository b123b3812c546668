import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEmptyDatabase } from '../support/database'

/** A console whose administrators saw passwords, brought to this version. */

const MIGRATION = '20261129050000_two_people'
const sqlOf = (name: string) => readFileSync(`prisma/migrations/${name}/migration.sql`, 'utf8')

let database: Awaited<ReturnType<typeof createEmptyDatabase>>
let client: pg.Client
beforeAll(async () => {
  database = await createEmptyDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const earlier = readdirSync('prisma/migrations')
    .filter((name) => /^\d+_/.test(name) && name < MIGRATION)
    .sort()
  for (const name of earlier) await client.query(sqlOf(name))
  await client.query(`
    INSERT INTO "user" (id, name, email, role, service) VALUES
      ('ada', 'Ada', 'ada@x.org', 'admin', false), ('bob', 'Bob', 'bob@x.org', 'approver', false),
      ('carl', 'Carl', 'carl@x.org', 'operator', false), ('bot', 'bot', 'bot@x.invalid', 'viewer', true);
    INSERT INTO audit_entry (at, actor, actor_id, via, verb, subject, outcome, before, after) VALUES
      (now(), 'system:setup', NULL, 'job:setup', 'user.create', 'ada', 'done', NULL, '{"role":"admin"}'),
      (now(), 'Ada', 'ada', 'session', 'user.create', 'bob', 'done', NULL, '{"role":"viewer"}'),
      (now(), 'Ada', 'ada', 'session', 'user.set_role', 'bob', 'done', '{"role":"viewer"}', '{"role":"approver"}'),
      (now(), 'Ada', 'ada', 'session', 'user.set_role', 'carl', 'done', '{"role":"admin"}', '{"role":"operator"}'),
      (now(), 'Ada', 'ada', 'session', 'user.let_in', 'carl', 'done', '{"banned":true}', '{"banned":false}'),
      (now(), 'Ada', 'ada', 'session', 'user.let_in', 'ada', 'done', NULL, NULL);
    INSERT INTO apikey (id, reference_id, key, created_at, updated_at, expires_at) VALUES
      ('t1', 'bob', 'k1', now(), now(), NULL), ('t2', 'bot', 'k2', now(), now(), NULL),
      ('t3', 'carl', 'k3', now(), now(), '2026-01-01T00:00:00Z')`)
  await client.query(sqlOf(MIGRATION))
})
afterAll(async () => {
  await client.end()
  await database.close()
})

test('who made, raised or let in an account before counts as it; lowering leaves no trace', async () => {
  const { rows } = await client.query(
    'SELECT principal_id, by_id, how, holds FROM principal_link ORDER BY id',
  )
  expect(rows).toEqual([
    { principal_id: 'bob', by_id: 'ada', how: 'invited', holds: true },
    { principal_id: 'bob', by_id: 'ada', how: 'raised', holds: false },
    { principal_id: 'carl', by_id: 'ada', how: 'let_in', holds: false },
  ])
})

test('a token that had no end gets one', async () => {
  const { rows } = await client.query(
    `SELECT id, round(extract(epoch FROM expires_at - now()) / 86400)::int AS days FROM apikey ORDER BY id`,
  )
  expect(rows).toMatchObject([{ id: 't1', days: 90 }, { id: 't2', days: 365 }, { id: 't3' }])
  expect(rows[2].days).toBeLessThan(0)
})

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { migrateGuarded, provision } from '@/jobs/supervisor/provision'
import { readOrCreateSecrets } from '@/jobs/supervisor/secrets'
import { append } from '@/lib/audit/append'
import { giveBackAuditSql, ownsAudit, takeAuditSql } from '@/lib/audit/owner'
import { seal } from '@/lib/audit/seal'
import { signingKeys } from '@/lib/audit/signing'
import { verifyChain } from '@/lib/audit/verify/verify'
import { systemClock } from '@/lib/core/clock'
import { closeDatabase, type Db, openDatabase } from '@/lib/db'
import { applyMigrations } from '@/prisma/engine'

/** A console whose own role is no superuser, as in production. */
const name = `owner_${randomBytes(6).toString('hex')}`
const place = { database: name, role: name }
let superuser: pg.Client
let url: string
let db: Db

beforeAll(async () => {
  const admin = new URL(inject('postgresUrl'))
  const first = new pg.Client({ connectionString: admin.href })
  await first.connect()
  await first.query(`CREATE ROLE ${name} LOGIN PASSWORD '${name}'`)
  await first.query(`CREATE DATABASE ${name} OWNER ${name}`)
  await first.end()
  admin.pathname = `/${name}`
  superuser = new pg.Client({ connectionString: admin.href })
  await superuser.connect()
  url = `postgres://${name}:${name}@${admin.host}/${name}`
  await applyMigrations(url)
  db = openDatabase(url, 2)
})
afterAll(async () => {
  await closeDatabase(db)
  await superuser.end()
})

const write = () =>
  db.prisma.$transaction((tx) =>
    append(
      tx,
      { actor: { kind: 'system', job: 'j' }, clock: systemClock, requestId: 'r' },
      { verb: 'test.write', subject: 's', outcome: 'done' },
    ),
  )
const keys = signingKeys([randomBytes(32).toString('hex')])

test('without the SQL the console’s own role owns the audit, and health says so', async () => {
  expect(await ownsAudit(db)).toBe(true)
})

test('after it the role appends, seals and signs, and can neither change, drop nor disarm anything', async () => {
  await superuser.query(takeAuditSql(place))
  expect(await ownsAudit(db)).toBe(false)
  await write()
  expect(await seal(db, systemClock, { keys })).toMatchObject({ sealed: 1 })
  expect(await verifyChain(db, keys)).toMatchObject({ ok: true, sealed: 1, unsealed: 0 })
  for (const sql of [
    `UPDATE audit_entry SET actor = 'Mallory'`,
    'UPDATE audit_entry SET id = id',
    'DELETE FROM audit_entry',
    'TRUNCATE audit_entry CASCADE',
    'DROP TABLE audit_entry CASCADE',
    'ALTER TABLE audit_entry DISABLE TRIGGER USER',
    'ALTER TABLE audit_entry RENAME TO other',
    'DROP TRIGGER audit_entry_append_only ON audit_entry',
    'CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
    `CREATE TRIGGER t BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()`,
    'CREATE RULE r AS ON INSERT TO audit_entry DO INSTEAD NOTHING',
    'DELETE FROM audit_seal',
    'DELETE FROM audit_head',
    `UPDATE audit_head SET signed_at = now()`,
    'DROP SCHEMA public CASCADE',
    `DROP DATABASE ${name}`,
    'SET session_replication_role = replica',
    'SET ROLE idemscope_owner',
  ]) {
    // 42501: insufficient privilege.
    await expect(db.pool.query(sql), sql).rejects.toMatchObject({ code: '42501' })
  }
  // A warning only: nothing is granted by whom it does not belong to.
  await db.pool.query(`GRANT UPDATE ON audit_entry TO ${name}`)
  await expect(db.pool.query(`UPDATE audit_entry SET actor = 'Mallory'`)).rejects.toMatchObject({
    code: '42501',
  })
})

test('the console still makes what is its own: tables, schemas, and its next migrations', async () => {
  await db.pool.query('CREATE TABLE mine (id int); DROP TABLE mine; CREATE SCHEMA own; DROP SCHEMA own')
  await superuser.query(giveBackAuditSql(place))
  expect(await applyMigrations(url)).toEqual([])
  await db.pool.query(
    'ALTER TABLE audit_entry ADD COLUMN later int; ALTER TABLE audit_entry DROP COLUMN later',
  )
  await superuser.query(takeAuditSql(place))
  await expect(db.pool.query('ALTER TABLE audit_entry ADD COLUMN later int')).rejects.toThrow('owner')
  await write()
  expect(await seal(db, systemClock, { keys })).toMatchObject({ sealed: 1 })
})

test('every start of an embedded PostgreSQL leaves the console’s role without the audit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'idemscope-owner-'))
  const postgres = {
    port: superuser.port,
    url: (database: string) => new URL(`/${database}`, inject('postgresUrl')).href,
  }
  const { console: own } = await provision(postgres, readOrCreateSecrets(folder), false)
  for (const applied of [expect.arrayContaining([expect.any(String)]), []]) {
    await migrateGuarded(postgres, async () => expect(await applyMigrations(own)).toEqual(applied))
    const embedded = openDatabase(own, 1)
    expect(await ownsAudit(embedded)).toBe(false)
    await closeDatabase(embedded)
  }
  await rm(folder, { recursive: true })
})

test('the SQL is for any names', () => {
  expect(takeAuditSql({ database: 'a"b', role: 'c d' })).toContain('ALTER DATABASE "a""b" OWNER')
})

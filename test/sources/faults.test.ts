import pg from 'pg'
import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SystemContext } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { listSources } from '@/lib/mirror/read/list-sources'
import { closeSources, openIntentSource } from '@/lib/sources/registry'
import { saveSource } from '@/lib/sources/save'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { CREDENTIALS_KEY, SETTINGS } from '../locks/locks-fixture'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'
import { setSettings } from '../support/settings'

const PASSWORD = 'open-sesame-4711'
const TIMEOUT_MS = 300

setSettings({ IDEMSCOPE_CREDENTIALS_KEY: CREDENTIALS_KEY })
let console_: TestDatabase
let service: Awaited<ReturnType<typeof createEmptyDatabase>>
let owner: pg.Pool
let ctx: SystemContext
let ill: string
let well: string
const role = `faulty_${process.pid}`
/** All that was logged at any level. */
let logged = ''
beforeAll(async () => {
  ;[console_, service] = await Promise.all([createTestDatabase(), createEmptyDatabase()])
  owner = new pg.Pool({ connectionString: service.url, max: 4 })
  owner.on('error', () => undefined)
  for (const schema of ['ill', 'well']) {
    const store = createPostgresStore({ pool: owner, schema })
    await store.migrate()
    await store.registerTier('standard', 3_600_000)
    store.close()
  }
  await owner.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${PASSWORD}'`)
  const log = pino(
    { level: 'trace' },
    {
      write: (line: string) => {
        logged += line
      },
    },
  )
  await owner.query(`GRANT USAGE ON SCHEMA ill, well TO ${role}`)
  ctx = { db: console_.db, clock: systemClock, log, queue: noQueue }
  ill = await save('ill')
  well = await save('well')
})
afterAll(async () => {
  await closeSources()
  await owner.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  await owner.end()
  await Promise.all([console_.close(), service.close()])
})

function save(schema: 'ill' | 'well', over: { port?: string; user?: string } = {}): Promise<string> {
  const url = new URL(service.url)
  Object.assign(url, { username: over.user ?? role, password: PASSWORD, ...over })
  const config = { schema, statementTimeoutMs: TIMEOUT_MS }
  const secret = { url: url.href }
  return saveSource(
    ctx,
    { adapter: 'native', name: schema, system: 'payments', config, secret, records: 'same' },
    { credentialsKey: CREDENTIALS_KEY, atStart: true },
  )
}

const viewOf = async (id: string) => (await listSources(console_.db)).find((source) => source.id === id)

/** A check of all stores while one is ill: it says what is wrong with that one, and the other is checked. */
async function expectIll(said: RegExp): Promise<void> {
  const checked = await checkLocks(ctx, undefined, SETTINGS)
  expect(checked.find(({ source }) => source === ill)).toMatchObject({ kind: 'unreachable' })
  expect(checked.find(({ source }) => source === well)).toMatchObject({ kind: 'checked' })
  const view = await viewOf(ill)
  expect(view).toMatchObject({ state: 'down', lastError: expect.stringMatching(said) })
  expect(Date.parse(view?.lastErrorAt ?? '')).toBeGreaterThan(0)
  expect((await viewOf(well))?.state).toBe('ok')
}

async function expectWell(): Promise<void> {
  const checked = await checkLocks(ctx, ill, SETTINGS)
  expect(checked).toMatchObject([{ kind: 'checked' }])
  expect((await viewOf(ill))?.state).toBe('ok')
}

test('slow: it says that a statement was cancelled at its timeout, and the rest works', async () => {
  await expectWell()
  const blocker = await owner.connect()
  await blocker.query('BEGIN')
  await blocker.query('LOCK TABLE ill.idem_lease IN ACCESS EXCLUSIVE MODE')
  await expectIll(/^It is slow/)
  await blocker.query('ROLLBACK')
  blocker.release()
  await expectWell()
})

test('down: it says that it cannot be reached, and the rest works', async () => {
  await save('ill', { port: '1' })
  await expectIll(/^It cannot be reached/)
  await save('ill')
  await expectWell()
})

test('its credentials are refused: it says so, without them', async () => {
  await save('ill', { user: 'nobody_of_that_name' })
  await expectIll(/^It refuses the credentials/)
  await save('ill')
  await expectWell()
})

test('its schema changed: it names what is missing, and the rest works', async () => {
  await owner.query('ALTER TABLE ill.idem_lease RENAME COLUMN heartbeat_at TO beat_at')
  await expectIll(/^Its tables are not as they were.*heartbeat_at/)
  await owner.query('ALTER TABLE ill.idem_lease RENAME COLUMN beat_at TO heartbeat_at')
  await expectWell()
})

test('read-only: it is still read, a write is refused and says so', async () => {
  await owner.query(`ALTER ROLE ${role} SET default_transaction_read_only = on`)
  await save('ill')
  await expectWell()
  const { source } = await openIntentSource(ctx, ill)
  const seen = {
    scope: 'a/POST /b',
    key: 'k',
    createdAt: '2026-01-01 00:00:00+00',
    fence: '1',
    state: 'leased',
    leaseUntil: '',
    heartbeatAt: '',
  } as const
  await expect(source.release(seen, { actionId: 'act_1', graceMs: 0 })).rejects.toMatchObject({
    fault: 'read_only',
    refused: true,
  })
  expect(await viewOf(ill)).toMatchObject({
    state: 'down',
    lastError: expect.stringMatching(/^It is read-only/),
  })
  await owner.query(`ALTER ROLE ${role} RESET default_transaction_read_only`)
  await save('ill')
  await expectWell()
})

test('a permission is missing: it says on what', async () => {
  await owner.query(`ALTER ROLE ${role} NOSUPERUSER`)
  await save('ill')
  const checked = await checkLocks(ctx, ill, SETTINGS)
  expect(checked).toMatchObject([
    { kind: 'unreachable', error: expect.stringMatching(/lacks a permission.*idem_lease/) },
  ])
  await owner.query(`ALTER ROLE ${role} SUPERUSER`)
  await save('ill')
  await expectWell()
})

test('credentials are encrypted at rest, never shown again, and were never logged', async () => {
  const { rows } = await console_.db.pool.query('SELECT to_jsonb(s) AS row, s.secret FROM source s')
  expect(rows).toHaveLength(2)
  for (const { row, secret } of rows) {
    expect(Buffer.from(secret).toString('latin1')).not.toContain(PASSWORD)
    expect(JSON.stringify(row)).not.toContain(PASSWORD)
  }
  expect(JSON.stringify(await listSources(console_.db))).not.toContain(PASSWORD)
  // Each fault above was logged.
  expect(logged).toContain('could not be checked')
  expect(logged).not.toContain(PASSWORD)
})

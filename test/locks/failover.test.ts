import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { operateKey } from '@/lib/locks/verbs/operate-key'
import { settleUnknown } from '@/lib/locks/verbs/settle-unknown'
import { acquire, createFixture, type Fixture, killHolder, REASON, SETTINGS } from './locks-fixture'

/** A standby takes the primary's place under its address, as it was when it was last copied. */
let fixture: Fixture
let operator: Context
let admin: pg.Client
let primary: string
beforeAll(async () => {
  fixture = await createFixture()
  operator = await fixture.as('operator')
  admin = new pg.Client({ connectionString: inject('postgresUrl') })
  await admin.connect()
  primary = new URL(fixture.service.options.connectionString ?? '').pathname.slice(1)
})
afterAll(async () => {
  await fixture.close()
  await admin.query(`DROP DATABASE IF EXISTS ${primary}_lost WITH (FORCE)`)
  await admin.end()
})

/** Every session ends, and none begins before `work` is done. */
async function cutOff(work: () => Promise<unknown>): Promise<void> {
  await admin.query(`ALTER DATABASE ${primary} WITH ALLOW_CONNECTIONS false`)
  // Who waits for a lock goes first, or it would still get through.
  await admin.query(
    `SELECT pg_terminate_backend(pid, 5000) FROM (
       SELECT pid FROM pg_stat_activity WHERE datname = $1 ORDER BY wait_event_type IS NOT DISTINCT FROM 'Lock' DESC OFFSET 0
     ) session`,
    [primary],
  )
  await work()
  await admin.query(`ALTER DATABASE ${primary} WITH ALLOW_CONNECTIONS true`)
}

const copyToStandby = () =>
  cutOff(() => admin.query(`CREATE DATABASE ${primary}_standby TEMPLATE ${primary}`))

const failOver = () =>
  cutOff(async () => {
    await admin.query(`DROP DATABASE IF EXISTS ${primary}_lost`)
    await admin.query(`ALTER DATABASE ${primary} RENAME TO ${primary}_lost`)
    await admin.query(`ALTER DATABASE ${primary}_standby RENAME TO ${primary}`)
  })

async function deadLock(key: string): Promise<LockView> {
  await killHolder(fixture, await acquire(fixture, key))
  return lockOf(key)
}

async function lockOf(key: string): Promise<LockView> {
  await checkLocks(fixture.system, undefined, SETTINGS)
  const [lock] = (await listLocks(fixture.console.db, { key }, { limit: 1 }, systemClock.now())).items
  if (lock === undefined) throw new Error(`no lock of ${key}`)
  return lock
}

const release = (lock: LockView) =>
  operateKey(
    operator,
    'release',
    {
      sourceId: lock.source,
      scope: lock.scope,
      key: lock.key,
      seen: lock.version,
      reason: REASON,
      lockId: lock.id,
    },
    { settings: SETTINGS },
  )

const stateOf = async (key: string) =>
  (
    await fixture.service.query(
      `SELECT state::text AS state, attempts FROM idem_lease WHERE key = idem_key_bytes($1)`,
      [key],
    )
  ).rows[0]

const age = (actionId: string) =>
  fixture.console.db.pool.query(
    `UPDATE action SET executed_at = executed_at - interval '5 minutes', finished_at = finished_at - interval '5 minutes' WHERE id = $1`,
    [actionId],
  )

test('a failover in the middle of the write: unknown, settled by reading the new primary, then done once', async () => {
  const lock = await deadLock('over-1')
  await copyToStandby()
  const blocker = await fixture.service.connect()
  blocker.on('error', () => undefined)
  await blocker.query('BEGIN')
  await blocker.query(`SELECT FROM idem_lease WHERE key = idem_key_bytes('over-1') FOR UPDATE`)
  const releasing = release(lock)
  const waiting = () =>
    fixture.service
      .query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
      .then(({ rowCount }) => rowCount)
  await expect.poll(waiting).toBe(1)
  await failOver()
  blocker.release(true)

  const action = await releasing
  expect(action.state).toBe('unknown')
  expect(await stateOf('over-1')).toEqual({ state: 'L', attempts: 1 })
  await age(action.id)
  expect(await settleUnknown(fixture.system)).toEqual({ settled: 1, open: 0 })
  expect(
    await fixture.console.db.prisma.action.findUniqueOrThrow({ where: { id: action.id } }),
  ).toMatchObject({
    state: 'failed',
    result: { settled: 'not_applied' },
  })

  const again = await release(await lockOf('over-1'))
  expect(again).toMatchObject({ state: 'done' })
  expect(again.id).not.toBe(action.id)
  expect(await stateOf('over-1')).toEqual({ state: 'R', attempts: 1 })
})

test('a release that the failover lost can be done again, and is done in the store', async () => {
  const lock = await deadLock('over-2')
  await copyToStandby()
  const first = await release(lock)
  expect(first.state).toBe('done')
  await failOver()
  expect(await stateOf('over-2')).toEqual({ state: 'L', attempts: 1 })

  // The version is the one that was released before: not the same click any more.
  const back = await lockOf('over-2')
  expect(back.version).toBe(lock.version)
  await age(first.id)
  const second = await release(back)
  expect(second).toMatchObject({ state: 'done' })
  expect(second.id).not.toBe(first.id)
  expect(await stateOf('over-2')).toEqual({ state: 'R', attempts: 1 })
})

test('a store that became read-only refuses the write, says so, and changes nothing', async () => {
  const lock = await deadLock('over-3')
  await cutOff(() => admin.query(`ALTER DATABASE ${primary} SET default_transaction_read_only = on`))
  const refused = await release(lock)
  expect(refused).toMatchObject({ state: 'refused', result: { reason: 'store_unreachable' } })
  const source = await fixture.console.db.prisma.source.findUniqueOrThrow({ where: { id: fixture.sourceId } })
  expect(source.lastError).toMatch(/read-only/)
  await cutOff(() => admin.query(`ALTER DATABASE ${primary} RESET default_transaction_read_only`))
  expect(await stateOf('over-3')).toEqual({ state: 'L', attempts: 1 })
  expect(await release(await lockOf('over-3'))).toMatchObject({ state: 'done' })
})

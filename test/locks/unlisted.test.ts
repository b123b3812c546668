import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { previewLocks } from '@/lib/locks/bulk/preview-locks'
import { createSnapshot } from '@/lib/locks/bulk/snapshots'
import { exportLocks } from '@/lib/locks/export-locks'
import { countLocks, listLocks } from '@/lib/locks/list-locks'
import { readUnlisted } from '@/lib/locks/unlisted'
import { acquire, createFixture, type Fixture, killHolder, SCOPE, SETTINGS } from './locks-fixture'

/** A store with more live locks than a check reads: five here. */

const READ_MAX = 5
const keys = ['k-1', 'k-2', 'k-3', 'k-4', 'k-5', 'k-6', 'k-7']

let fixture: Fixture
let operator: Context
beforeAll(async () => {
  fixture = await createFixture()
  operator = await fixture.as('operator')
})
afterAll(() => fixture.close())
beforeEach(async () => {
  await fixture.service.query('DELETE FROM idem_lease')
  await fixture.console.db.pool.query('DELETE FROM lock')
  for (const key of keys) await killHolder(fixture, await acquire(fixture, key))
})

const check = () => checkLocks(fixture.system, undefined, SETTINGS, READ_MAX)
const now = () => systemClock.now()
const listed = async () =>
  (await listLocks(fixture.console.db, {}, { limit: 50 }, now())).items.map(({ key }) => key)
const theStore = () => ({ source: fixture.sourceId, name: 'store', listed: READ_MAX })

test('that there are more is said of the list, its counts and every filter that may match them', async () => {
  await check()
  expect(await listed()).toEqual(keys.slice(0, READ_MAX))
  expect(await countLocks(fixture.console.db, now(), 0)).toMatchObject({ stuck: READ_MAX, more: true })
  const { db } = fixture.console
  for (const filter of [{}, { source: fixture.sourceId }, { scope: SCOPE }, { stuckOnly: true }])
    expect(await readUnlisted(db, filter)).toMatchObject([theStore()])
  for (const filter of [{ source: 'src_other' }, { key: 'k-1' }, { ids: ['lock_1'] }])
    expect(await readUnlisted(db, filter)).toEqual([])
  const exported = await exportLocks(operator, {}, 'json')
  expect(JSON.parse(exported.text)).toMatchObject({ truncated: true })
})

test('a bulk act does not believe that it saw everything', async () => {
  await check()
  const looked = await previewLocks(operator, 'release', { scope: SCOPE }, SETTINGS)
  expect(looked).toMatchObject({ more: false, unlisted: [theStore()], snapshots: [{ count: READ_MAX }] })
  expect(await createSnapshot(operator, 'release', { scope: SCOPE }, SETTINGS)).toMatchObject({
    count: READ_MAX,
    unlisted: [theStore()],
  })
  const named = await previewLocks(operator, 'release', { key: 'k-1' }, SETTINGS)
  expect(named).toMatchObject({ unlisted: [], snapshots: [{ count: 1 }] })
})

test('what ended goes from the list as far as the reading is whole, and the next come in', async () => {
  await check()
  await fixture.service.query(
    `DELETE FROM idem_lease WHERE key IN (idem_key_bytes('k-2'), idem_key_bytes('k-5'))`,
  )
  expect(await check()).toMatchObject([{ kind: 'checked', leases: 5, gone: 2, truncated: false }])
  expect(await listed()).toEqual(['k-1', 'k-3', 'k-4', 'k-6', 'k-7'])
  expect(await countLocks(fixture.console.db, now(), 0)).toMatchObject({ more: false })
  expect(await readUnlisted(fixture.console.db)).toEqual([])
})

test('also while it holds more: what lies within the oldest that were read has ended', async () => {
  await check()
  await fixture.service.query(`DELETE FROM idem_lease WHERE key = idem_key_bytes('k-2')`)
  expect(await check()).toMatchObject([{ gone: 1, truncated: true }])
  expect(await listed()).toEqual(['k-1', 'k-3', 'k-4', 'k-5', 'k-6'])
})

test('a lock that cannot be read any more has not ended', async () => {
  await check()
  await fixture.service.query(`ALTER TABLE idem_lease DROP CONSTRAINT idem_lease_state_check`)
  await fixture.service.query(`UPDATE idem_lease SET state = 'X' WHERE key = idem_key_bytes('k-2')`)
  expect(await check()).toMatchObject([{ gone: 0 }])
  expect(await listed()).toContain('k-2')
})

test('a store that is switched off says nothing of what is held now', async () => {
  await check()
  await fixture.console.db.prisma.source.update({ where: { id: fixture.sourceId }, data: { enabled: false } })
  expect(await readUnlisted(fixture.console.db)).toEqual([])
  await fixture.console.db.prisma.source.update({ where: { id: fixture.sourceId }, data: { enabled: true } })
})

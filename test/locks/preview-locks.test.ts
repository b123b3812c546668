import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '@/lib/context'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { executeSnapshot } from '@/lib/locks/bulk/execute-snapshot'
import { previewLocks } from '@/lib/locks/bulk/preview-locks'
import { createSnapshot } from '@/lib/locks/bulk/snapshots'
import { tallyLocks } from '@/lib/locks/count-locks'
import { findLock } from '@/lib/locks/find-lock'
import { listLocks } from '@/lib/locks/list-locks'
import {
  acquire,
  beginCharge,
  charge,
  createFixture,
  type Fixture,
  killHolder,
  REASON,
  SCOPE,
  SETTINGS,
} from './locks-fixture'

let fixture: Fixture
let operator: Context
beforeAll(async () => {
  fixture = await createFixture()
  operator = await fixture.as('operator')
  for (const key of ['dead-1', 'dead-2']) await killHolder(fixture, await acquire(fixture, key))
  await acquire(fixture, 'alive')
  const holder = await acquire(fixture, 'charged')
  await beginCharge(fixture, holder)
  await charge(fixture, 'charged', 'order-1')
  await killHolder(fixture, holder)
  await checkLocks(fixture.system, undefined, SETTINGS)
})
afterAll(() => fixture.close())

const idsOf = async (...keys: string[]) => {
  const { items } = await listLocks(fixture.system.db, {}, { limit: 50 }, fixture.system.clock.now())
  return items.filter(({ key }) => keys.includes(key)).map(({ id }) => id)
}

test('each lock gets the action of its verdict; what is left is listed with its reason', async () => {
  const filter = { ids: await idsOf('dead-1', 'dead-2', 'alive', 'charged') }
  const preview = await previewLocks(operator, 'as_assessed', filter, SETTINGS)
  expect(preview.snapshots.map(({ verb, count }) => [verb, count])).toEqual([
    ['release', 2],
    ['complete', 1],
  ])
  expect(preview.snapshots[1]?.totals).toEqual([{ minor: '1050', currency: 'USD' }])
  expect(preview.left.map(({ key }) => key)).toEqual(['alive'])
  expect(preview.more).toBe(false)
})

test('one verb for all: what it is refused for is listed, nothing is frozen for it', async () => {
  const preview = await previewLocks(operator, 'release', { ids: await idsOf('charged', 'alive') }, SETTINGS)
  expect(preview.snapshots).toEqual([])
  expect(preview.left.map(({ key }) => key).sort()).toEqual(['alive', 'charged'])
})

test('filtered by endpoint and client; the tally counts the same', async () => {
  const [client = '', endpoint = ''] = SCOPE.split(/\/(.*)/s)
  const now = fixture.system.clock.now()
  const count = async (filter: Parameters<typeof listLocks>[1]) =>
    (await listLocks(fixture.system.db, filter, { limit: 50 }, now)).items.length
  const { tallies, more } = await tallyLocks(fixture.system.db)
  expect(await count({ client, endpoint })).toBe(tallies.reduce((sum, tally) => sum + tally.count, 0))
  expect(await count({ client: 'nobody' })).toBe(0)
  expect(await count({ endpoint: 'POST /other' })).toBe(0)
  expect(more).toBe(false)
})

test('a lock is found by its id, also when it has ended; another id is null', async () => {
  const [id = ''] = await idsOf('dead-2')
  const frozen = await createSnapshot(operator, 'release', { ids: [id] }, SETTINGS)
  await executeSnapshot(operator, frozen.snapshotId, REASON, { settings: SETTINGS })
  const now = fixture.system.clock.now()
  expect(await findLock(fixture.system.db, id, now)).toMatchObject({ id, key: 'dead-2' })
  expect(await findLock(fixture.system.db, 'lock_none', now)).toBeNull()
})

test('a viewer may look at the list and not freeze', async () => {
  const viewer = await fixture.as('viewer')
  await expect(
    previewLocks(viewer, 'release', { ids: await idsOf('dead-1') }, SETTINGS),
  ).rejects.toMatchObject({ code: 'forbidden' })
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { proposeCompletions, snapshotCompletions } from '@/lib/locks/bulk/complete-expired'
import { executeSnapshot } from '@/lib/locks/bulk/execute-snapshot'
import {
  acquire,
  beginCharge,
  charge,
  createFixture,
  type Fixture,
  killHolder,
  REASON,
  SETTINGS,
} from './locks-fixture'

let fixture: Fixture
beforeAll(async () => {
  fixture = await createFixture()
})
afterAll(() => fixture.close())

async function stuckWithEffect(key: string): Promise<void> {
  const holder = await acquire(fixture, key)
  await beginCharge(fixture, holder)
  await charge(fixture, key, `order-${key}`)
  await killHolder(fixture, holder)
}

test('expired leases with a known effect are proposed; past the provider’s window they are not', async () => {
  await stuckWithEffect('known-1')
  await stuckWithEffect('late-1')
  const none = await acquire(fixture, 'no-effect')
  await killHolder(fixture, none)
  await checkLocks(fixture.system, undefined, SETTINGS)
  await fixture.console.db.pool.query(
    `UPDATE lock SET acquired_at = acquired_at - interval '25 hours' WHERE key = 'late-1'`,
  )

  const proposal = await proposeCompletions(fixture.system, {}, SETTINGS)
  expect(proposal.completable.map(({ key }) => key)).toEqual(['known-1'])
  expect(proposal.tooLate.map(({ key }) => key)).toEqual(['late-1'])

  const operator = await fixture.as('operator')
  const snapshot = await snapshotCompletions(operator, {}, SETTINGS)
  expect(snapshot).toMatchObject({ count: 1, samples: [{ key: 'known-1' }] })
  expect(snapshot.excluded).toMatchObject([{ key: 'late-1', reason: 'window_passed' }])
  const first = await executeSnapshot(operator, snapshot.snapshotId, REASON, { settings: SETTINGS })
  expect(first).toMatchObject({ kind: 'inline', items: [{ state: 'done' }] })
  // A replayed request is answered with what the first one did.
  expect(await executeSnapshot(operator, snapshot.snapshotId, REASON, { settings: SETTINGS })).toEqual(first)
  await expect(snapshotCompletions(await fixture.as('viewer'), {}, SETTINGS)).rejects.toMatchObject({
    code: 'forbidden',
  })
})

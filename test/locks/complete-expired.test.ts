import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { freezeCompletions, proposeCompletions } from '@/lib/locks/bulk/complete-expired'
import { executeSnapshot } from '@/lib/locks/bulk/execute-snapshot'
import {
  acquire,
  beginCharge,
  charge,
  createStand,
  killHolder,
  REASON,
  SETTINGS,
  type Stand,
} from './locks-fixture'

let stand: Stand
beforeAll(async () => {
  stand = await createStand()
})
afterAll(() => stand.close())

async function stuckWithEffect(key: string): Promise<void> {
  const holder = await acquire(stand, key)
  await beginCharge(stand, holder)
  await charge(stand, key, `order-${key}`)
  await killHolder(stand, holder)
}

test('expired leases with a known effect are proposed; past the provider’s window they are not', async () => {
  await stuckWithEffect('known-1')
  await stuckWithEffect('late-1')
  const none = await acquire(stand, 'no-effect')
  await killHolder(stand, none)
  await checkLocks(stand.system, undefined, SETTINGS)
  await stand.console.db.pool.query(
    `UPDATE lock SET acquired_at = acquired_at - interval '25 hours' WHERE key = 'late-1'`,
  )

  const proposal = await proposeCompletions(stand.system, {}, SETTINGS)
  expect(proposal.completable.map(({ key }) => key)).toEqual(['known-1'])
  expect(proposal.tooLate.map(({ key }) => key)).toEqual(['late-1'])

  const operator = await stand.as('operator')
  const snapshot = await freezeCompletions(operator, {}, SETTINGS)
  expect(snapshot).toMatchObject({ count: 1, samples: [{ key: 'known-1' }] })
  expect(snapshot.excluded).toMatchObject([{ key: 'late-1', reason: 'window_passed' }])
  const first = await executeSnapshot(operator, snapshot.snapshotId, REASON, { settings: SETTINGS })
  expect(first).toMatchObject({ kind: 'inline', items: [{ state: 'done' }] })
  // A replayed request is answered with what the first one did.
  expect(await executeSnapshot(operator, snapshot.snapshotId, REASON, { settings: SETTINGS })).toEqual(first)
  await expect(freezeCompletions(await stand.as('viewer'), {}, SETTINGS)).rejects.toMatchObject({
    code: 'forbidden',
  })
})

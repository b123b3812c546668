import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { getKey } from '@/lib/keys/get-key'
import { formatKeyId } from '@/lib/keys/key-id'
import { createProviderAsker } from '@/lib/locks/assess/ask-provider'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { approveFail } from '@/lib/locks/fail/decide'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { operateKey } from '@/lib/locks/verbs/operate-key'
import {
  acquire,
  beginCharge,
  charge,
  createFixture,
  type Fixture,
  REASON,
  SCOPE,
  SETTINGS,
} from './locks-fixture'

/** Leases that an engine stamped whose clock was ahead before a failover: time says nothing of their holders. */

let fixture: Fixture
let operator: Context
beforeAll(async () => {
  fixture = await createFixture()
  operator = await fixture.as('operator')
})
afterAll(() => fixture.close())

async function lockOf(key: string): Promise<LockView> {
  await checkLocks(fixture.system, fixture.sourceId, SETTINGS)
  const [lock] = (await listLocks(fixture.console.db, { key }, { limit: 1 }, systemClock.now())).items
  if (lock === undefined) throw new Error(`no lock of ${key}`)
  return lock
}

/** Held by a lease of 30 s whose stamps are all ten minutes ahead. */
async function ahead(key: string) {
  const holder = await acquire(fixture, key, 30_000)
  await beginCharge(fixture, holder)
  await fixture.service.query(
    `UPDATE idem_lease SET created_at = created_at + interval '10 minutes',
       heartbeat_at = heartbeat_at + interval '10 minutes', lease_until = heartbeat_at + interval '10 minutes 30 seconds'
     WHERE key = idem_key_bytes($1)`,
    [key],
  )
  return holder
}

/** The console has looked at it for this long, and it was always the same. */
const watchedFor = (key: string, time: string) =>
  fixture.console.db.pool.query(
    `UPDATE lock SET unchanged_since = unchanged_since - $2::interval WHERE key = $1`,
    [key, time],
  )

const target = (lock: LockView) => ({
  sourceId: lock.source,
  scope: lock.scope,
  key: lock.key,
  seen: lock.version,
  reason: REASON,
  lockId: lock.id,
})

test('it is named as a finding, and its holder is watched for the length of its lease', async () => {
  await ahead('watched')
  const lock = await lockOf('watched')
  expect(lock).toMatchObject({ state: 'leased', verdict: 'wait' })
  expect(lock.reason).toMatch(
    /^Its stamps lie (9|10) min in the future: a clock of its store was ahead, .* for another (2\d|30) s\.$/,
  )
  const action = await operateKey(operator, 'release', target(lock), { settings: SETTINGS })
  expect(action).toMatchObject({ state: 'refused', result: { reason: 'clock_ahead' } })
  await watchedFor('watched', '20 s')
  expect((await lockOf('watched')).reason).toMatch(/another (\d|10) s\.$/)
})

test('a holder that renews it is alive', async () => {
  const holder = await ahead('renewed')
  await lockOf('renewed')
  await watchedFor('renewed', '1 hour')
  await fixture.store.heartbeat(holder, 30_000)
  const lock = await lockOf('renewed')
  expect(lock.verdict).toBe('wait')
  const action = await operateKey(operator, 'release', target(lock), { settings: SETTINGS })
  expect(action.state).toBe('refused')
})

test('silent for longer than its lease it is dead: the evidence decides, and the verbs work', async () => {
  for (const key of ['ahead-release', 'ahead-complete', 'ahead-fail']) await ahead(key)
  await charge(fixture, 'ahead-complete', 'order-1')
  await lockOf('ahead-release')
  for (const key of ['ahead-release', 'ahead-complete', 'ahead-fail']) await watchedFor(key, '31 s')

  const free = await lockOf('ahead-release')
  expect(free).toMatchObject({ state: 'lease_expired', verdict: 'release', providerAnswer: { kind: 'none' } })
  expect(free.reason).toMatch(/^Its stamps lie \d+ min in the future, .* a retry can run it safely\.$/)
  const id = formatKeyId({ sourceId: fixture.sourceId, scope: SCOPE, key: 'ahead-release' })
  expect(await getKey(fixture.system, id)).toMatchObject({
    state: 'lease_expired',
    actionsPossible: ['release', 'complete', 'fail'],
  })
  expect(await operateKey(operator, 'release', target(free), { settings: SETTINGS })).toMatchObject({
    state: 'done',
  })
  expect((await acquire(fixture, 'ahead-release')).owner).toBe('owner-ahead-release')

  const paid = await lockOf('ahead-complete')
  expect(paid.verdict).toBe('complete')
  expect(await operateKey(operator, 'complete', target(paid), { settings: SETTINGS })).toMatchObject({
    state: 'done',
  })

  const ended = await operateKey(operator, 'fail', target(await lockOf('ahead-fail')), { settings: SETTINGS })
  const approval = { actionId: ended.id, evidenceHash: ended.evidenceHash ?? '' }
  expect(await approveFail(await fixture.as('approver'), approval, { settings: SETTINGS })).toMatchObject({
    state: 'done',
  })
})

test('a holder that comes back between look and act keeps it', async () => {
  const holder = await ahead('back')
  await lockOf('back')
  await watchedFor('back', '31 s')
  const lock = await lockOf('back')
  expect(lock.verdict).toBe('release')
  const asker = createProviderAsker(fixture.system, 'payments', SETTINGS)
  const action = await operateKey(operator, 'release', target(lock), {
    settings: SETTINGS,
    asker: {
      ask: async (reading) => {
        const answer = await asker.ask(reading)
        await fixture.store.heartbeat(holder, 30_000)
        return answer
      },
    },
  })
  expect(action).toMatchObject({ state: 'refused', result: { reason: 'holder_alive' } })
  expect(await fixture.store.complete(holder, { status: 201, headers: [], body: new Uint8Array() })).not.toBe(
    'stale',
  )
})

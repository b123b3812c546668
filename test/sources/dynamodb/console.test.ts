import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { previewLocks } from '@/lib/locks/bulk/preview-locks'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { operateKey } from '@/lib/locks/verbs/operate-key'
import { whatHappened } from '@/lib/locks/verbs/settle-unknown'
import { stageSystem } from '@/lib/reconcile/stage/stage'
import { openIntentSource } from '@/lib/sources/registry'
import { saveSource } from '@/lib/sources/save'
import { CREDENTIALS_KEY, createFixture, type Fixture, REASON, SETTINGS } from '../../locks/locks-fixture'
import { SETTINGS as RECONCILE } from '../../reconcile/world'
import { startTables, type Tables } from './fixture'
import { type Powertools, usePowertools } from './powertools'

/** A table of the real library in the console: its locks, its verbs, and what is staged of it. */

let fixture: Fixture
let tables: Tables
let library: Powertools
let sourceId: string
let operator: Context
beforeAll(async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  fixture = await createFixture()
  operator = await fixture.as('operator')
  tables = await startTables()
  await tables.create('console', 'id')
  library = usePowertools(tables, 'console')
  const config = {
    table: 'console',
    endpoint: 'POST /v1/payments',
    layout: { library: 'powertools-typescript', returns: 'value' },
    scan: { everyMs: 10_000 },
    providerKeyed: true,
  }
  // A walk comes by what is there when it begins; what is taken later waits for the next one.
  await library.hold('dead', { remainingMs: 1 })
  await library.hold('leaseless', { remainingMs: null })
  for (const key of ['renewed', 'staged', 'lost']) await library.hold(key)
  for (const key of ['dead', 'renewed']) await library.kill(key)
  sourceId = await saveSource(
    fixture.system,
    { adapter: 'dynamodb', name: 'functions', system: 'payments', config, secret: tables.secret },
    { credentialsKey: CREDENTIALS_KEY },
  )
})
afterAll(async () => {
  vi.restoreAllMocks()
  await tables.close()
  await fixture.close()
})

const locks = async (key: string): Promise<LockView[]> => {
  await checkLocks(fixture.system, sourceId, SETTINGS)
  const filter = { source: sourceId, key: library.hashOf(key) }
  return (await listLocks(fixture.console.db, filter, { limit: 5 }, systemClock.now())).items
}
async function lockOf(key: string): Promise<LockView> {
  const [lock] = await locks(key)
  if (lock === undefined) throw new Error(`no lock of ${key}`)
  return lock
}
const release = (lock: LockView) =>
  operateKey(
    operator,
    'release',
    { sourceId, scope: lock.scope, key: lock.key, seen: lock.version, reason: REASON, lockId: lock.id },
    { settings: SETTINGS },
  )
const watchedFor = (lock: LockView, time: string) =>
  fixture.console.db.pool.query(
    'UPDATE lock SET unchanged_since = unchanged_since - $2::interval WHERE id = $1',
    [lock.id, time],
  )

test('a holder is dead after two looks, one lease apart: its stamps are of its own clock', async () => {
  const first = await lockOf('dead')
  expect(first).toMatchObject({ state: 'lease_expired', verdict: 'wait' })
  expect(first.reason).toMatch(
    /its holder’s own clock, which proves nothing yet.*nothing renews it for another/,
  )
  expect(await release(first)).toMatchObject({ state: 'refused', result: { reason: 'clock_ahead' } })
  await watchedFor(first, '1 hour')
  const second = await lockOf('dead')
  expect(second.verdict).toBe('release')
  // A charge that carries the caller's key could be its own.
  expect(second.reason).toMatch(/cannot be told by a hash of its key/)
  expect(await release(second)).toMatchObject({ state: 'done' })
  expect((await library.itemOf('dead'))?.in_progress_expiration).toEqual({ N: '0' })
  const next = await library.hold('dead')
  next.succeed({ id: 'ch_1' })
  await next.answer
})

test('one whose stamps change in between is watched anew', async () => {
  await watchedFor(await lockOf('renewed'), '1 hour')
  const lock = await lockOf('renewed')
  expect(lock.verdict).toBe('release')
  // What the dialog says before anybody confirms; verbs.test.ts has each sentence of it come true.
  const { snapshots, unsafe } = await previewLocks(operator, 'release', { ids: [lock.id] }, SETTINGS)
  expect(snapshots).toMatchObject([{ verb: 'release', count: 1 }])
  expect(unsafe).toMatchObject([{ source: sourceId, name: 'functions' }])
  expect(unsafe[0]?.text).toMatch(/^A holder that comes back .* dead, not slow\.$/)
  await tables.set('console', library.placeOf('renewed'), 'in_progress_expiration', {
    N: String(Date.now() - 200_000),
  })
  expect(await release(lock)).toMatchObject({ state: 'refused' })
})

test('a key without a lease is stuck until it expires, and nothing is offered for it', async () => {
  const lock = await lockOf('leaseless')
  expect(lock).toMatchObject({ verdict: 'investigate' })
  expect(lock.reason).toMatch(/^Leased, no lease/)
  await watchedFor(lock, '1 hour')
  expect(await release(await lockOf('leaseless'))).toMatchObject({ state: 'refused' })
})

describe('staging', () => {
  const stage = () =>
    stageSystem(fixture.system, 'payments', { settings: { ...RECONCILE, clockSkewMs: 60_000 } })
  const staged = async () => {
    const { rows } = await fixture.console.db.pool.query<{ key: string; status: string }>(
      'SELECT key, status FROM mirror.object WHERE source_id = $1 AND gone_at IS NULL',
      [sourceId],
    )
    return Object.fromEntries(rows.map(({ key, status }) => [key, status]))
  }

  test('is as of the last walk; what was taken since is not called absent', async () => {
    await library.finish('staged-done', { id: 'ch_2' })
    const first = await stage()
    expect(first.failures).toEqual([])
    expect(await staged()).toMatchObject({
      [library.hashOf('staged')]: 'leased',
      [library.hashOf('staged-done')]: 'completed',
    })
    const walkedMs = Date.now()
    expect(first.asOf.getTime()).toBeLessThanOrEqual(walkedMs)
    await library.finish('late', { id: 'ch_3' })
    const second = await stage()
    // The same walk: what comes later is not judged yet.
    expect(second.asOf.getTime()).toBeLessThanOrEqual(walkedMs)
    expect(second.failures).toEqual([])
  })

  test('a table that throttles makes its side incomplete, and says so', async () => {
    await fixture.console.db.pool.query('DELETE FROM mirror.cursor WHERE source_id = $1', [sourceId])
    const before = await staged()
    tables.breakNext('Scan', 'throttle', 40)
    const outcome = await stage()
    tables.mend()
    expect(outcome.sides.intent).toBe('incomplete')
    expect(outcome.failures).toMatchObject([{ sourceId, message: expect.stringMatching(/throttles/) }])
    expect(await staged()).toEqual(before)
  })
})

test('a completion whose answer was lost is settled by the response that is there', async () => {
  await library.kill('lost')
  const { source } = await openIntentSource(fixture.system, sourceId)
  const scope = 'pay/POST /v1/payments'
  const { lease } = await source.readKey(scope, library.hashOf('lost'))
  if (lease === null) throw new Error('no lease')
  const response = { status: 201, headers: {}, body: '{"id":"ch_9"}' }
  tables.breakNext('UpdateItem', 'lose')
  await expect(source.complete(lease.seen, { actionId: 'act_1', graceMs: 0, response })).rejects.toThrow()
  const action = {
    id: 'act_1',
    kind: 'complete',
    seen: { version: `0.${'0'.repeat(24)}.x` },
    evidence: { lease: { ...lease.seen, owner: '' }, response },
  }
  const now = await source.readKey(scope, library.hashOf('lost'))
  expect(whatHappened(action, now, source.capabilities)).toMatchObject({
    state: 'done',
    result: { settled: 'applied' },
  })
})

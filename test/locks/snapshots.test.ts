import { afterAll, beforeAll, expect, test } from 'vitest'
import { mintOwnToken, revokeToken } from '@/lib/access/tokens'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import type { Context } from '@/lib/context'
import { getKey } from '@/lib/keys/get-key'
import { formatKeyId } from '@/lib/keys/key-id'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { executeSnapshot } from '@/lib/locks/bulk/execute-snapshot'
import { runBulk } from '@/lib/locks/bulk/run-bulk'
import { createSnapshot } from '@/lib/locks/bulk/snapshots'
import { executeRun } from '@/lib/runs/execute'
import { RunLostError } from '@/lib/runs/handle'
import { getRun } from '@/lib/runs/read'
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
})
afterAll(() => fixture.close())

async function dead(key: string): Promise<void> {
  await killHolder(fixture, await acquire(fixture, key))
}

test('a snapshot previews what it would do, and then does exactly that', async () => {
  await dead('a-1')
  await dead('a-2')
  await acquire(fixture, 'a-live')
  const holder = await acquire(fixture, 'a-charged')
  await beginCharge(fixture, holder)
  await charge(fixture, 'a-charged', 'order-1')
  await killHolder(fixture, holder)
  await checkLocks(fixture.system, undefined, SETTINGS)

  const complete = await createSnapshot(operator, 'complete', { key: 'a-charged' }, SETTINGS)
  expect(complete).toMatchObject({ count: 1, totals: [{ minor: '1050', currency: 'USD' }], excluded: [] })

  const snapshot = await createSnapshot(operator, 'release', { scope: SCOPE }, SETTINGS)
  expect(snapshot.count).toBe(2)
  expect(snapshot.excluded.map(({ key, reason }) => [key, reason])).toEqual([
    ['a-live', 'holder_alive'],
    ['a-charged', 'effect_found'],
  ])
  // What arrives later is untouched; what changes is refused.
  await dead('a-later')
  await acquire(fixture, 'a-2')
  await expect(
    executeSnapshot(await fixture.as('operator', 'another'), snapshot.snapshotId, REASON),
  ).rejects.toMatchObject({ code: 'forbidden' })
  const done = await executeSnapshot(operator, snapshot.snapshotId, REASON, { settings: SETTINGS })
  if (done.kind !== 'inline') throw new Error(done.kind)
  expect(done.items.map(({ state, reason }) => [state, reason])).toEqual([
    ['done', null],
    ['refused', 'fence_changed'],
  ])
  expect(await fixture.console.db.prisma.action.count({ where: { key: 'a-later' } })).toBe(0)

  // A replay answers with the same actions.
  expect(await executeSnapshot(operator, snapshot.snapshotId, REASON, { settings: SETTINGS })).toEqual(done)
})

test('a filter that is none, and an old snapshot, are refused', async () => {
  await expect(createSnapshot(operator, 'release', { nonsense: 1 }, SETTINGS)).rejects.toMatchObject({
    code: 'invalid',
  })
  await expect(createSnapshot(operator, 'release', undefined, SETTINGS)).rejects.toMatchObject({
    code: 'invalid',
  })
  const { snapshotId } = await createSnapshot(operator, 'release', {}, SETTINGS)
  await fixture.console.db.prisma.snapshot.update({
    where: { id: snapshotId },
    data: { expiresAt: new Date(0) },
  })
  await expect(executeSnapshot(operator, snapshotId, REASON)).rejects.toMatchObject({ code: 'conflict' })
})

test('a large one is a run that survives its worker and repeats nothing', async () => {
  for (let n = 0; n < 24; n++) await dead(`bulk-${n}`)
  await checkLocks(fixture.system, undefined, SETTINGS)
  const matching = await createSnapshot(operator, 'release', { verdict: ['release'] }, SETTINGS)
  const started = await executeSnapshot(operator, matching.snapshotId, REASON, { settings: SETTINGS })
  if (started.kind !== 'run') throw new Error(started.kind)
  const { id } = started.run

  // The first worker dies in the middle, after an item and before its checkpoint.
  const first = await executeRun(
    fixture.system,
    { id, owner: 'worker-1', leaseMs: 60_000 },
    async (ctx, handle) => {
      let reports = 0
      const dying = {
        ...handle,
        report: (update: Parameters<typeof handle.report>[0]) => {
          if (++reports === 10) throw new RunLostError(id)
          return handle.report(update)
        },
      }
      return runBulk(ctx, dying, SETTINGS)
    },
  )
  expect(first).toBe('lost')
  await fixture.console.db.pool.query(
    `UPDATE run SET lease_until = clock_timestamp() - interval '1 s' WHERE id = $1`,
    [id],
  )
  const second = await executeRun(fixture.system, { id, owner: 'worker-2', leaseMs: 60_000 }, (ctx, handle) =>
    runBulk(ctx, handle, SETTINGS),
  )
  expect(second).toBe('done')

  const run = await getRun(fixture.console.db, id)
  expect(run).toMatchObject({
    state: 'done',
    outcome: 'done',
    counts: { done: matching.count, refused: 0, total: matching.count },
  })
  const actions = await fixture.console.db.prisma.action.findMany({ where: { runId: id } })
  expect(actions).toHaveLength(matching.count)
  expect(new Set(actions.map((action) => action.key)).size).toBe(matching.count)
})

/** Runs a bulk release of new dead keys; `happens` after the third of them. Returns how many were released. */
async function stoppedRun(name: string, ctx: Context, happens: () => Promise<unknown>) {
  for (let n = 0; n < 22; n++) await dead(`${name}-${n}`)
  await checkLocks(fixture.system, undefined, SETTINGS)
  const matching = await createSnapshot(ctx, 'release', { verdict: ['release'] }, SETTINGS)
  const started = await executeSnapshot(ctx, matching.snapshotId, REASON, { settings: SETTINGS })
  if (started.kind !== 'run') throw new Error(started.kind)
  const { id } = started.run
  await executeRun(fixture.system, { id, owner: 'worker', leaseMs: 60_000 }, async (system, handle) => {
    let reports = 0
    const report: typeof handle.report = async (update) => {
      await handle.report(update)
      if (++reports === 3) await happens()
    }
    return runBulk(system, { ...handle, report }, SETTINGS)
  })
  const done = await fixture.console.db.prisma.action.count({ where: { runId: id, state: 'done' } })
  const all = await fixture.console.db.prisma.action.count({ where: { runId: id } })
  return { run: await getRun(fixture.console.db, id), done, all }
}

test('a bulk run whose token is revoked stops at the next key', async () => {
  const minted = await mintOwnToken(operator, { name: 'bulk' })
  const actor = { ...operator.actor, via: 'token', tokenId: minted.tokenId } as Context['actor']
  const ended = await stoppedRun('revoked', { ...operator, actor }, () =>
    revokeToken(operator, minted.tokenId),
  )
  expect(ended).toMatchObject({
    done: 3,
    all: 3,
    run: {
      state: 'failed',
      error: expect.stringContaining('was revoked, or has ended'),
      counts: { done: 3 },
    },
  })
})

test('a bulk run stops at the next key when writes are switched off, or its person may no longer act', async () => {
  const off = await stoppedRun('off', operator, async () =>
    setKillSwitch(await fixture.as('approver'), { on: true, reason: REASON }),
  )
  await setKillSwitch(await fixture.as('admin'), { on: false, reason: REASON })
  expect(off).toMatchObject({ done: 3, all: 3, run: { state: 'failed' } })

  const lowered = await fixture.as('operator', 'operator-3')
  const ended = await stoppedRun('lowered', lowered, () => fixture.as('viewer', 'operator-3'))
  expect(ended).toMatchObject({ done: 3, all: 3, run: { state: 'failed' } })
})

test('a key is shown as the store has it now', async () => {
  const holder = await acquire(fixture, 'shown-1')
  const id = formatKeyId({ sourceId: fixture.sourceId, scope: SCOPE, key: 'shown-1' })
  expect(await getKey(fixture.system, id)).toMatchObject({
    state: 'leased',
    holder: 'owner-shown-1',
    actionsPossible: [],
  })
  await fixture.store.complete(holder, {
    status: 201,
    headers: [['content-type', 'application/json']],
    body: Buffer.from('{}'),
  })
  expect(await getKey(fixture.system, id)).toMatchObject({
    state: 'completed',
    response: { status: 201, bodyBytes: 2 },
    storeError: null,
  })
  await expect(getKey(fixture.system, 'key_nonsense')).rejects.toMatchObject({ code: 'not_found' })
})

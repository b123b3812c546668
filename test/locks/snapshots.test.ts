import { afterAll, beforeAll, expect, test } from 'vitest'
import { mintOwnToken, revokeToken } from '@/lib/access/tokens'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import type { Context } from '@/lib/context'
import { getKey } from '@/lib/keys/get-key'
import { formatKeyId } from '@/lib/keys/key-id'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { executeSnapshot } from '@/lib/locks/bulk/execute-snapshot'
import { runBulk } from '@/lib/locks/bulk/run-bulk'
import { freeze } from '@/lib/locks/bulk/snapshots'
import { executeRun } from '@/lib/runs/execute'
import { RunLostError } from '@/lib/runs/handle'
import { getRun } from '@/lib/runs/read'
import {
  acquire,
  beginCharge,
  charge,
  createStand,
  killHolder,
  REASON,
  SCOPE,
  SETTINGS,
  type Stand,
} from './locks-fixture'

let stand: Stand
let operator: Context
beforeAll(async () => {
  stand = await createStand()
  operator = await stand.as('operator')
})
afterAll(() => stand.close())

async function dead(key: string): Promise<void> {
  await killHolder(stand, await acquire(stand, key))
}

test('a snapshot previews what it would do, and then does exactly that', async () => {
  await dead('a-1')
  await dead('a-2')
  await acquire(stand, 'a-live')
  const holder = await acquire(stand, 'a-charged')
  await beginCharge(stand, holder)
  await charge(stand, 'a-charged', 'order-1')
  await killHolder(stand, holder)
  await checkLocks(stand.system, undefined, SETTINGS)

  const complete = await freeze(operator, 'complete', { key: 'a-charged' }, SETTINGS)
  expect(complete).toMatchObject({ count: 1, totals: [{ minor: '1050', currency: 'USD' }], excluded: [] })

  const snapshot = await freeze(operator, 'release', { scope: SCOPE }, SETTINGS)
  expect(snapshot.count).toBe(2)
  expect(snapshot.excluded.map(({ key, reason }) => [key, reason])).toEqual([
    ['a-live', 'holder_alive'],
    ['a-charged', 'effect_found'],
  ])
  // What arrives later is untouched; what changes is refused.
  await dead('a-later')
  await acquire(stand, 'a-2')
  await expect(
    executeSnapshot(await stand.as('operator', 'another'), snapshot.snapshotId, REASON),
  ).rejects.toMatchObject({ code: 'forbidden' })
  const done = await executeSnapshot(operator, snapshot.snapshotId, REASON, { settings: SETTINGS })
  if (done.kind !== 'inline') throw new Error(done.kind)
  expect(done.items.map(({ state, reason }) => [state, reason])).toEqual([
    ['done', null],
    ['refused', 'fence_changed'],
  ])
  expect(await stand.console.db.prisma.action.count({ where: { key: 'a-later' } })).toBe(0)

  // A replay answers with the same actions.
  expect(await executeSnapshot(operator, snapshot.snapshotId, REASON, { settings: SETTINGS })).toEqual(done)
})

test('a filter that is none, and an old snapshot, are refused', async () => {
  await expect(freeze(operator, 'release', { nonsense: 1 }, SETTINGS)).rejects.toMatchObject({
    code: 'invalid',
  })
  await expect(freeze(operator, 'release', undefined, SETTINGS)).rejects.toMatchObject({ code: 'invalid' })
  const { snapshotId } = await freeze(operator, 'release', {}, SETTINGS)
  await stand.console.db.prisma.snapshot.update({
    where: { id: snapshotId },
    data: { expiresAt: new Date(0) },
  })
  await expect(executeSnapshot(operator, snapshotId, REASON)).rejects.toMatchObject({ code: 'conflict' })
})

test('a large one is a run that survives its worker and repeats nothing', async () => {
  for (let n = 0; n < 24; n++) await dead(`bulk-${n}`)
  await checkLocks(stand.system, undefined, SETTINGS)
  const matching = await freeze(operator, 'release', { verdict: ['release'] }, SETTINGS)
  const started = await executeSnapshot(operator, matching.snapshotId, REASON, { settings: SETTINGS })
  if (started.kind !== 'run') throw new Error(started.kind)
  const { id } = started.run

  // The first worker dies in the middle, after an item and before its checkpoint.
  const first = await executeRun(
    stand.system,
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
  await stand.console.db.pool.query(
    `UPDATE run SET lease_until = clock_timestamp() - interval '1 s' WHERE id = $1`,
    [id],
  )
  const second = await executeRun(stand.system, { id, owner: 'worker-2', leaseMs: 60_000 }, (ctx, handle) =>
    runBulk(ctx, handle, SETTINGS),
  )
  expect(second).toBe('done')

  const run = await getRun(stand.console.db, id)
  expect(run).toMatchObject({
    state: 'done',
    outcome: 'done',
    counts: { done: matching.count, refused: 0, total: matching.count },
  })
  const actions = await stand.console.db.prisma.action.findMany({ where: { runId: id } })
  expect(actions).toHaveLength(matching.count)
  expect(new Set(actions.map((action) => action.key)).size).toBe(matching.count)
})

/** Runs a bulk release of new dead keys; `happens` after the third of them. Returns how many were released. */
async function stoppedRun(name: string, ctx: Context, happens: () => Promise<unknown>) {
  for (let n = 0; n < 22; n++) await dead(`${name}-${n}`)
  await checkLocks(stand.system, undefined, SETTINGS)
  const matching = await freeze(ctx, 'release', { verdict: ['release'] }, SETTINGS)
  const started = await executeSnapshot(ctx, matching.snapshotId, REASON, { settings: SETTINGS })
  if (started.kind !== 'run') throw new Error(started.kind)
  const { id } = started.run
  await executeRun(stand.system, { id, owner: 'worker', leaseMs: 60_000 }, async (system, handle) => {
    let reports = 0
    const report: typeof handle.report = async (update) => {
      await handle.report(update)
      if (++reports === 3) await happens()
    }
    return runBulk(system, { ...handle, report }, SETTINGS)
  })
  const done = await stand.console.db.prisma.action.count({ where: { runId: id, state: 'done' } })
  const all = await stand.console.db.prisma.action.count({ where: { runId: id } })
  return { run: await getRun(stand.console.db, id), done, all }
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
    setKillSwitch(await stand.as('approver'), { on: true, reason: REASON }),
  )
  await setKillSwitch(await stand.as('admin'), { on: false, reason: REASON })
  expect(off).toMatchObject({ done: 3, all: 3, run: { state: 'failed' } })

  const lowered = await stand.as('operator', 'operator-3')
  const ended = await stoppedRun('lowered', lowered, () => stand.as('viewer', 'operator-3'))
  expect(ended).toMatchObject({ done: 3, all: 3, run: { state: 'failed' } })
})

test('a key is shown as the store has it now', async () => {
  const holder = await acquire(stand, 'shown-1')
  const id = formatKeyId({ sourceId: stand.sourceId, scope: SCOPE, key: 'shown-1' })
  expect(await getKey(stand.system, id)).toMatchObject({
    state: 'leased',
    holder: 'owner-shown-1',
    actionsPossible: [],
  })
  await stand.store.complete(holder, {
    status: 201,
    headers: [['content-type', 'application/json']],
    body: Buffer.from('{}'),
  })
  expect(await getKey(stand.system, id)).toMatchObject({
    state: 'completed',
    response: { status: 201, bodyBytes: 2 },
    storeError: null,
  })
  await expect(getKey(stand.system, 'key_nonsense')).rejects.toMatchObject({ code: 'not_found' })
})

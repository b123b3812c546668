import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context, SystemContext } from '@/lib/context'
import { manualClock } from '@/lib/core/clock'
import { collect } from '@/lib/retention/collect'
import { rejectPolicy } from '@/lib/retention/policy/approve-policy'
import { policyOfTier, rowRetentionOf } from '@/lib/retention/policy/policies'
import { proposePolicy } from '@/lib/retention/policy/propose-policy'
import { startCollection } from '@/lib/retention/start-collection'
import { listCollections } from '@/lib/retention/storage'
import { executeRun } from '@/lib/runs/execute'
import type { RunHandle } from '@/lib/runs/handle'
import { getRun } from '@/lib/runs/read'
import { startRun } from '@/lib/runs/start'
import type { DeletedBatch } from '@/lib/sources/contracts'
import { openIntentSource } from '@/lib/sources/registry'
import { saveSource } from '@/lib/sources/save'
import { brandurLayout, type Layout, mappedLayout } from '../conformance/fixtures'
import { CREDENTIALS_KEY, createFixture, type Fixture } from '../locks/locks-fixture'

let fixture: Fixture
let operator: Context
let rides: Layout
let mapped: Layout
beforeAll(async () => {
  fixture = await createFixture()
  operator = await fixture.as('operator')
  ;[rides, mapped] = await Promise.all([brandurLayout(), mappedLayout()])
})
afterAll(async () => {
  await fixture.close()
  await Promise.all([rides.close(), mapped.close()])
})

const connect = (layout: Layout, name: string, over: Record<string, unknown> = {}): Promise<string> =>
  saveSource(
    fixture.system,
    {
      adapter: layout.source.adapter,
      name,
      system: 'others',
      config: { ...layout.source.config, ...over },
      secret: { url: layout.url },
    },
    { credentialsKey: CREDENTIALS_KEY },
  )

async function run(
  source: string,
  work: (ctx: SystemContext, handle: RunHandle) => ReturnType<typeof collect>,
) {
  const started = await startRun(operator, { kind: 'collection', params: { source } })
  await executeRun(fixture.system, { id: started.id, owner: 'w', leaseMs: 60_000 }, work)
  return getRun(fixture.console.db, started.id)
}

test('report only: nothing goes, what is unfinished past its retention is listed, and a collection is refused', async () => {
  await rides.hold('r-done')
  await rides.finish('r-done')
  await rides.hold('r-stuck')
  await rides.kill('r-stuck')
  for (const key of ['r-done', 'r-stuck']) await rides.expire(key)
  const source = await connect(rides, 'reported', { collect: false })
  expect(await run(source, (ctx, handle) => collect(ctx, handle, { source }))).toMatchObject({
    outcome: 'collected',
    counts: { rows: '0', reapedUnfinished: 1, unfinished: [{ key: 'r-stuck', state: 'leased' }] },
  })
  expect((await rides.db.query('SELECT FROM idempotency_keys')).rowCount).toBe(2)
  await expect(startCollection(operator, { source })).rejects.toMatchObject({
    code: 'unprocessable',
    message: expect.stringMatching(/not switched on/),
  })
})

test('without a connected store nothing is said to be collected', async () => {
  const switchAll = (enabled: boolean) => fixture.console.db.prisma.source.updateMany({ data: { enabled } })
  await switchAll(false)
  const ended = await run('none', (ctx, handle) => collect(ctx, handle, {}))
  await switchAll(true)
  expect(ended).toMatchObject({ state: 'done', outcome: 'no_store' })
})

test('only the store’s clock counts: a console that is years ahead or behind takes nothing that lives', async () => {
  const source = await connect(rides, 'clocked')
  await rides.hold('c-young')
  await rides.finish('c-young')
  await rides.hold('c-old')
  await rides.finish('c-old')
  await rides.expire('c-old')
  const left = async () =>
    (
      await rides.db.query(
        `SELECT idempotency_key AS key FROM idempotency_keys WHERE idempotency_key LIKE 'c-%'`,
      )
    ).rows
  for (const at of ['2090-01-01T00:00:00Z', '1990-01-01T00:00:00Z']) {
    await run(source, (ctx, handle) =>
      collect({ ...ctx, clock: manualClock(at) }, handle, { source }, { safetyMs: 0 }),
    )
    expect(await left()).toEqual([{ key: 'c-young' }])
  }
})

test('an index must lead the walk: without one a collection is not offered, and says why', async () => {
  const source = await connect(mapped, 'unindexed', { order: 'created_at' })
  const { source: store } = await openIntentSource(fixture.system, source)
  await store.sample()
  expect(store.capabilities).toMatchObject({
    canCollect: false,
    collection: 'report_only',
    reasons: { collect: expect.stringMatching(/No index begins with created_at/) },
  })
})

test('times kept as numbers, by a mapping: expired rows go, in batches, to the last', async () => {
  const source = await connect(mapped, 'numbers')
  for (let n = 0; n < 7; n++) {
    await mapped.hold(`n-${n}`)
    await mapped.finish(`n-${n}`)
    if (n % 2 === 0) await mapped.expire(`n-${n}`)
  }
  const { source: store } = await openIntentSource(fixture.system, source)
  let position: string | null = null
  let gone = 0
  do {
    const batch: DeletedBatch | undefined = await store.rowCollection?.deleteExpired(position, 2, {
      safetyMs: 0,
      providerWindowMs: 0,
    })
    gone += batch?.rows ?? 0
    position = batch?.next ?? null
  } while (position !== null)
  expect(gone).toBe(4)
})

test('collections are marks in their window, the newest first', async () => {
  const source = await connect(rides, 'marked')
  for (const key of ['m-1', 'm-2']) {
    await rides.hold(key)
    await rides.finish(key)
    await rides.expire(key)
    await run(source, (ctx, handle) => collect(ctx, handle, { source }))
  }
  const window = { from: new Date(Date.now() - 3_600_000), to: new Date(Date.now() + 3_600_000) }
  const marks = await listCollections(fixture.console.db, { ...window, source })
  expect(marks).toHaveLength(2)
  expect(marks.map(({ at }) => at)).toEqual(
    marks
      .map(({ at }) => at)
      .sort()
      .reverse(),
  )
  expect(marks[0]).toMatchObject({ mode: 'batched_delete', rows: expect.any(String) })
  expect(await listCollections(fixture.console.db, { ...window, source: 'src_none' })).toEqual([])
})

test('a proposal that was rejected is in force nowhere, and is decided once', async () => {
  const policy = { source: fixture.sourceId, tier: 'standard', safetyMs: 0, archive: true }
  const { id } = await proposePolicy(operator, { ...policy, reason: 'archive the standard tier' })
  const approver = await fixture.as('approver')
  expect(await rejectPolicy(approver, { actionId: id, reason: 'not before the audit' })).toMatchObject({
    state: 'rejected',
  })
  await expect(
    rejectPolicy(approver, { actionId: id, reason: 'not once more either' }),
  ).rejects.toMatchObject({
    code: 'conflict',
  })
  expect(await fixture.console.db.prisma.retentionPolicy.count()).toBe(0)
})

test('of several policies the safest counts: a tier’s own, else the source’s, and the longest buffer', () => {
  const policy = {
    id: 'pol_1',
    source: 's',
    tier: '',
    endpoint: '',
    ttlMs: null,
    safetyMs: 1,
    archive: false,
    exception: null,
    actionId: 'a',
    version: 1,
    updatedAt: '',
  }
  const own = { ...policy, tier: 'gold', safetyMs: 5, archive: true }
  expect(policyOfTier([policy, own], 'gold')).toEqual({ safetyMs: 5, archive: true })
  expect(policyOfTier([policy, own], 'other')).toEqual({ safetyMs: 1, archive: false })
  expect(
    rowRetentionOf(
      [
        { ...policy, endpoint: 'POST /a', ttlMs: 60_000, safetyMs: 9, exception: 'agreed upon' },
        { ...policy, ttlMs: 90_000, archive: true },
      ],
      5,
    ),
  ).toEqual({
    safetyMs: 9,
    archive: true,
    ttlMs: { 'POST /a': 60_000, '*': 90_000 },
    providerWindowMs: 5,
    belowFloor: ['POST /a'],
  })
})

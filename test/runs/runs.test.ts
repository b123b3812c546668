import { afterAll, beforeAll, expect, test } from 'vitest'
import { startPeriodicRun } from '@/jobs/worker/schedule'
import type { Context, SystemContext } from '@/lib/context'
import { manualClock, systemClock } from '@/lib/core/clock'
import { inTransaction } from '@/lib/db'
import { LIVE_CHANNEL } from '@/lib/live-events'
import { silentLog } from '@/lib/log'
import { createQueue, type Queue, queueName } from '@/lib/queue'
import { cancelRun } from '@/lib/runs/cancel'
import { claimRun } from '@/lib/runs/claim'
import { executeRun } from '@/lib/runs/execute'
import { finishRun } from '@/lib/runs/finish'
import { RunCancelledError, RunLostError } from '@/lib/runs/handle'
import { heartbeat } from '@/lib/runs/heartbeat'
import { forgetProcess, heartbeatProcess, readProcesses } from '@/lib/runs/processes'
import { pruneRuns } from '@/lib/runs/prune'
import { getRun, listRuns, readRunLog } from '@/lib/runs/read'
import { requeueLost } from '@/lib/runs/requeue-lost'
import { startRun } from '@/lib/runs/start'
import { createTrouble } from '@/lib/runs/trouble'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { fillDisk } from '../support/full-disk'

const LEASE_MS = 60_000

let console: TestDatabase
let queue: Queue
let system: SystemContext
let operator: Context
let scheduler: Context
beforeAll(async () => {
  console = await createTestDatabase()
  queue = createQueue(console.url, { worker: true })
  await queue.boss.start()
  for (const kind of ['reconciliation', 'collection', 'roll_up'] as const)
    await queue.boss.createQueue(queueName(kind))
  system = { db: console.db, clock: systemClock, log: silentLog, queue }
  operator = {
    ...system,
    actor: { kind: 'user', userId: 'u1', name: 'Olga', role: 'operator', via: 'session' },
    requestId: 'req-1',
  }
  scheduler = { ...system, actor: { kind: 'system', job: 'schedule' }, requestId: 'req-2' }
})
afterAll(async () => {
  await queue.boss.stop({ graceful: false })
  await console.close()
})

const start = () => startRun(operator, { kind: 'reconciliation', params: { from: 1n } })
const jobsOf = async (runId: string): Promise<number> => {
  const { rows } = await console.db.pool.query(
    `SELECT count(*)::int AS count FROM pgboss.job WHERE data->>'runId' = $1`,
    [runId],
  )
  return rows[0].count
}
const expire = (id: string) =>
  console.db.pool.query(`UPDATE run SET lease_until = clock_timestamp() - interval '1 ms' WHERE id = $1`, [
    id,
  ])
async function claimed(id: string) {
  const handle = await claimRun(system, id, 'worker', LEASE_MS)
  if (handle === null) throw new Error('not claimed')
  return handle
}

test('open pages are told of its progress and of its end', async () => {
  const handle = await claimed((await start()).id)
  const heard: unknown[] = []
  const listener = await console.db.pool.connect()
  listener.on('notification', ({ payload }) => heard.push(JSON.parse(payload ?? 'null')))
  await listener.query(`LISTEN ${LIVE_CHANNEL}`)
  await handle.report({ progress: 0.5 })
  await finishRun(system, handle, { outcome: 'reconciled', counts: {} })
  await listener.query('SELECT 1')
  listener.release(true)
  expect(heard).toEqual([
    { kind: 'run', id: handle.id },
    { kind: 'run', id: handle.id },
  ])
})

test('a run, its job and its audit entry commit together', async () => {
  const run = await start()
  expect(await jobsOf(run.id)).toBe(1)
  expect(await console.db.prisma.auditEntry.count({ where: { subject: run.id, verb: 'run.start' } })).toBe(1)
  expect(await getRun(console.db, run.id)).toMatchObject({
    state: 'queued',
    params: { from: '1' },
    requestedBy: 'u1',
  })
  await expect(getRun(console.db, 'run_none')).rejects.toMatchObject({ code: 'not_found' })
})

test('who may not start it is told which role may', async () => {
  const viewer: Context = {
    ...operator,
    actor: { kind: 'user', userId: 'u2', name: 'Vic', role: 'viewer', via: 'session' },
  }
  await expect(startRun(viewer, { kind: 'collection', params: {} })).rejects.toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining('operator'),
  })
  const run = await start()
  await expect(cancelRun(viewer, run.id)).rejects.toMatchObject({ code: 'forbidden' })
})

test('schedulers that start a periodic run at once start one', async () => {
  const periodic = () => startRun(scheduler, { kind: 'roll_up', params: {}, idempotentOn: 'kind' })
  const runs = await Promise.all(Array.from({ length: 8 }, periodic))
  expect(new Set(runs.map((run) => run.id)).size).toBe(1)
  const [first] = runs
  await finishRun(system, await claimed(first?.id ?? ''), { outcome: 'done', counts: {} })
  expect((await periodic()).id).not.toBe(first?.id)
})

test('a worker whose database has a full disk says so, until a run can be stored again', async () => {
  const clock = manualClock(systemClock.now())
  const trouble = createTrouble(clock)
  const tick = (kind: 'roll_up' | 'collection') => startPeriodicRun({ ...system, clock }, { kind }, trouble)
  await tick('roll_up')
  expect(trouble.recent()).toBeUndefined()
  const makeRoom = await fillDisk(console.db.pool, 'run')
  await tick('collection')
  expect(trouble.recent()).toContain('its disk is full')
  clock.advance(1_000)
  // This one is open already: nothing is written.
  await tick('roll_up')
  expect(trouble.recent()).toContain('its disk is full')
  await makeRoom()
  await tick('collection')
  expect(trouble.recent()).toBeUndefined()
})

test('trouble that nothing has met for a while is over', async () => {
  const clock = manualClock('2026-01-01T00:00:00Z')
  const trouble = createTrouble(clock)
  trouble.note(new Error('a fault of ours'))
  expect(trouble.recent()).toBeUndefined()
  const full = `DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$`
  await console.db.pool.query(full).catch(trouble.note)
  clock.advance(29_000)
  expect(trouble.recent()).toContain('its disk is full')
  clock.advance(1_000)
  expect(trouble.recent()).toBeUndefined()
  await console.db.pool.query(full).catch(trouble.note)
  clock.advance(-600_000)
  expect(trouble.recent()).toBeUndefined()
})

test('of many who claim it at once, one gets it', async () => {
  const run = await start()
  const handles = await Promise.all(
    Array.from({ length: 10 }, (_, n) => claimRun(system, run.id, `worker-${n}`, LEASE_MS)),
  )
  expect(handles.filter((handle) => handle !== null)).toHaveLength(1)
})

test('a run whose worker is gone is taken over, and the old one writes nothing more', async () => {
  const run = await start()
  const first = await claimed(run.id)
  await first.report({ progress: 0.5, counts: { rows: 10 }, checkpoint: { at: 5 } })
  expect(await claimRun(system, run.id, 'other', LEASE_MS)).toBeNull()
  await expire(run.id)
  const second = await claimed(run.id)
  expect(second.fence).toBe(first.fence + 1n)
  expect(second.checkpoint).toEqual({ at: 5 })
  await expect(first.report({ progress: 0.9 })).rejects.toBeInstanceOf(RunLostError)
  await expect(finishRun(system, first, { outcome: 'done', counts: {} })).rejects.toBeInstanceOf(RunLostError)
  expect(await heartbeat(system, first, LEASE_MS)).toBe('lost')
  await second.log('info', 'went on', { from: 5 })
  await finishRun(system, second, { outcome: 'reconciled', counts: { matched: 3 } })
  expect(await getRun(console.db, run.id)).toMatchObject({
    state: 'done',
    progress: 1,
    counts: { rows: 10, matched: 3 },
  })
  expect(await readRunLog(console.db, run.id)).toMatchObject([
    { level: 'info', message: 'went on', data: { from: 5 } },
  ])
})

test('rows and checkpoint commit together, or neither when the fence was lost', async () => {
  const run = await start()
  const first = await claimed(run.id)
  await console.db.pool.query('CREATE TABLE IF NOT EXISTS range_row (n int)')
  await inTransaction(console.db.pool, async (client) => {
    await client.query('INSERT INTO range_row VALUES (1)')
    await first.report({ checkpoint: { next: 2 } }, client)
  })
  await expire(run.id)
  await claimed(run.id)
  const late = inTransaction(console.db.pool, async (client) => {
    await client.query('INSERT INTO range_row VALUES (2)')
    await first.report({ checkpoint: { next: 3 } }, client)
  })
  await expect(late).rejects.toBeInstanceOf(RunLostError)
  expect((await console.db.pool.query('SELECT n FROM range_row')).rows).toEqual([{ n: 1 }])
})

test('a waiting run is cancelled at once, a working one at its next report', async () => {
  const waiting = await start()
  expect(await cancelRun(operator, waiting.id)).toMatchObject({ state: 'cancelled' })
  expect(await claimRun(system, waiting.id, 'w', LEASE_MS)).toBeNull()

  const working = await start()
  const outcome = await executeRun(
    system,
    { id: working.id, owner: 'w', leaseMs: LEASE_MS },
    async (_ctx, handle) => {
      await handle.report({ counts: { before: 1 } })
      await cancelRun(operator, handle.id)
      expect((await cancelRun(operator, handle.id)).cancelRequested).toBe(true)
      expect(await heartbeat(system, handle, LEASE_MS)).toBe('cancelled')
      await handle.report({ counts: { after: 1 } })
      throw new Error('it went on')
    },
  )
  expect(outcome).toBe('cancelled')
  expect(await getRun(console.db, working.id)).toMatchObject({
    state: 'cancelled',
    counts: { before: 1 },
    error: null,
  })
  expect(
    await console.db.prisma.auditEntry.count({ where: { subject: working.id, verb: 'run.cancel' } }),
  ).toBe(1)
  const ended = await start()
  await executeRun(system, { id: ended.id, owner: 'w', leaseMs: LEASE_MS }, async () => ({
    outcome: 'done',
    counts: {},
  }))
  await expect(cancelRun(operator, ended.id)).rejects.toMatchObject({ code: 'conflict' })
  expect(new RunCancelledError('x').name).toBe('RunCancelledError')
})

test('what a handler throws is in its row', async () => {
  const run = await start()
  const outcome = await executeRun(system, { id: run.id, owner: 'w', leaseMs: LEASE_MS }, () =>
    Promise.reject(new Error('the ledger is down')),
  )
  expect(outcome).toBe('failed')
  expect(await getRun(console.db, run.id)).toMatchObject({ state: 'failed', error: 'the ledger is down' })
})

test('runs without a job, and those of dead workers, are enqueued again', async () => {
  const [lost, dead, fine] = [await start(), await start(), await start()]
  await claimed(dead.id)
  await expire(dead.id)
  await console.db.pool.query(`DELETE FROM pgboss.job WHERE data->>'runId' = ANY ($1)`, [[lost.id, dead.id]])
  const later = { ...system, clock: manualClock(new Date(Date.now() + 60_000)) }
  expect(await requeueLost(later)).toBeGreaterThanOrEqual(2)
  for (const run of [lost, dead, fine]) expect(await jobsOf(run.id)).toBe(1)
  expect(await requeueLost(later)).toBe(0)
})

test('lists page through all, newest first', async () => {
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await listRuns(console.db, { kind: ['reconciliation'] }, { limit: 3, cursor })
    seen.push(...page.items.map((run) => run.id))
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen).toHaveLength(await console.db.prisma.run.count({ where: { kind: 'reconciliation' } }))
  await expect(listRuns(console.db, {}, { limit: 3, cursor: 'bad' })).rejects.toMatchObject({
    code: 'invalid',
  })
})

test('runs of a window: its beginning is in it, its end is not', async () => {
  const run = await start()
  const at = run.createdAt
  const idsOf = async (from: Date, to: Date) =>
    (await listRuns(console.db, { within: { from, to } }, { limit: 200 })).items.map(({ id }) => id)
  const [before, after] = [new Date(at.getTime() - 1), new Date(at.getTime() + 1)]
  expect(await idsOf(at, after)).toContain(run.id)
  expect(await idsOf(before, at)).not.toContain(run.id)
  expect(await idsOf(after, new Date(at.getTime() + 1_000))).not.toContain(run.id)
})

test('old periodic runs go, people’s stay', async () => {
  const kept = await console.db.prisma.run.count({ where: { requestedBy: 'u1' } })
  const later = { ...system, clock: manualClock(new Date(Date.now() + 3 * 86_400_000)) }
  expect(await pruneRuns(later)).toBeGreaterThan(0)
  expect(await console.db.prisma.run.count({ where: { requestedBy: 'u1' } })).toBe(kept)
})

test('processes say that they live', async () => {
  const clock = manualClock('2026-01-01T00:00:00Z')
  await heartbeatProcess(console.db, { id: 'prc_1', kind: 'worker', pid: 1 }, clock)
  clock.advance(10_000)
  await heartbeatProcess(console.db, { id: 'prc_2', kind: 'receiver', pid: 2, detail: { port: 4318 } }, clock)
  expect((await readProcesses(console.db, clock)).map(({ id, fresh }) => [id, fresh])).toEqual([
    ['prc_2', true],
    ['prc_1', true],
  ])
  clock.advance(10_000)
  expect((await readProcesses(console.db, clock)).map(({ id, fresh }) => [id, fresh])).toEqual([
    ['prc_2', true],
    ['prc_1', false],
  ])
  await forgetProcess(console.db, 'prc_1')
  expect(await readProcesses(console.db, clock)).toHaveLength(1)
})

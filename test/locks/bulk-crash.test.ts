import type { ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '@/lib/context'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { executeSnapshot } from '@/lib/locks/bulk/execute-snapshot'
import { createSnapshot } from '@/lib/locks/bulk/snapshots'
import { settleUnknown } from '@/lib/locks/verbs/settle-unknown'
import { createQueue, type Queue } from '@/lib/queue'
import { requeueLost } from '@/lib/runs/requeue-lost'
import { killWorker, startWorker } from '../support/worker'
import {
  acquire,
  CREDENTIALS_KEY,
  createFixture,
  type Fixture,
  killHolder,
  REASON,
  SETTINGS,
} from './locks-fixture'

const ITEMS = 26
/** The one that the worker dies over: in the middle. */
const BROKEN = 'crash-13'
const WAIT = { timeout: 60_000, interval: 100 }

let fixture: Fixture
let queue: Queue
let operator: Context
const workers: ChildProcess[] = []
beforeAll(async () => {
  fixture = await createFixture()
  queue = createQueue(fixture.console.db.url, { worker: false })
  operator = { ...(await fixture.as('operator')), queue }
})
afterAll(async () => {
  for (const worker of workers) await killWorker(worker)
  await queue.boss.stop({ graceful: false }).catch(() => undefined)
  await fixture.close()
})

const addWorker = () =>
  startWorker(workers, fixture.console.db.url, CREDENTIALS_KEY, {
    IDEMSCOPE_SETTLE_DELAY_MS: '0',
    IDEMSCOPE_PROVIDER_CALL_MS: '0',
    IDEMSCOPE_CLOCK_SKEW_MS: '0',
    IDEMSCOPE_LEASE_GRACE_MS: '0',
  })

const runState = async (id: string) =>
  (await fixture.console.db.prisma.run.findUniqueOrThrow({ where: { id } })).state
const actionsOf = (runId: string) =>
  fixture.console.db.prisma.action.findMany({ where: { runId }, orderBy: { createdAt: 'asc' } })

test('a worker killed by SIGKILL in the middle of a bulk action: another ends it, each item is done once', async () => {
  const first = await addWorker()
  await queue.boss.start()
  for (let n = 0; n < ITEMS; n++)
    await killHolder(fixture, await acquire(fixture, `crash-${String(n).padStart(2, '0')}`))
  await checkLocks(fixture.system, undefined, SETTINGS)
  const snapshot = await createSnapshot(operator, 'release', { verdict: ['release'] }, SETTINGS)
  expect(snapshot.count).toBe(ITEMS)

  const blocker = await fixture.service.connect()
  await blocker.query('BEGIN')
  await blocker.query(`SELECT FROM idem_lease WHERE key = idem_key_bytes('${BROKEN}') FOR UPDATE`)
  const started = await executeSnapshot(operator, snapshot.snapshotId, REASON, { settings: SETTINGS })
  if (started.kind !== 'run') throw new Error(started.kind)
  const runId = started.run.id
  const stuck = () =>
    fixture.service
      .query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%UPDATE idem_lease%'`,
      )
      .then(({ rowCount }) => rowCount)
  await expect.poll(stuck, WAIT).toBe(1)

  // It dies with its statement under way, which the server still carries out.
  await killWorker(first)
  await blocker.query('ROLLBACK')
  blocker.release()
  await expect
    .poll(async () => {
      const { rows } = await fixture.service.query(
        `SELECT state::text AS state FROM idem_lease WHERE key = idem_key_bytes('${BROKEN}')`,
      )
      return rows
    }, WAIT)
    .toEqual([{ state: 'R' }])
  expect(await runState(runId)).toBe('running')
  const before = await actionsOf(runId)
  expect(before.length).toBeLessThan(ITEMS)
  expect(before.at(-1)).toMatchObject({ key: BROKEN, state: 'executing' })

  await addWorker()
  await fixture.console.db.pool.query(
    `UPDATE run SET lease_until = clock_timestamp() - interval '1 s' WHERE id = $1`,
    [runId],
  )
  await requeueLost({ ...fixture.system, queue })
  await expect.poll(() => runState(runId), WAIT).toBe('done')

  // One action a key, and the store was changed by exactly that one.
  const actions = await actionsOf(runId)
  expect(new Set(actions.map(({ key }) => key)).size).toBe(ITEMS)
  expect(actions).toHaveLength(ITEMS)
  const { rows } = await fixture.service.query(
    `SELECT idem_key_text(key) AS key, owner, state::text AS state, attempts FROM idem_lease WHERE owner LIKE 'idemscope:%'`,
  )
  expect(rows).toHaveLength(ITEMS)
  for (const action of actions)
    expect(rows.find(({ key }) => key === action.key)).toEqual({
      key: action.key,
      owner: `idemscope:${action.id}`,
      state: 'R',
      attempts: 1,
    })

  // What nobody heard the end of is found out by reading.
  await fixture.console.db.pool.query(
    `UPDATE action SET executed_at = executed_at - interval '5 minutes' WHERE run_id = $1 AND state = 'executing'`,
    [runId],
  )
  expect(await settleUnknown(fixture.system)).toEqual({ settled: 1, open: 0 })
  expect((await actionsOf(runId)).map(({ state }) => state)).toEqual(Array(ITEMS).fill('done'))

  // The request sent again answers with the same run, and does nothing.
  expect(await executeSnapshot(operator, snapshot.snapshotId, REASON, { settings: SETTINGS })).toMatchObject({
    kind: 'run',
    run: { id: runId },
  })
  expect(await actionsOf(runId)).toHaveLength(ITEMS)
}, 180_000)

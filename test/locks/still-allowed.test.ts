import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { setBanned } from '@/lib/access/set-banned'
import { mintOwnToken, revokeToken } from '@/lib/access/tokens'
import type { OperateResult } from '@/lib/actions/bulk/operate-each'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import type { Context } from '@/lib/context'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { executeSnapshot } from '@/lib/locks/bulk/execute-snapshot'
import { createSnapshot } from '@/lib/locks/bulk/snapshots'
import { operateKey } from '@/lib/locks/verbs/operate-key'
import { operateLocks } from '@/lib/locks/verbs/operate-locks'
import { acquire, createFixture, type Fixture, killHolder, REASON, SCOPE, SETTINGS } from './locks-fixture'

/** What a person may do is asked for each key, however few there are: a request knows them as they were. */

const KEYS = 5
const WAIT = { timeout: 60_000, interval: 20 }

let fixture: Fixture
beforeAll(async () => {
  fixture = await createFixture()
})
afterAll(() => fixture.close())

const keyOf = (name: string, n: number) => `${name}-${n}`

/** Dead keys, checked, the oldest first. */
async function deadKeys(name: string) {
  for (let n = 0; n < KEYS; n += 1) await killHolder(fixture, await acquire(fixture, keyOf(name, n)))
  await checkLocks(fixture.system, undefined, SETTINGS)
  return fixture.console.db.prisma.lock.findMany({
    where: { key: { startsWith: `${name}-` } },
    orderBy: { acquiredAt: 'asc' },
  })
}

/** Does `happens` while the second key is being released: the store is made to wait with it. */
async function duringSecond<T>(name: string, work: () => Promise<T>, happens: () => Promise<unknown>) {
  const blocker = await fixture.service.connect()
  await blocker.query('BEGIN')
  await blocker.query('SELECT FROM idem_lease WHERE key = idem_key_bytes($1) FOR UPDATE', [keyOf(name, 1)])
  const working = work()
  const waiting = () =>
    fixture.service
      .query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
           AND query LIKE '%UPDATE idem_lease%'`,
      )
      .then(({ rowCount }) => rowCount)
  await expect.poll(waiting, WAIT).toBe(1)
  await happens()
  await blocker.query('ROLLBACK')
  blocker.release()
  return working
}

const released = async (name: string) =>
  (
    await fixture.service.query(`SELECT FROM idem_lease WHERE state = 'R' AND idem_key_text(key) LIKE $1`, [
      `${name}-%`,
    ])
  ).rowCount

const WAYS: [
  string,
  (ctx: Context, locks: Awaited<ReturnType<typeof deadKeys>>) => Promise<OperateResult[]>,
][] = [
  [
    'a snapshot',
    async (ctx, locks) => {
      const ids = locks.map(({ id }) => id)
      const { snapshotId } = await createSnapshot(ctx, 'release', { ids }, SETTINGS)
      const done = await executeSnapshot(ctx, snapshotId, REASON, { settings: SETTINGS })
      if (done.kind !== 'inline') throw new Error(done.kind)
      return done.items
    },
  ],
  [
    'keys by name',
    (ctx, locks) =>
      operateLocks(
        ctx,
        'release',
        {
          ids: locks.map(({ id }) => id),
          seen: Object.fromEntries(locks.map(({ id, version }) => [id, version])),
          reason: REASON,
        },
        SETTINGS,
      ),
  ],
]

type Loss = {
  as: (name: string) => Promise<Context>
  happens: (ctx: Context) => Promise<unknown>
  code: string
}

const LOSSES: [string, Loss][] = [
  [
    'their role is lowered',
    {
      as: (name) => fixture.as('operator', name),
      happens: (ctx) => fixture.as('viewer', ctx.actor.kind === 'user' ? ctx.actor.name : ''),
      code: 'forbidden',
    },
  ],
  [
    'they are locked out',
    {
      as: (name) => fixture.as('operator', name),
      happens: async (ctx) =>
        setBanned(await fixture.as('admin'), {
          userId: ctx.actor.kind === 'user' ? ctx.actor.userId : '',
          banned: true,
          reason: REASON,
        }),
      code: 'forbidden',
    },
  ],
  [
    'their token is revoked',
    {
      async as(name) {
        const ctx = await fixture.as('operator', name)
        const { tokenId } = await mintOwnToken(ctx, { name: 'bulk' })
        return { ...ctx, actor: { ...ctx.actor, via: 'token', tokenId } as Context['actor'] }
      },
      happens: async (ctx) =>
        revokeToken(await fixture.as('admin'), 'tokenId' in ctx.actor ? ctx.actor.tokenId : ''),
      code: 'forbidden',
    },
  ],
  [
    'writes are switched off',
    {
      as: (name) => fixture.as('operator', name),
      happens: async () => setKillSwitch(await fixture.as('approver'), { on: true, reason: REASON }),
      code: 'kill_switch',
    },
  ],
]

describe.each(WAYS)('%s', (way, act) => {
  test.each(LOSSES)(
    'stop at the next key when %s, and what was done is told',
    async (loss, { as, happens, code }) => {
      const name = `${way} ${loss}`.replaceAll(' ', '-')
      const locks = await deadKeys(name)
      const ctx = await as(name)
      const results = await duringSecond(
        name,
        () => act(ctx, locks),
        () => happens(ctx),
      )
      await setKillSwitch(await fixture.as('admin'), { on: false, reason: REASON })
      expect(results.map(({ id, state, reason }) => [id, state, reason])).toEqual(
        locks.map(({ id }, n) => [id, n < 2 ? 'done' : 'failed', n < 2 ? null : code]),
      )
      expect(await released(name)).toBe(2)
    },
  )
})

test('who may not act any more once the evidence was read changes nothing, and that is written down', async () => {
  const [lock] = await deadKeys('late')
  const ctx = await fixture.as('operator', 'late')
  const blocker = await fixture.console.db.pool.connect()
  const name = `operate:${fixture.sourceId}:${SCOPE}:${keyOf('late', 0)}`
  await blocker.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [name])
  const acting = operateKey(
    ctx,
    'release',
    {
      sourceId: fixture.sourceId,
      scope: SCOPE,
      key: keyOf('late', 0),
      seen: lock?.version ?? '',
      reason: REASON,
    },
    { settings: SETTINGS },
  )
  const refused = expect(acting).rejects.toMatchObject({ code: 'forbidden' })
  const waiting = () =>
    fixture.console.db.pool
      .query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)
      .then(({ rowCount }) => rowCount)
  await expect.poll(waiting, WAIT).toBe(1)
  await fixture.as('viewer', 'late')
  await blocker.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [name])
  blocker.release()
  await refused
  expect(await released('late')).toBe(0)
  const [action] = await fixture.console.db.prisma.action.findMany({ where: { key: keyOf('late', 0) } })
  expect(action).toMatchObject({ state: 'failed', result: { error: expect.stringContaining('operator') } })
})

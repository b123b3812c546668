import { afterAll, beforeAll, expect, test } from 'vitest'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { createProviderAsker } from '@/lib/locks/assess/ask-provider'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { operateKey } from '@/lib/locks/verbs/operate-key'
import { settleUnknown } from '@/lib/locks/verbs/settle-unknown'
import { saveSource } from '@/lib/sources/save'
import {
  acquire,
  beginCharge,
  CREDENTIALS_KEY,
  charge,
  createFixture,
  type Fixture,
  killHolder,
  REASON,
  SETTINGS,
} from './locks-fixture'

let fixture: Fixture
let operator: Context
beforeAll(async () => {
  fixture = await createFixture()
  operator = await fixture.as('operator')
})
afterAll(() => fixture.close())

async function lockOf(key: string): Promise<LockView> {
  await checkLocks(fixture.system, undefined, SETTINGS)
  const [lock] = (await listLocks(fixture.console.db, { key }, { limit: 1 }, systemClock.now())).items
  if (lock === undefined) throw new Error(`no lock of ${key}`)
  return lock
}

const target = (lock: LockView) => ({
  sourceId: lock.source,
  scope: lock.scope,
  key: lock.key,
  seen: lock.version,
  reason: REASON,
  lockId: lock.id,
})

/** Something happens after the store was read and before the compare-and-set. */
function between(happens: () => Promise<unknown>) {
  const asker = createProviderAsker(fixture.system, 'payments', SETTINGS)
  return {
    ask: async (key: Parameters<typeof asker.ask>[0]) => {
      const answer = await asker.ask(key)
      await happens()
      return answer
    },
  }
}

const release = (lock: LockView, happens: () => Promise<unknown>, ctx = operator) =>
  operateKey(ctx, 'release', target(lock), { settings: SETTINGS, asker: between(happens) })

const nothing = async (): Promise<unknown> => undefined

async function leaseOf(key: string): Promise<{ fence: string; state: string; owner: string }> {
  const { rows } = await fixture.service.query(
    `SELECT fence::text, state::text, owner FROM idem_lease WHERE key = idem_key_bytes($1)`,
    [key],
  )
  return rows[0]
}

async function deadKey(key: string) {
  const holder = await acquire(fixture, key)
  await killHolder(fixture, holder)
  return { holder, lock: await lockOf(key) }
}

test('the holder completes between check and set: the release is refused', async () => {
  const { holder, lock } = await deadKey('race-complete')
  const action = await release(lock, () =>
    fixture.store.complete(holder, { status: 201, headers: [], body: new Uint8Array() }),
  )
  expect(action).toMatchObject({ state: 'refused', result: { reason: 'gone' } })
})

test('a heartbeat between check and set: the release is refused', async () => {
  const { holder, lock } = await deadKey('race-beat')
  const action = await release(lock, () => fixture.store.heartbeat(holder, 60_000))
  expect(action).toMatchObject({ state: 'refused', result: { reason: 'holder_alive' } })
})

test('a takeover between check and set: the release is refused, the new holder goes on', async () => {
  const { lock } = await deadKey('race-takeover')
  let fence = 0n
  const action = await release(lock, async () => {
    fence = (await acquire(fixture, 'race-takeover')).fence
  })
  expect(action).toMatchObject({ state: 'refused', result: { reason: 'fence_changed' } })
  expect(await leaseOf('race-takeover')).toMatchObject({ fence: fence.toString(), state: 'L' })
})

test('a stamp that moved by one microsecond is another state', async () => {
  const { lock } = await deadKey('race-micro')
  const action = await release(lock, () =>
    fixture.service.query(
      `UPDATE idem_lease SET heartbeat_at = heartbeat_at + interval '1 microsecond' WHERE key = idem_key_bytes('race-micro')`,
    ),
  )
  expect(action).toMatchObject({ state: 'refused', result: { reason: 'state_changed' } })
})

test('the kill switch goes on between check and set: nothing is written', async () => {
  const { holder, lock } = await deadKey('race-kill')
  const [approver, admin] = [await fixture.as('approver'), await fixture.as('admin')]
  const killed = release(lock, () => setKillSwitch(approver, { on: true, reason: REASON }))
  await expect(killed).rejects.toMatchObject({ code: 'kill_switch' })
  await setKillSwitch(admin, { on: false, reason: REASON })
  expect(await leaseOf('race-kill')).toMatchObject({ state: 'L', owner: holder.owner })
  expect(await release(await lockOf('race-kill'), nothing)).toMatchObject({ state: 'done' })
})

test('a release raises the fence, so that whatever its holder still sends is stale', async () => {
  const { holder, lock } = await deadKey('race-fence')
  expect(await release(lock, nothing)).toMatchObject({ state: 'done' })
  const { fence, state } = await leaseOf('race-fence')
  expect(state).toBe('R')
  expect(BigInt(fence)).toBeGreaterThan(holder.fence)
  expect(await fixture.store.heartbeat(holder, 60_000)).toBe(false)
})

test('a key that came back to the same stamps with another fence is refused (ABA)', async () => {
  const { lock } = await deadKey('race-aba')
  await fixture.service.query(
    `UPDATE idem_lease SET fence = fence + 1 WHERE key = idem_key_bytes('race-aba')`,
  )
  const action = await operateKey(operator, 'release', target(lock), { settings: SETTINGS })
  expect(action).toMatchObject({ state: 'refused', result: { reason: 'fence_changed' } })
})

test('a new life of the key with the very same fence is refused', async () => {
  const { lock } = await deadKey('race-life')
  const action = await release(lock, () =>
    fixture.service.query(
      `UPDATE idem_lease SET created_at = created_at + interval '1 microsecond' WHERE key = idem_key_bytes('race-life')`,
    ),
  )
  expect(action).toMatchObject({ state: 'refused', result: { reason: 'gone' } })
})

test('two operators at once: one releases, the other is refused', async () => {
  const another = await fixture.as('operator', 'operator-2')
  for (let round = 0; round < 10; round++) {
    const { lock } = await deadKey(`race-two-${round}`)
    const actions = await Promise.all(
      [operator, another].map((ctx) => operateKey(ctx, 'release', target(lock), { settings: SETTINGS })),
    )
    expect(actions.map((action) => action.state).sort()).toEqual(['done', 'refused'])
  }
})

test('holder and operator at once: exactly one of them wins', async () => {
  const won = { holder: 0, operator: 0 }
  for (let round = 0; round < 15; round++) {
    const { holder, lock } = await deadKey(`race-both-${round}`)
    const [completed, action] = await Promise.all([
      fixture.store.complete(holder, { status: 201, headers: [], body: new Uint8Array() }),
      operateKey(operator, 'release', target(lock), { settings: SETTINGS }),
    ])
    expect(completed === 'stale').toBe(action.state === 'done')
    won[completed === 'stale' ? 'operator' : 'holder'] += 1
  }
  expect(won.holder + won.operator).toBe(15)
})

test('the charge appears after the operator looked: evidence decides, not the old verdict', async () => {
  const holder = await acquire(fixture, 'late-charge')
  await beginCharge(fixture, holder)
  await killHolder(fixture, holder)
  const lock = await lockOf('late-charge')
  expect(lock.verdict).toBe('release')
  await charge(fixture, 'late-charge', 'order-9')
  const action = await operateKey(operator, 'release', target(lock), { settings: SETTINGS })
  expect(action).toMatchObject({
    state: 'refused',
    result: { reason: 'effect_found', now: { verdict: 'complete' } },
  })
})

test('the provider cannot be asked: nothing is done; once it can, the old version is refused', async () => {
  const { lock: before } = await deadKey('unreachable-1')
  const provider = (baseUrl: string) =>
    saveSource(
      fixture.system,
      {
        adapter: 'stripe',
        name: 'provider',
        system: 'payments',
        config: { mode: 'live', baseUrl, attemptsMax: 1, timeoutMs: 1000, requestsPerSecond: 100 },
        records: 'same',
        secret: { readKey: 'rk_test_read', writeKey: 'sk_test_write' },
      },
      { credentialsKey: CREDENTIALS_KEY, demo: true, atStart: true },
    )
  await provider('http://127.0.0.1:9')
  const refused = await operateKey(operator, 'release', target(before), { settings: SETTINGS })
  expect(refused).toMatchObject({ state: 'refused', result: { reason: 'provider_unreachable' } })
  const seen = await lockOf('unreachable-1')
  expect(seen).toMatchObject({ verdict: 'investigate', providerAnswer: { kind: 'unreachable' } })
  await provider(fixture.provider.url)
  const changed = await operateKey(operator, 'release', target(seen), { settings: SETTINGS })
  expect(changed).toMatchObject({ state: 'refused', result: { reason: 'evidence_changed' } })
})

test('a connection that breaks over the write is unknown, and settled by reading', async () => {
  const { lock } = await deadKey('unknown-1')
  // The store's session ends in the middle of the statement.
  await fixture.service.query(`
    CREATE FUNCTION break_here() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
    CREATE TRIGGER break_here BEFORE UPDATE ON idem_lease FOR EACH ROW EXECUTE FUNCTION break_here()`)
  const action = await operateKey(operator, 'release', target(lock), { settings: SETTINGS })
  await fixture.service.query('DROP TRIGGER break_here ON idem_lease; DROP FUNCTION break_here()')
  expect(action.state).toBe('unknown')

  expect(await settleUnknown(fixture.system)).toEqual({ settled: 0, open: 0 })
  // As it was seen: the statement may still be under way in the store.
  await age(action.id, '60 seconds')
  expect(await settleUnknown(fixture.system)).toEqual({ settled: 0, open: 1 })
  await age(action.id, '80 seconds')
  expect(await settleUnknown(fixture.system)).toEqual({ settled: 1, open: 0 })
  expect(await read(action.id)).toMatchObject({ state: 'failed', result: { settled: 'not_applied' } })
})

test('a statement that waited in the store when its connection broke is no failure: it is done in the end', async () => {
  const { lock } = await deadKey('unknown-2')
  const blocker = await fixture.service.connect()
  await blocker.query('BEGIN')
  await blocker.query(`SELECT FROM idem_lease WHERE key = idem_key_bytes('unknown-2') FOR UPDATE`)
  const waiting = async () =>
    (
      await fixture.service.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
           AND query LIKE '%UPDATE idem_lease%'`,
      )
    ).rows
  const acting = operateKey(operator, 'release', target(lock), { settings: SETTINGS })
  await expect.poll(async () => (await waiting()).length).toBe(1)
  // What its console knows is that the answer does not come; the server goes on waiting for the row.
  await fixture.console.db.prisma.action.updateMany({
    where: { key: 'unknown-2' },
    data: { state: 'unknown' },
  })
  const [{ id } = { id: '' }] = await fixture.console.db.prisma.action.findMany({
    where: { key: 'unknown-2' },
  })
  await age(id, '20 seconds')
  expect(await settleUnknown(fixture.system)).toEqual({ settled: 0, open: 1 })
  await blocker.query('ROLLBACK')
  blocker.release()
  await acting
  expect(await settleUnknown(fixture.system)).toEqual({ settled: 1, open: 0 })
  expect(await read(id)).toMatchObject({ state: 'done', result: { settled: 'applied' } })
})

test('a process that dies after the write: the release is recognised by its owner', async () => {
  const { lock } = await deadKey('crash-1')
  const action = await operateKey(operator, 'release', target(lock), { settings: SETTINGS })
  await fixture.console.db.prisma.action.update({
    where: { id: action.id },
    data: { state: 'executing', finishedAt: null },
  })
  await age(action.id, '3 minutes')
  expect(await settleUnknown(fixture.system)).toEqual({ settled: 1, open: 0 })
  expect(await read(action.id)).toMatchObject({ state: 'done', result: { settled: 'applied' } })
})

test('a process that dies after completing: the record is recognised by its response', async () => {
  const holder = await acquire(fixture, 'crash-2')
  await beginCharge(fixture, holder)
  await charge(fixture, 'crash-2', 'order-5')
  await killHolder(fixture, holder)
  const action = await operateKey(operator, 'complete', target(await lockOf('crash-2')), {
    settings: SETTINGS,
  })
  expect(action.state).toBe('done')
  await fixture.console.db.prisma.action.update({
    where: { id: action.id },
    data: { state: 'unknown', finishedAt: null },
  })
  await age(action.id, '1 minute')
  expect(await settleUnknown(fixture.system)).toEqual({ settled: 1, open: 0 })
  expect(await read(action.id)).toMatchObject({ state: 'done' })
  expect(
    await fixture.console.db.prisma.auditEntry.count({ where: { subject: action.id, outcome: 'done' } }),
  ).toBe(2)
})

async function age(actionId: string, by: string): Promise<void> {
  await fixture.console.db.pool.query(
    `UPDATE action SET executed_at = executed_at - $2::interval WHERE id = $1`,
    [actionId, by],
  )
}

const read = (id: string) => fixture.console.db.prisma.action.findUniqueOrThrow({ where: { id } })

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RouteContext } from '@/app/_server/api/route'
import { lockRoutes } from '@/app/_server/routes/locks'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { createProviderAsker } from '@/lib/locks/assess/ask-provider'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { executeSnapshot } from '@/lib/locks/bulk/execute-snapshot'
import { createSnapshot } from '@/lib/locks/bulk/snapshots'
import { approveFail, rejectFail, withdrawFail } from '@/lib/locks/fail/decide'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { operateKey } from '@/lib/locks/verbs/operate-key'
import { operateLocks } from '@/lib/locks/verbs/operate-locks'
import { settleUnknown } from '@/lib/locks/verbs/settle-unknown'
import {
  acquire,
  actAs,
  beginCharge,
  charge,
  createFixture,
  type Fixture,
  killHolder,
  REASON,
  SCOPE,
  SETTINGS,
} from './locks-fixture'

/** Ending a key without effect takes two people, one key at a time, on evidence that both have seen. */

let fixture: Fixture
let operator: Context
let approver: Context
beforeAll(async () => {
  fixture = await createFixture()
  operator = await fixture.as('operator')
  approver = await fixture.as('approver')
})
afterAll(() => fixture.close())

async function lockOf(key: string): Promise<LockView> {
  await checkLocks(fixture.system, undefined, SETTINGS)
  const [lock] = (await listLocks(fixture.console.db, { key }, { limit: 1 }, systemClock.now())).items
  if (lock === undefined) throw new Error(`no lock of ${key}`)
  return lock
}

async function dead(key: string, withStep = false) {
  const holder = await acquire(fixture, key)
  if (withStep) await beginCharge(fixture, holder)
  await killHolder(fixture, holder)
  return holder
}

async function propose(key: string, ctx: Context = operator) {
  const lock = await lockOf(key)
  const input = {
    sourceId: lock.source,
    scope: lock.scope,
    key,
    seen: lock.version,
    reason: REASON,
    lockId: lock.id,
  }
  return operateKey(ctx, 'fail', input, { settings: SETTINGS })
}

const approve = (action: { id: string; evidenceHash: string | null }, ctx: Context = approver) =>
  approveFail(ctx, { actionId: action.id, evidenceHash: action.evidenceHash ?? '' }, { settings: SETTINGS })

const retry = (key: string) =>
  fixture.store.acquire({
    scope: SCOPE,
    key,
    tier: 'standard',
    fingerprint: new Uint8Array(16),
    owner: 'retry',
    leaseMs: 1000,
    traceId: null,
  })

const auditOf = async (actionId: string) =>
  (
    await fixture.console.db.prisma.auditEntry.findMany({
      where: { subject: actionId },
      orderBy: { id: 'asc' },
    })
  ).map((row) => `${row.actor} ${row.verb} ${row.outcome}`)

test('one person proposes and nothing is written; a second approves, and retries are told', async () => {
  await dead('fail-1', true)
  const proposed = await propose('fail-1')
  expect(proposed).toMatchObject({ kind: 'fail', state: 'proposed', proposer: 'user-operator' })
  expect(proposed.evidenceHash).toMatch(/^[0-9a-f]{32}$/)
  expect(await lockOf('fail-1')).toMatchObject({ state: 'lease_expired' })
  // Sent again by the same person it is the same proposal; another person's is told of it.
  expect((await propose('fail-1')).id).toBe(proposed.id)
  await expect(propose('fail-1', await fixture.as('operator', 'operator-2'))).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(proposed.id),
  })

  const done = await approve(proposed)
  expect(done).toMatchObject({ state: 'done', approver: 'user-approver' })
  expect(Date.parse(done.expiresAt ?? '') - Date.parse(done.approvedAt ?? '')).toBe(15 * 60_000)
  expect(await retry('fail-1')).toMatchObject({ kind: 'replay', state: 'failed_final', status: 410 })
  expect(await auditOf(proposed.id)).toEqual([
    'operator lock.fail proposed',
    'approver lock.fail approved',
    'approver lock.fail done',
  ])
  await expect(approve(proposed)).rejects.toMatchObject({ code: 'conflict' })
})

test('nobody approves their own, and no service proposes or approves', async () => {
  await dead('fail-people')
  const own = await propose('fail-people', approver)
  await expect(approve(own)).rejects.toMatchObject({ code: 'forbidden', meta: { reason: 'four_eyes' } })
  await expect(approve(own, operator)).rejects.toMatchObject({ code: 'forbidden' })
  await withdrawFail(approver, { actionId: own.id, reason: REASON })

  const service = await actAs(fixture.system, 'operator', 'robot')
  await fixture.console.db.prisma.user.update({ where: { id: 'user-robot' }, data: { service: true } })
  await expect(propose('fail-people', service)).rejects.toMatchObject({
    code: 'forbidden',
    message: 'It takes a person: a session, or a token of their own.',
  })
  const proposed = await propose('fail-people')
  await fixture.console.db.prisma.user.update({ where: { id: 'user-robot' }, data: { role: 'approver' } })
  const acting = { ...service, actor: { ...service.actor, role: 'approver' } } as Context
  await expect(approve(proposed, acting)).rejects.toMatchObject({ code: 'forbidden' })
  expect(await approve(proposed)).toMatchObject({ state: 'done' })
})

test('a proposal is withdrawn by its proposer or rejected by an approver, and can be made anew', async () => {
  await dead('fail-no')
  const first = await propose('fail-no')
  await expect(withdrawFail(approver, { actionId: first.id, reason: REASON })).rejects.toMatchObject({
    code: 'forbidden',
  })
  expect(await withdrawFail(operator, { actionId: first.id, reason: REASON })).toMatchObject({
    state: 'rejected',
  })
  const second = await propose('fail-no')
  expect(second.id).not.toBe(first.id)
  expect(await rejectFail(approver, { actionId: second.id, reason: REASON })).toMatchObject({
    state: 'rejected',
  })
  await expect(approve(second)).rejects.toMatchObject({ code: 'conflict' })
  expect(await retry('fail-no')).toMatchObject({ kind: 'takeover' })
})

test('an approval names the evidence, and anything that changed since refuses it', async () => {
  await dead('fail-hash')
  const proposed = await propose('fail-hash')
  await expect(approve({ id: proposed.id, evidenceHash: 'another' })).rejects.toMatchObject({
    code: 'conflict',
    meta: { reason: 'stale_evidence' },
  })
  await fixture.service.query(
    `UPDATE idem_lease SET heartbeat_at = heartbeat_at + interval '1 microsecond' WHERE key = idem_key_bytes('fail-hash')`,
  )
  expect(await approve(proposed)).toMatchObject({ state: 'refused', result: { reason: 'state_changed' } })

  await dead('fail-charge', true)
  const before = await propose('fail-charge')
  await charge(fixture, 'fail-charge', 'order-1')
  expect(await approve(before)).toMatchObject({ state: 'refused', result: { reason: 'effect_found' } })

  const holder = await dead('fail-settled', true)
  const open = await propose('fail-settled')
  await fixture.store.settleEffect(holder, 'charge', {
    state: 'committed',
    reference: 'ch_settled_meanwhile',
    amountMinor: 1050n,
    currency: 'USD',
    result: null,
  })
  expect(await approve(open)).toMatchObject({ state: 'refused', result: { reason: 'state_changed' } })
  expect(await retry('fail-settled')).toMatchObject({ kind: 'takeover' })
})

test('a key whose stamps lie ahead of the store’s clock as it is known is approved while that clock goes on', async () => {
  await dead('fail-ahead')
  await fixture.service.query(
    `UPDATE idem_lease SET created_at = clock_timestamp() + interval '20 s' WHERE key = idem_key_bytes('fail-ahead')`,
  )
  expect(await approve(await propose('fail-ahead'))).toMatchObject({ state: 'done' })
})

test('what is done, or open and not proved absent, cannot be failed', async () => {
  const done = await acquire(fixture, 'fail-done')
  await beginCharge(fixture, done)
  await fixture.store.settleEffect(done, 'charge', {
    state: 'committed',
    reference: await charge(fixture, 'of-another-key', 'order-2'),
    amountMinor: 1050n,
    currency: 'USD',
    result: null,
  })
  await killHolder(fixture, done)
  expect(await propose('fail-done')).toMatchObject({ state: 'refused', result: { reason: 'effect_found' } })

  const mailed = await acquire(fixture, 'fail-mailed')
  const step = {
    step: 'mail',
    name: 'smtp.mail',
    kind: 'message',
    providerKey: null,
    leaseMs: 60_000,
  } as const
  await fixture.store.beginEffect(mailed, step)
  await fixture.store.settleEffect(mailed, 'mail', {
    state: 'committed',
    reference: null,
    amountMinor: null,
    currency: null,
    result: null,
  })
  await killHolder(fixture, mailed)
  expect(await propose('fail-mailed')).toMatchObject({ state: 'refused' })

  const captured = await acquire(fixture, 'fail-captured')
  const capture = {
    step: 'c',
    name: 'stripe.capture',
    kind: 'http',
    providerKey: 'pk-c',
    leaseMs: 60_000,
  } as const
  await fixture.store.beginEffect(captured, capture)
  await killHolder(fixture, captured)
  expect(await propose('fail-captured')).toMatchObject({
    state: 'refused',
    result: { reason: 'evidence_unsettled' },
  })
})

test('it is never done in bulk', async () => {
  await dead('fail-bulk-1')
  await dead('fail-bulk-2')
  const locks = [await lockOf('fail-bulk-1'), await lockOf('fail-bulk-2')]
  const seen = Object.fromEntries(locks.map(({ id, version }) => [id, version]))
  const many = { ids: Object.keys(seen), seen, reason: REASON }
  const never = { code: 'unprocessable', message: expect.stringContaining('never in bulk') }
  await expect(operateLocks(operator, 'fail', many, SETTINGS)).rejects.toMatchObject(never)
  await expect(createSnapshot(operator, 'fail', { scope: SCOPE }, SETTINGS)).rejects.toMatchObject(never)
  // One that was frozen before this was so.
  const { snapshotId } = await createSnapshot(operator, 'release', { ids: Object.keys(seen) }, SETTINGS)
  await fixture.console.db.prisma.snapshot.update({ where: { id: snapshotId }, data: { verb: 'fail' } })
  await expect(executeSnapshot(operator, snapshotId, REASON, { settings: SETTINGS })).rejects.toMatchObject(
    never,
  )
})

test('the API answers 202 with the proposal, and refuses what names more than one key', async () => {
  await dead('fail-api')
  await fixture.service.query(
    `UPDATE idem_lease SET created_at = created_at - interval '1 hour', heartbeat_at = heartbeat_at - interval '1 hour',
       lease_until = lease_until - interval '1 hour' WHERE key = idem_key_bytes('fail-api')`,
  )
  const { id, version } = await lockOf('fail-api')
  const route = lockRoutes.find(({ path }) => path === 'locks/fail')
  const send = (body: unknown) =>
    route?.handle(operator as RouteContext, { params: undefined, query: undefined, body })
  const answer = await send({ ids: [id], seen: { [id]: version }, reason: REASON })
  const action = await fixture.console.db.prisma.action.findFirstOrThrow({ where: { key: 'fail-api' } })
  expect(answer).toEqual({
    status: 202,
    body: {
      proposal: action.id,
      items: [{ lockId: id, actionId: action.id, state: 'proposed', reason: null, text: null }],
    },
  })
  expect(route?.responses[202]?.schema.safeParse(Reflect.get(Object(answer), 'body')).success).toBe(true)
  await expect(send({ filter: { stuckOnly: true }, dryRun: true })).rejects.toMatchObject({
    code: 'unprocessable',
  })
})

test('the kill switch stops the approval, and not the rejection', async () => {
  await dead('fail-kill')
  const proposed = await propose('fail-kill')
  await setKillSwitch(approver, { on: true, reason: REASON })
  await expect(approve(proposed)).rejects.toMatchObject({ code: 'kill_switch' })
  expect(await rejectFail(approver, { actionId: proposed.id, reason: REASON })).toMatchObject({
    state: 'rejected',
  })
  await setKillSwitch(await fixture.as('admin'), { on: false, reason: REASON })
})

test('of two approvals at once one is lost, and the key is failed once', async () => {
  await dead('fail-twice')
  const proposed = await propose('fail-twice')
  const other = await fixture.as('approver', 'approver-2')
  const ends = await Promise.allSettled([approve(proposed), approve(proposed, other)])
  expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(await retry('fail-twice')).toMatchObject({ kind: 'replay', status: 410 })
})

test('a process that dies after failing: the record is recognised by its response', async () => {
  await dead('fail-crash')
  const done = await approve(await propose('fail-crash'))
  await fixture.console.db.pool.query(
    `UPDATE action SET state = 'executing', finished_at = NULL, executed_at = executed_at - interval '5 minutes' WHERE id = $1`,
    [done.id],
  )
  expect(await settleUnknown(fixture.system)).toEqual({ settled: 1, open: 0 })
  const settled = await fixture.console.db.prisma.action.findUniqueOrThrow({ where: { id: done.id } })
  expect(settled).toMatchObject({ state: 'done', result: { settled: 'applied' } })
})

test('the charge appears while the approval reads: refused', async () => {
  await dead('fail-late', true)
  const proposed = await propose('fail-late')
  const asker = createProviderAsker(fixture.system, 'payments', SETTINGS)
  await charge(fixture, 'fail-late', 'order-9')
  const options = { settings: SETTINGS, asker: { ask: asker.ask } }
  const input = { actionId: proposed.id, evidenceHash: proposed.evidenceHash ?? '' }
  expect(await approveFail(approver, input, options)).toMatchObject({ state: 'refused' })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { createProviderAsker } from '@/lib/locks/assess/ask-provider'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { approveFail } from '@/lib/locks/fail/decide'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { operateKey } from '@/lib/locks/verbs/operate-key'
import type { Holder } from '@/sdk/stores/store'
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

/** A holder that comes back while an operator acts: the fence and the steps decide, and no finished key is overwritten. */

let fixture: Fixture
let operator: Context
let approver: Context
beforeAll(async () => {
  fixture = await createFixture()
  operator = await fixture.as('operator')
  approver = await fixture.as('approver')
})
afterAll(() => fixture.close())

const VERBS = ['release', 'complete', 'fail'] as const
type Verb = (typeof VERBS)[number]

async function lockOf(key: string): Promise<LockView> {
  await checkLocks(fixture.system, fixture.sourceId, SETTINGS)
  const [lock] = (await listLocks(fixture.console.db, { key }, { limit: 1 }, systemClock.now())).items
  if (lock === undefined) throw new Error(`no lock of ${key}`)
  return lock
}

/** A dead key for which the verb is the right one, and the verb, ready to be done on what was seen. */
async function ready(verb: Verb, key: string) {
  const holder = await acquire(fixture, key)
  await beginCharge(fixture, holder)
  if (verb === 'complete') await charge(fixture, key, 'order-1')
  await killHolder(fixture, holder)
  const lock = await lockOf(key)
  const input = {
    sourceId: lock.source,
    scope: SCOPE,
    key,
    seen: lock.version,
    reason: REASON,
    lockId: lock.id,
  }
  const asker = createProviderAsker(fixture.system, 'payments', SETTINGS)
  const between = (happens: () => Promise<unknown>) => ({
    settings: SETTINGS,
    asker: {
      ask: async (reading: Parameters<typeof asker.ask>[0]) => {
        const answer = await asker.ask(reading)
        await happens()
        return answer
      },
    },
  })
  const nothing = async (): Promise<unknown> => undefined
  if (verb !== 'fail')
    return { holder, act: (happens = nothing) => operateKey(operator, verb, input, between(happens)) }
  const { id: actionId, evidenceHash } = await operateKey(operator, 'fail', input, { settings: SETTINGS })
  const approval = { actionId, evidenceHash: evidenceHash ?? '' }
  return { holder, act: (happens = nothing) => approveFail(approver, approval, between(happens)) }
}

const settle = (holder: Holder, reference: string) =>
  fixture.store.settleEffect(holder, 'charge', {
    state: 'committed',
    reference,
    amountMinor: 1050n,
    currency: 'USD',
    result: null,
  })

const finish = (holder: Holder) =>
  fixture.store.complete(holder, { status: 201, headers: [], body: Buffer.from('{"by":"holder"}') })

const replay = async (key: string) => {
  const answer = await fixture.store.acquire({
    scope: SCOPE,
    key,
    tier: 'standard',
    fingerprint: new Uint8Array(16),
    owner: 'retry',
    leaseMs: 1000,
    traceId: null,
  })
  return answer.kind === 'replay'
    ? { status: answer.status, body: Buffer.from(answer.body).toString() }
    : answer.kind
}

describe.each(VERBS)('%s', (verb) => {
  test('is refused when a step ended after it was read', async () => {
    const { holder, act } = await ready(verb, `${verb}-settled`)
    const action = await act(() => settle(holder, 'ch_just_now'))
    expect(action).toMatchObject({ state: 'refused', result: { reason: 'steps_changed' } })
    const { rows } = await fixture.service.query(
      `SELECT state::text, reference FROM idem_step WHERE key = idem_key_bytes($1)`,
      [`${verb}-settled`],
    )
    expect(rows).toEqual([{ state: 'C', reference: 'ch_just_now' }])
  })

  test('is refused when another step began after it was read', async () => {
    const { holder, act } = await ready(verb, `${verb}-began`)
    const step = {
      step: 'refund',
      name: 'stripe.refund',
      kind: 'http',
      providerKey: 'r',
      leaseMs: 1,
    } as const
    const action = await act(() => fixture.store.beginEffect(holder, step))
    expect(action.state).toBe('refused')
    expect(await finish(holder)).not.toBe('stale')
  })

  test('is refused when the holder finished meanwhile, and its answer stands', async () => {
    const { holder, act } = await ready(verb, `${verb}-finished`)
    const action = await act(() => finish(holder))
    expect(action).toMatchObject({ state: 'refused', result: { reason: 'gone' } })
    expect(await replay(`${verb}-finished`)).toEqual({ status: 201, body: '{"by":"holder"}' })
  })

  test('at the same time as a heartbeat, an end or a settlement: one of them wins, whole', async () => {
    for (let round = 0; round < 9; round++) {
      const key = `${verb}-race-${round}`
      const { holder, act } = await ready(verb, key)
      const returns = [
        () => fixture.store.heartbeat(holder, 60_000),
        () => finish(holder),
        () => settle(holder, `ch_${round}`),
      ]
      const [action] = await Promise.all([act(), (returns[round % 3] ?? returns[0])?.()])
      const late = await finish(holder)
      if (action.state === 'done') {
        // Shut out: what the operator wrote stays as it is.
        expect(late).toBe('stale')
        const now = await replay(key)
        if (verb === 'fail') expect(now).toMatchObject({ status: 410 })
        else if (verb === 'complete')
          expect(now).toMatchObject({ status: 201, body: expect.stringContaining('pay_') })
        else expect(['takeover', 'unknown']).toContain(now)
      } else {
        expect(action.state).toBe('refused')
        expect(await replay(key)).toEqual({ status: 201, body: '{"by":"holder"}' })
      }
    }
  })
})

test('a settlement that is under way is waited for: what it says is not overwritten by a failure', async () => {
  const { holder, act } = await ready('fail', 'fail-under-way')
  const settling = await fixture.service.connect()
  await settling.query('BEGIN')
  await settling.query(
    `UPDATE idem_step SET state = 'C', reference = 'ch_under_way', settled_at = clock_timestamp()
     WHERE key = idem_key_bytes('fail-under-way') AND fence = $1`,
    [holder.fence],
  )
  const failing = act()
  const waiting = () =>
    fixture.service
      .query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
      .then(({ rowCount }) => rowCount)
  await expect.poll(waiting).toBe(1)
  await settling.query('COMMIT')
  settling.release()
  expect(await failing).toMatchObject({ state: 'refused', result: { reason: 'steps_changed' } })
  const source = await fixture.console.db.prisma.source.findUniqueOrThrow({ where: { id: fixture.sourceId } })
  expect(source.lastError).toBeNull()
})

test('what the holder reports after a release stays with the key, and the next holder does not do it again', async () => {
  const { holder, act } = await ready('release', 'release-late')
  expect(await act()).toMatchObject({ state: 'done' })
  expect(await settle(holder, 'ch_late')).toBe(true)
  const next = await acquire(fixture, 'release-late')
  const step = {
    step: 'charge',
    name: 'stripe.charge',
    kind: 'http',
    providerKey: 'pk-x',
    leaseMs: 60_000,
  } as const
  expect(await fixture.store.beginEffect(next, step)).toMatchObject({
    kind: 'committed',
    reference: 'ch_late',
  })
})

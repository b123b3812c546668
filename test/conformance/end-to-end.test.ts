import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { getKey } from '@/lib/keys/get-key'
import { formatKeyId } from '@/lib/keys/key-id'
import { listKeys } from '@/lib/keys/list-keys'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { operateKey } from '@/lib/locks/verbs/operate-key'
import { settleUnknown } from '@/lib/locks/verbs/settle-unknown'
import { stageSystem } from '@/lib/reconcile/stage/stage'
import { saveSource } from '@/lib/sources/save'
import { CREDENTIALS_KEY, createFixture, type Fixture, REASON, SETTINGS } from '../locks/locks-fixture'
import { setSettings } from '../support/settings'
import { brandurLayout, type Layout, mappedLayout } from './fixtures'

setSettings({ IDEMSCOPE_KEY_SECRET: 'k'.repeat(32) })

/** A store that another library wrote, from the staging of its rows to the settling of an action on them. */
describe.each([
  { name: 'rocket-rides-atomic', create: brandurLayout },
  { name: 'mapped-postgres', create: mappedLayout },
])('$name', ({ create }) => {
  let fixture: Fixture
  let layout: Layout
  let operator: Context
  let sourceId: string
  beforeAll(async () => {
    fixture = await createFixture()
    layout = await create()
    operator = await fixture.as('operator')
    sourceId = await saveSource(
      fixture.system,
      { ...layout.source, name: 'foreign', system: 'payments', secret: { url: layout.url } },
      { credentialsKey: CREDENTIALS_KEY },
    )
  })
  afterAll(async () => {
    await fixture.close()
    await layout.close()
  })

  const stage = () => stageSystem(fixture.system, 'payments')
  const staged = async (key: string) =>
    (await listKeys(fixture.system, { source: sourceId, key }, { limit: 5 })).items.map(({ state }) => state)

  async function lockOf(key: string): Promise<LockView> {
    await checkLocks(fixture.system, sourceId, SETTINGS)
    const { items } = await listLocks(
      fixture.console.db,
      { source: sourceId, key },
      { limit: 1 },
      systemClock.now(),
    )
    const [lock] = items
    if (lock === undefined) throw new Error(`no lock of ${key}`)
    return lock
  }

  async function dead(key: string): Promise<LockView> {
    await layout.hold(key)
    await layout.kill(key)
    return lockOf(key)
  }

  const act = (verb: 'release' | 'complete', lock: LockView) =>
    operateKey(
      operator,
      verb,
      {
        sourceId: lock.source,
        scope: lock.scope,
        key: lock.key,
        seen: lock.version,
        reason: REASON,
        lockId: lock.id,
      },
      { settings: SETTINGS },
    )

  const charged = (key: string) =>
    fixture.stripe.paymentIntents.create({
      amount: 1050,
      currency: 'usd',
      confirm: true,
      payment_method: 'pm_card_visa',
      metadata: {
        idempotency_scope: layout.scope,
        idempotency_key: key,
        idempotency_step: 'charge',
        reference: 'o-1',
      },
    })

  const action = (id: string) => fixture.console.db.prisma.action.findUniqueOrThrow({ where: { id } })
  const age = (id: string) =>
    fixture.console.db.pool.query(
      `UPDATE action SET executed_at = executed_at - interval '5 minutes' WHERE id = $1`,
      [id],
    )

  test('its rows are staged with their states, and follow what happens to them', async () => {
    await layout.hold('e-live')
    await dead('e-dead')
    await layout.hold('e-done')
    await layout.finish('e-done')
    const outcome = await stage()
    expect(outcome).toMatchObject({ sides: { intent: 'complete' }, failures: [] })
    expect(await staged('e-live')).toEqual(['leased'])
    expect(await staged('e-dead')).toEqual(['lease_expired'])
    expect(await staged('e-done')).toEqual(['completed'])
    await layout.finish('e-live')
    await stage()
    expect(await staged('e-live')).toEqual(['completed'])
    const id = formatKeyId({ sourceId, scope: layout.scope, key: 'e-done' })
    expect(await getKey(fixture.system, id)).toMatchObject({ state: 'completed', response: { status: 201 } })
  })

  test('a dead key is released, one whose effect the provider has is completed; both are staged so', async () => {
    const free = await dead('e-free')
    expect(free.verdict).toBe('release')
    expect(await act('release', free)).toMatchObject({ state: 'done' })

    await charged('e-paid')
    const paid = await dead('e-paid')
    expect(paid.verdict).toBe('complete')
    expect(await act('release', paid)).toMatchObject({ state: 'refused', result: { reason: 'effect_found' } })
    expect(await act('complete', paid)).toMatchObject({ state: 'done' })
    await stage()
    expect(await staged('e-free')).toEqual(['retryable'])
    expect(await staged('e-paid')).toEqual(['completed'])
  })

  test('a connection cut over the write is unknown, and a reading settles that it was not applied', async () => {
    const lock = await dead('e-cut')
    await layout.db.query(`
      CREATE FUNCTION cut_here() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
      CREATE TRIGGER cut_here BEFORE UPDATE ON ${layout.live} FOR EACH ROW EXECUTE FUNCTION cut_here()`)
    const { id, state } = await act('release', lock)
    await layout.db.query(`DROP TRIGGER cut_here ON ${layout.live}; DROP FUNCTION cut_here()`)
    expect(state).toBe('unknown')
    await age(id)
    expect(await settleUnknown(fixture.system)).toEqual({ settled: 1, open: 0 })
    expect(await action(id)).toMatchObject({ state: 'failed', result: { settled: 'not_applied' } })
    expect(await act('release', await lockOf('e-cut'))).toMatchObject({ state: 'done' })
  })

  test('a process that died after its write: a reading settles that it was applied', async () => {
    await charged('e-died')
    for (const [verb, key] of [
      ['release', 'e-gone'],
      ['complete', 'e-died'],
    ] as const) {
      const { id } = await act(verb, await dead(key))
      await fixture.console.db.prisma.action.update({
        where: { id },
        data: { state: 'executing', finishedAt: null },
      })
      await age(id)
      expect(await settleUnknown(fixture.system)).toEqual({ settled: 1, open: 0 })
      expect(await action(id)).toMatchObject({ state: 'done' })
    }
  })
})

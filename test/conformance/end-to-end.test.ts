import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { getKey } from '@/lib/keys/get-key'
import { formatKeyId } from '@/lib/keys/key-id'
import { approveFail } from '@/lib/locks/fail/decide'
import type { LockView } from '@/lib/locks/list-locks'
import { settleUnknown } from '@/lib/locks/verbs/settle-unknown'
import { createFixture, type Fixture, SETTINGS } from '../locks/locks-fixture'
import { ownDynamo, ownHybrid, ownRedis } from '../sources/own/own-stores'
import { setSettings } from '../support/settings'
import { brandurLayout, mappedLayout } from './fixtures'
import { type Operated, operate } from './operated'
import { type OperatedLayout, onPostgres, ownStore } from './operated-layouts'

setSettings({ IDEMSCOPE_KEY_SECRET: 'k'.repeat(32) })

/** A store in the console, from the staging of its keys to the settling of an action on them. */
describe.each([
  { name: 'rocket-rides-atomic', create: () => onPostgres(brandurLayout) },
  { name: 'mapped-postgres', create: () => onPostgres(mappedLayout) },
  { name: 'native-redis', create: () => ownStore(ownRedis) },
  { name: 'native-dynamodb', create: () => ownStore(ownDynamo) },
  { name: 'native-hybrid', create: () => ownStore(ownHybrid) },
])('$name', ({ name, create }) => {
  let fixture: Fixture
  let layout: OperatedLayout
  let operated: Operated
  beforeAll(async () => {
    fixture = await createFixture()
    layout = await create()
    operated = await operate(fixture, layout.source, layout.scope)
  })
  afterAll(async () => {
    await fixture.close()
    await layout.close()
  })

  async function stage() {
    // A table is walked by the hour: here its last walk is forgotten, so that another one begins.
    if (name === 'native-dynamodb')
      await fixture.console.db.pool.query('DELETE FROM mirror.cursor WHERE source_id = $1', [
        operated.sourceId,
      ])
    return operated.stage()
  }
  async function dead(key: string): Promise<LockView> {
    await layout.hold(key)
    await layout.kill(key)
    return operated.lockOf(key)
  }

  test('its keys are staged with their states, and follow what happens to them', async () => {
    await layout.hold('e-live')
    await dead('e-dead')
    await layout.hold('e-done')
    await layout.finish('e-done')
    const outcome = await stage()
    expect(outcome).toMatchObject({ sides: { intent: 'complete' }, failures: [] })
    expect(await operated.staged('e-live')).toEqual(['leased'])
    expect(await operated.staged('e-dead')).toEqual(['lease_expired'])
    expect(await operated.staged('e-done')).toEqual(['completed'])
    await layout.finish('e-live')
    await stage()
    expect(await operated.staged('e-live')).toEqual(['completed'])
    const id = formatKeyId({ sourceId: operated.sourceId, scope: layout.scope, key: 'e-done' })
    expect(await getKey(fixture.system, id)).toMatchObject({ state: 'completed', response: { status: 201 } })
  })

  test('a dead key is released, one whose effect the provider has is completed; both are staged so', async () => {
    const free = await dead('e-free')
    expect(free.verdict).toBe('release')
    expect(await operated.act('release', free)).toMatchObject({ state: 'done' })

    await operated.charged('e-paid')
    const paid = await dead('e-paid')
    expect(paid.verdict).toBe('complete')
    expect(await operated.act('release', paid)).toMatchObject({
      state: 'refused',
      result: { reason: 'effect_found' },
    })
    expect(await operated.act('complete', paid)).toMatchObject({ state: 'done' })
    await stage()
    expect(await operated.staged('e-free')).toEqual(['retryable'])
    expect(await operated.staged('e-paid')).toEqual(['completed'])
  })

  test('a connection cut over the write is unknown, and a reading settles that it was not applied', async () => {
    const lock = await dead('e-cut')
    const mend = await layout.cut()
    const { id, state } = await operated.act('release', lock)
    await mend()
    expect(state).toBe('unknown')
    await operated.age(id)
    expect(await settleUnknown(fixture.system)).toEqual({ settled: 1, open: 0 })
    expect(await operated.action(id)).toMatchObject({ state: 'failed', result: { settled: 'not_applied' } })
    expect(await operated.act('release', await operated.lockOf('e-cut'))).toMatchObject({ state: 'done' })
  })

  test('a process that died after its write: a reading settles that it was applied', async () => {
    await operated.charged('e-died')
    for (const [verb, key] of [
      ['release', 'e-gone'],
      ['complete', 'e-died'],
    ] as const) {
      const { id } = await operated.act(verb, await dead(key))
      await fixture.console.db.prisma.action.update({
        where: { id },
        data: { state: 'executing', finishedAt: null },
      })
      await operated.age(id)
      expect(await settleUnknown(fixture.system)).toEqual({ settled: 1, open: 0 })
      expect(await operated.action(id)).toMatchObject({ state: 'done' })
    }
  })

  test('a key is failed by two people, and a retry is answered with the failure', async () => {
    if (!name.startsWith('native-')) return
    const lock = await dead('e-fail')
    const { id: actionId, state, evidenceHash, result } = await operated.act('fail', lock)
    expect([state, result]).toEqual(['proposed', {}])
    const approver = await fixture.as('approver')
    const approval = { actionId, evidenceHash: evidenceHash ?? '' }
    expect(await approveFail(approver, approval, { settings: SETTINGS })).toMatchObject({ state: 'done' })
    await stage()
    expect(await operated.staged('e-fail')).toEqual(['failed_final'])
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import type { Context } from '@/lib/context'
import type { HoldTarget } from '@/lib/core/hold-target'
import { liftHold } from '@/lib/locks/holds/lift-hold'
import { listHolds } from '@/lib/locks/holds/list-holds'
import { placeHold } from '@/lib/locks/holds/place-hold'
import type { IntentSource } from '@/lib/sources/contracts'
import { saveSource } from '@/lib/sources/save'
import { CREDENTIALS_KEY, createFixture, type Fixture } from '../../locks/locks-fixture'
import { actorsOn, OWN_STORES, type OwnStore, SCOPE } from './own-stores'

/** Holds are placed and lifted from the console, and every process of the service heeds them within the SDK's 2 s. */

const REASON = 'customers are charged twice'
/** What the SDK promises its service. */
const WITHIN_MS = 2_000

let fixture: Fixture
let operator: Context
beforeAll(async () => {
  fixture = await createFixture()
  operator = await fixture.as('operator')
})
afterAll(() => fixture.close())

describe.each(OWN_STORES)('$name', ({ name, create }) => {
  let own: OwnStore
  let sourceId: string
  let source: IntentSource
  beforeAll(async () => {
    own = await create()
    source = own.open()
    sourceId = await saveSource(
      fixture.system,
      { ...own.source, name, system: name },
      { credentialsKey: CREDENTIALS_KEY },
    )
    // A scope that the store has seen, and a process that reads holds from its first request on.
    await actorsOn(own, () => source).hold('seen')
    await own.store.holds?.refresh()
  })
  afterAll(async () => {
    await source.close()
    await own.close()
  })

  const place = (target: HoldTarget, over = {}) =>
    placeHold(operator, { source: sourceId, target, reason: REASON, ...over })
  const lift = (id: string) => liftHold(operator, { source: sourceId, id, reason: 'the provider is mended' })
  const held = async (key: string | null = null, scope = SCOPE) => {
    await own.store.holds?.refresh()
    return own.store.holds?.findExecutionHold(scope, key) ?? null
  }
  const within = { timeout: 20_000, interval: 20 }

  test.each<[string, HoldTarget, string | null]>([
    ['a route', { kind: 'route', route: 'POST /rides' }, null],
    ['a caller', { kind: 'caller', caller: '7' }, null],
    ['one key', { kind: 'key', scope: SCOPE, key: 'seen' }, 'seen'],
    ['the whole store', { kind: 'store' }, null],
  ])('%s is held and let go within 2 s', async (_what, target, key) => {
    const hold = await place(target)
    expect(hold).toMatchObject({
      target,
      inForce: true,
      reason: REASON,
      placedBy: 'operator',
      liftedAt: null,
    })
    expect(Math.abs(Date.parse(hold.endsAt) - Date.parse(hold.placedAt) - 1_800_000)).toBeLessThan(1_000)
    const placedMs = performance.now()
    await expect.poll(() => held(key), within).not.toBeNull()
    expect(performance.now() - placedMs).toBeLessThan(WITHIN_MS)
    expect((await held(key))?.leftMs).toBeGreaterThan(1_700_000)
    expect(await held('another', '8/GET /other')).toEqual(target.kind === 'store' ? expect.anything() : null)
    expect(await lift(hold.id)).toMatchObject({
      inForce: false,
      liftedBy: 'operator',
      liftReason: 'the provider is mended',
    })
    await expect.poll(() => held(key), within).toBeNull()
  })

  test('a step is held on every route, or on one', async () => {
    const find = async () => {
      await own.store.holds?.refresh()
      return [SCOPE, '7/POST /other'].map((scope) => own.store.holds?.findStepHold(scope, 'charge') !== null)
    }
    const everywhere = await place({ kind: 'step', step: 'charge', route: null })
    await expect.poll(find, within).toEqual([true, true])
    await lift(everywhere.id)
    const one = await place({ kind: 'step', step: 'charge', route: 'POST /rides' })
    await expect.poll(find, within).toEqual([true, false])
    await lift(one.id)
    await expect.poll(find, within).toEqual([false, false])
  })

  test('what is misspelt, too long or over is refused in words', async () => {
    await expect(place({ kind: 'route', route: 'POST /ride' })).rejects.toThrow(/never seen that route/)
    await expect(place({ kind: 'caller', caller: '77' })).rejects.toThrow(/never seen that caller/)
    await expect(place({ kind: 'key', scope: 'x/POST /y', key: 'k' })).rejects.toThrow(
      /never seen that scope/,
    )
    expect(
      await source.holds?.place({
        id: 'late',
        target: { kind: 'store' },
        reason: REASON,
        by: 'a',
        end: { at: new Date(0) },
      }),
    ).toBe('past')
    expect(
      await source.holds?.place({
        id: 'long',
        target: { kind: 'store' },
        reason: REASON,
        by: 'a',
        end: { lastsMs: 90_000_000 },
      }),
    ).toBe('too_long')
    expect(await source.holds?.lift('nobody', { reason: REASON, by: 'a' })).toBe('unknown')
    expect(await source.holds?.targets(10)).toEqual({ routes: ['POST /rides'], callers: ['7'] })
  })

  test('the same one twice is one; another under its id is refused; lifted twice is lifted', async () => {
    const terms = {
      id: 'once',
      target: { kind: 'store' } as const,
      reason: REASON,
      by: 'a',
      end: { lastsMs: 60_000 },
    }
    expect(await source.holds?.place(terms)).toBe('placed')
    expect(await source.holds?.place(terms)).toBe('placed')
    expect(await source.holds?.place({ ...terms, reason: 'something else is wrong' })).toBe('id_used')
    expect(await source.holds?.lift('once', { reason: REASON, by: 'b' })).toBe('lifted')
    expect(await source.holds?.lift('once', { reason: REASON, by: 'b' })).toBe('ended')
    expect(await source.holds?.read('once')).toMatchObject({
      inForce: false,
      liftedBy: 'b',
      liftReason: REASON,
    })
  })

  test('they are listed page by page, the newest first', async () => {
    const ids = []
    for (let n = 0; n < 3; n++) ids.unshift((await place({ kind: 'store' })).id)
    const first = await listHolds(fixture.system, { source: sourceId, inForce: true }, { limit: 2 })
    const second = await listHolds(
      fixture.system,
      { source: sourceId, inForce: true },
      { limit: 2, cursor: first.next ?? '' },
    )
    // DynamoDB's clock has whole seconds: within one, they are in the order of their ids.
    expect([...first.items, ...second.items].map(({ id }) => id).sort()).toEqual([...ids].sort())
    if (name !== 'dynamodb') expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 2))
    for (const id of ids) await lift(id)
    const ended = await listHolds(fixture.system, { source: sourceId, inForce: false }, { limit: 50 })
    expect(ended.items.map(({ id }) => id)).toEqual(expect.arrayContaining(ids))
  })

  test('a hold is placed although writes are switched off, and lifted only when they are on', async () => {
    const admin = await fixture.as('admin')
    await setKillSwitch(admin, { on: true, reason: 'an incident is running' })
    const hold = await place({ kind: 'store' })
    await expect(lift(hold.id)).rejects.toMatchObject({ code: 'kill_switch' })
    await setKillSwitch(admin, { on: false, reason: 'the incident is over' })
    expect(await lift(hold.id)).toMatchObject({ inForce: false })
  })
})

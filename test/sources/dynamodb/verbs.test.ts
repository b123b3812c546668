import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { IntentSource } from '@/lib/sources/contracts'
import { leaseOf, startTables, type Tables } from './fixture'
import { type Call, type Powertools, usePowertools } from './powertools'

/** Verbs on items of the real library, against the library itself: its next request, and a holder that comes back. */

let tables: Tables
let library: Powertools
let source: IntentSource
const table = 'verbs'
const scope = 'pay/POST /payments'
const options = { actionId: 'act_1', graceMs: 0 }
const response = { status: 201, headers: {}, body: '{"id":"ch_console"}' }
const VERBS = ['release', 'complete'] as const

beforeAll(async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  tables = await startTables()
  await tables.create(table, 'id')
  library = usePowertools(tables, table)
  source = tables.open({
    table,
    endpoint: 'POST /payments',
    layout: { library: 'powertools-typescript', returns: 'value' },
    providerKeyed: true,
  })
})
afterAll(async () => {
  vi.restoreAllMocks()
  await source.close()
  await tables.close()
})

const key = (caller: string) => library.hashOf(caller)
const times = (caller: string) => library.executed.filter((each) => each === caller).length

/** A holder that seems dead, and its lease as the console saw it. */
async function dead(caller: string) {
  const held = await library.hold(caller)
  await library.kill(caller)
  return { held, lease: await leaseOf(source, scope, key(caller)) }
}

describe('release', () => {
  test('a living holder is never released, nor one whose lease passed within the grace', async () => {
    await library.hold('alive')
    const alive = await leaseOf(source, scope, key('alive'))
    const refusal = { kind: 'refused', reason: 'holder_alive' }
    expect(await source.release(alive.seen, options)).toMatchObject(refusal)
    const { lease } = await dead('grace')
    expect(await source.release(lease.seen, { ...options, graceMs: 3_600_000 })).toMatchObject(refusal)
  })

  test('expires the lease and deletes nothing: the library’s next request executes', async () => {
    const { lease } = await dead('released')
    const before = await library.itemOf('released')
    expect(await source.release(lease.seen, options)).toMatchObject({ kind: 'done' })
    expect(await library.itemOf('released')).toEqual({ ...before, in_progress_expiration: { N: '0' } })
    expect(await leaseOf(source, scope, key('released'))).toMatchObject({
      state: 'retryable',
      fence: lease.fence,
      createdAt: lease.createdAt,
    })
    const next = await library.hold('released')
    next.succeed({ id: 'ch_next' })
    expect(await next.answer).toEqual({ id: 'ch_next' })
    expect(times('released')).toBe(2)
  })

  test('a lease far ahead of the store’s clock is dead only to who has watched it', async () => {
    await library.hold('ahead')
    const ahead = Math.floor(Date.now() / 1_000) + 7_200 + 3_600
    await tables.set(table, library.placeOf('ahead'), 'expiration', { N: String(ahead) })
    const lease = await leaseOf(source, scope, key('ahead'))
    expect(await source.release(lease.seen, options)).toMatchObject({ reason: 'holder_alive' })
    expect(await source.release(lease.seen, { ...options, aheadMs: 5_000 })).toMatchObject({ kind: 'done' })
  })
})

describe('complete', () => {
  test('the library replays what was written, without executing', async () => {
    const { lease } = await dead('completed')
    expect(await source.complete(lease.seen, { ...options, response })).toMatchObject({ kind: 'done' })
    const again = library.call('completed')
    expect(await again.answer).toEqual({ id: 'ch_console' })
    expect(times('completed')).toBe(1)
    const { record } = await source.readKey(scope, key('completed'))
    expect(record).toMatchObject({ state: 'completed', expired: false, names: ['ch_console'] })
    // As long as the library keeps it, from now on.
    expect(Math.abs((record?.expiresAt.getTime() ?? 0) - Date.now() - 3_600_000)).toBeLessThan(60_000)
  })

  test('what the function returns must be known, and a failure cannot be stored', async () => {
    const blind = tables.open({ table, layout: { library: 'powertools-typescript' } })
    expect(blind.capabilities).toMatchObject({ canRelease: true, canComplete: false, canFail: false })
    expect(blind.capabilities.reasons?.complete).toContain('layout.returns')
    const { lease } = await dead('blind')
    await expect(blind.complete(lease.seen, { ...options, response })).rejects.toMatchObject({
      fault: 'permission',
      refused: true,
    })
    await expect(source.fail(lease.seen, { ...options, response })).rejects.toMatchObject({ refused: true })
    await expect(
      source.complete(lease.seen, { ...options, response: { ...response, body: 'no JSON' } }),
    ).rejects.toMatchObject({ refused: true })
    await blind.close()
  })
})

describe.each(VERBS)('between look and %s', (verb) => {
  const act = (lease: Awaited<ReturnType<typeof leaseOf>>) =>
    source[verb](lease.seen, { ...options, response })

  test.each<[string, (caller: string, held: Call) => Promise<unknown>]>([
    ['the holder ends', (_, held) => held.end({ id: 'ch_1' })],
    ['the holder fails', (_, held) => held.end('fails')],
    ['another takes it over', (caller) => library.hold(caller)],
    [
      'one millisecond',
      (caller) =>
        tables.set(table, library.placeOf(caller), 'in_progress_expiration', {
          N: String(Date.now() - 299_999),
        }),
    ],
    [
      'its expiry alone',
      (caller) =>
        tables.set(table, library.placeOf(caller), 'expiration', {
          N: String(Math.floor(Date.now() / 1_000) + 3_700),
        }),
    ],
  ])('%s: refused, and the item is as they left it', async (what, happens) => {
    const caller = `${verb} ${what}`
    const { held, lease } = await dead(caller)
    await happens(caller, held)
    const before = await library.itemOf(caller)
    expect(await act(lease)).toMatchObject({ kind: 'refused' })
    expect(await library.itemOf(caller)).toEqual(before)
  })

  test('two operators at once: one is told done', async () => {
    const { lease } = await dead(`two ${verb}`)
    const outcomes = await Promise.all([act(lease), act(lease)])
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['done', 'refused'])
  })

  test('the holder and the operator at once: whoever is second is refused or is seen to have written', async () => {
    for (let round = 0; round < 6; round++) {
      const caller = `race ${verb} ${round}`
      const { held, lease } = await dead(caller)
      held.succeed({ id: 'ch_holder' })
      const [, outcome] = await Promise.all([held.answer, act(lease)])
      const { record } = await source.readKey(scope, key(caller))
      // The library compares nothing: the holder's result stands in the end unless the console's came after it, and that is refused.
      expect(record?.names, outcome.kind).toEqual(['ch_holder'])
    }
  })

  test('a lost answer is not known, is not sent twice, and a look settles it', async () => {
    const { lease } = await dead(`lost ${verb}`)
    const sent = tables.calls('UpdateItem')
    tables.breakNext('UpdateItem', 'lose')
    await expect(act(lease)).rejects.toMatchObject({ name: 'SourceUnavailableError', refused: false })
    expect(tables.calls('UpdateItem')).toBe(sent + 1)
    const { lease: after, record } = await source.readKey(scope, key(`lost ${verb}`))
    expect(verb === 'release' ? after?.state : record?.state).toBe(
      verb === 'release' ? 'retryable' : 'completed',
    )
  })

  test('a throttled write is refused whole', async () => {
    const { lease } = await dead(`throttled ${verb}`)
    tables.breakNext('UpdateItem', 'throttle')
    await expect(act(lease)).rejects.toMatchObject({ fault: 'overloaded', refused: true })
    expect((await leaseOf(source, scope, key(`throttled ${verb}`))).version).toBe(lease.version)
  })
})

describe('a holder that comes back after a release, as the dialog says', () => {
  const released = async (caller: string) => {
    const { held, lease } = await dead(caller)
    expect(await source.release(lease.seen, options)).toMatchObject({ kind: 'done' })
    return held
  }

  test('its result is written over that of the next one', async () => {
    const first = await released('zombie 1')
    const second = await library.hold('zombie 1')
    second.succeed({ id: 'ch_second' })
    await second.answer
    first.succeed({ id: 'ch_first' })
    await first.answer
    expect((await source.readKey(scope, key('zombie 1'))).record?.names).toEqual(['ch_first'])
  })

  test.each(['running', 'done'])(
    'it fails while the next one is %s: the record goes, a third executes',
    async (when) => {
      const caller = `zombie ${when}`
      const first = await released(caller)
      const second = await library.hold(caller)
      if (when === 'done') {
        second.succeed({ id: 'ch_second' })
        await second.answer
      }
      first.fail()
      await first.answer.catch(() => undefined)
      expect(await source.readKey(scope, key(caller))).toMatchObject({ lease: null, record: null })
      await library.hold(caller)
      expect(times(caller)).toBe(3)
    },
  )

  test('what the console completed goes as well when the holder fails later', async () => {
    const { held, lease } = await dead('zombie completed')
    await source.complete(lease.seen, { ...options, response })
    held.fail()
    await held.answer.catch(() => undefined)
    expect(await source.readKey(scope, key('zombie completed'))).toMatchObject({ lease: null, record: null })
  })

  test('the capability says it', () => {
    expect(source.capabilities).toMatchObject({ zombieSafe: false, casStrength: 'value', canCollect: false })
    expect(source.capabilities.reasons?.zombie).toMatch(
      /writes over the record of the next one.*a third request executes/,
    )
  })
})

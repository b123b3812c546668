import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { whatHappened } from '@/lib/locks/verbs/settle-unknown'
import type { IntentSource, LeaseRow } from '@/lib/sources/contracts'
import type { Holder } from '@/sdk/stores/store'
import { actorsOn, OWN_STORES, type OwnStore, SCOPE } from './own-stores'

/** Each verb is one compare-and-set, which the SDK's own store respects: its holders, its takeovers, its replays. */

const OPTIONS = { actionId: 'act_1', graceMs: 0 }
const RESPONSE = { status: 201, headers: { 'x-a': '1' }, body: '{"id":"ride_9"}' }
const VERBS = ['release', 'complete', 'fail'] as const
type Verb = (typeof VERBS)[number]

describe.each(OWN_STORES)('$name', ({ create }) => {
  let own: OwnStore
  let source: IntentSource
  let actors: ReturnType<typeof actorsOn>
  beforeAll(async () => {
    own = await create()
    source = own.open()
    actors = actorsOn(own, () => source)
  })
  afterAll(async () => {
    await source.close()
    await own.close()
  })

  const act = (verb: Verb, { seen }: Pick<LeaseRow, 'seen'>, over = {}, on = source) =>
    on[verb](seen, {
      ...{ ...OPTIONS, ...over },
      response: verb === 'fail' ? { ...RESPONSE, status: 502 } : RESPONSE,
    })

  test('a released key is taken over with its steps, and its old holder is shut out', async () => {
    const holder = await actors.hold('free')
    await actors.begin(holder)
    await own.store.settleEffect(holder, 'charge', {
      ...{ state: 'committed', reference: 'ch_1', amountMinor: 5n, currency: 'usd', result: { id: 'ch_1' } },
    })
    await own.kill('free')
    expect(await act('release', await actors.leaseOf('free'))).toMatchObject({ kind: 'done' })
    const free = await actors.leaseOf('free')
    expect(free).toMatchObject({ state: 'retryable', owner: 'idemscope:act_1' })
    expect(free.fence).toBeGreaterThan(holder.fence)
    expect(await actors.comesBack(holder)).toEqual([])
    expect((await actors.leaseOf('free')).version).toBe(free.version)
    const next = await own.store.acquire(actors.requestOf('free'))
    expect(next).toMatchObject({ kind: 'takeover', attempt: 2, recoveryPoint: 'charge' })
    expect(next).toMatchObject({ steps: [{ step: 'charge', state: 'committed', result: { id: 'ch_1' } }] })
  })

  test.each(['complete', 'fail'] as const)(
    '%s: a retry is answered with it, and the old holder is shut out',
    async (verb) => {
      const key = `ended by ${verb}`
      const holder = await actors.hold(key)
      await actors.begin(holder)
      await own.kill(key)
      const lease = await actors.leaseOf(key)
      const settled = [{ step: 'charge', reference: 'ch_9', amountMinor: 1050n, currency: 'USD' }]
      const response = verb === 'fail' ? { ...RESPONSE, status: 502 } : RESPONSE
      expect(await source[verb](lease.seen, { ...OPTIONS, response, settled })).toMatchObject({
        kind: 'done',
      })
      expect(await actors.comesBack(holder)).toEqual([])
      const replay = await own.store.acquire(actors.requestOf(key))
      expect(replay).toMatchObject({
        kind: 'replay',
        state: verb === 'fail' ? 'failed_final' : 'completed',
        status: response.status,
        headers: [['x-a', '1']],
        traceId: 'ab'.repeat(16),
      })
      expect('body' in replay && Buffer.from(replay.body).toString()).toBe(RESPONSE.body)
      const { record } = await source.readKey(SCOPE, key)
      expect(record?.createdAtText).toBe(lease.seen.createdAt)
      expect(record?.fence).toBeGreaterThan(holder.fence)
      if (verb === 'complete')
        expect(record?.effects).toMatchObject([
          {
            step: 'charge',
            state: 'committed',
            reference: 'ch_9',
            amountMinor: 1050n,
            currency: 'USD',
            providerKey: `pk-${key}-charge`,
          },
        ])
      expect((record?.expiresAt.getTime() ?? 0) - Date.now()).toBeGreaterThan(3_500_000)
      const mismatch = { ...actors.requestOf(key), fingerprint: Buffer.alloc(16, 7) }
      expect((await own.store.acquire(mismatch)).kind).toBe('mismatch')
    },
  )

  test('retryable and unknown keys are ended too', async () => {
    for (const verb of VERBS) {
      const doubtful = await actors.hold(`unknown ${verb}`)
      await actors.begin(doubtful)
      expect(await own.store.abandon(doubtful)).toBe('unknown')
      expect(await act(verb, await actors.leaseOf(`unknown ${verb}`))).toMatchObject({ kind: 'done' })
      await own.store.abandon(await actors.hold(`thrown ${verb}`))
      expect(await act(verb, await actors.leaseOf(`thrown ${verb}`))).toMatchObject({ kind: 'done' })
    }
    expect((await own.store.acquire(actors.requestOf('unknown release'))).kind).toBe('takeover')
    expect((await own.store.acquire(actors.requestOf('thrown complete'))).kind).toBe('replay')
  })

  test('a living holder is never touched, nor one within the grace', async () => {
    await actors.hold('alive')
    const alive = await actors.leaseOf('alive')
    const { lease } = await actors.dead('within')
    for (const verb of VERBS) {
      expect(await act(verb, alive)).toMatchObject({ kind: 'refused', reason: 'holder_alive' })
      expect(await act(verb, lease, { graceMs: 3_600_000 })).toMatchObject({ reason: 'holder_alive' })
    }
    expect((await actors.leaseOf('alive')).version).toBe(alive.version)
  })

  test('a holder that was watched to be silent may be ahead of the store’s clock', async () => {
    await actors.hold('ahead')
    const lease = await actors.leaseOf('ahead')
    // Its stamps lie more than −1 h ahead of now: as if the clock had gone back by that.
    expect(await act('release', lease, { aheadMs: -3_600_000 })).toMatchObject({ kind: 'done' })
  })

  describe.each(VERBS)('%s', (verb) => {
    test.each<[string, string, (holder: Holder) => Promise<unknown>]>([
      ['completes', 'gone', (holder) => actors.finish(holder)],
      ['says that it lives', 'holder_alive', (holder) => own.store.heartbeat(holder, 60_000)],
      ['abandons', 'state_changed', (holder) => own.store.abandon(holder)],
      ['begins a step', 'holder_alive', (holder) => actors.begin(holder)],
      ['is taken over', 'fence_changed', ({ key }) => own.store.acquire(actors.requestOf(key))],
    ])(
      'a holder that %s between check and set → %s, and the key is as it left it',
      async (what, reason, comes) => {
        const key = `${verb} ${what}`
        const { holder, lease } = await actors.dead(key)
        await comes(holder)
        const before = await own.raw(key)
        expect(await act(verb, lease)).toMatchObject({ kind: 'refused', reason })
        expect(await own.raw(key)).toEqual(before)
      },
    )

    test('an effect that is settled between check and set is not lost', async () => {
      const key = `${verb} settled`
      const holder = await actors.hold(key)
      await actors.begin(holder)
      await own.kill(key)
      const lease = await actors.leaseOf(key)
      await own.store.settleEffect(holder, 'charge', {
        ...{ state: 'committed', reference: 'ch_5', amountMinor: 5n, currency: 'usd', result: null },
      })
      expect(await act(verb, lease)).toMatchObject({ kind: 'refused', reason: 'steps_changed' })
      expect((await actors.leaseOf(key)).effects).toMatchObject([{ reference: 'ch_5' }])
    })

    test('holder and operator at once: exactly one wins, and both know it', async () => {
      for (let round = 0; round < 12; round++) {
        const key = `${verb} race ${round}`
        const { holder, lease } = await actors.dead(key)
        const [finished, outcome] = await Promise.all([actors.finish(holder), act(verb, lease)])
        expect([finished !== 'stale', outcome.kind === 'done'].filter(Boolean), key).toHaveLength(1)
        const answer = await own.store.acquire(actors.requestOf(key))
        if (outcome.kind !== 'done')
          expect(answer).toMatchObject({
            kind: 'replay',
            status: 201,
            headers: [['content-type', 'application/json']],
          })
        else expect(answer.kind).toBe(verb === 'release' ? 'takeover' : 'replay')
      }
    })

    test('a takeover and an operator at once: one wins', async () => {
      for (let round = 0; round < 8; round++) {
        const key = `${verb} takeover ${round}`
        const { lease } = await actors.dead(key)
        const [acquired, outcome] = await Promise.all([
          own.store.acquire(actors.requestOf(key)),
          act(verb, lease),
        ])
        // A release that came first lets the request in all the same.
        if (verb === 'release') expect(acquired.kind).toBe('takeover')
        else expect(acquired.kind).toBe(outcome.kind === 'done' ? 'replay' : 'takeover')
        if (outcome.kind === 'refused') expect(acquired).toMatchObject({ kind: 'takeover', attempt: 2 })
      }
    })

    test('two operators at once: one is told done', async () => {
      const another = own.open()
      for (let round = 0; round < 6; round++) {
        const { lease } = await actors.dead(`${verb} two ${round}`)
        const outcomes = await Promise.all([
          act(verb, lease, { actionId: 'act_a' }),
          act(verb, lease, { actionId: 'act_b' }, another),
        ])
        expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['done', 'refused'])
      }
      await another.close()
    })

    test('an answer that was lost is an error, and a reading settles that it was applied', async () => {
      const key = `${verb} lost`
      const { lease } = await actors.dead(key)
      const mend = await own.breakNextChange('after')
      await expect(act(verb, lease)).rejects.toMatchObject({ name: 'SourceUnavailableError', refused: false })
      mend()
      const action = {
        id: OPTIONS.actionId,
        kind: verb,
        seen: { version: `0.${'0'.repeat(24)}.x` },
        evidence: {
          lease: { ...lease.seen, owner: lease.owner },
          response: { ...RESPONSE, status: verb === 'fail' ? 502 : 201 },
        },
      }
      expect(whatHappened(action, await source.readKey(SCOPE, key), source.capabilities)).toMatchObject({
        state: 'done',
        result: { settled: 'applied' },
      })
    })
  })

  test('the next fence is above every earlier one, whoever gave it', async () => {
    let last = 0n
    for (let round = 0; round < 4; round++) {
      const { holder } = await actors.dead('rising')
      expect(holder.fence).toBeGreaterThan(last)
      await act('release', await actors.leaseOf('rising'))
      last = (await actors.leaseOf('rising')).fence
      expect(last).toBeGreaterThan(holder.fence)
    }
  })
})

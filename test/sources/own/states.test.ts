import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IntentSource } from '@/lib/sources/contracts'
import { explainCapabilities } from '@/lib/sources/explain-capabilities'
import { okResponse } from '../../sdk/support'
import { actorsOn, allRecords, OWN_STORES, type OwnStore, SCOPE } from './own-stores'

/** What the SDK's own stores write, in every state, and what the console makes of it. */
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
  const read = (key: string) => source.readKey(SCOPE, key)

  test('an absent key is absent, whatever its name', async () => {
    for (const key of ['nobody', "o'hara", '\\', 'ключ', 'a:b:c', 'x'.repeat(255)])
      expect(await read(key)).toMatchObject({ lease: null, record: null })
    expect(await source.readKey('not a scope', 'nobody')).toMatchObject({ lease: null, record: null })
  })

  test('a held key is a lease, with its fence, its nonce and its steps', async () => {
    for (const key of ['held', 'ключ:1', 'a/b c']) {
      const holder = await actors.hold(key)
      const lease = await actors.leaseOf(key)
      expect(lease).toMatchObject({
        scope: SCOPE,
        key,
        state: 'leased',
        expired: false,
        fence: holder.fence,
        owner: 'worker-1',
        attempts: 1,
        tier: 'default',
        step: null,
        traceId: 'ab'.repeat(16),
        fingerprint: '01'.repeat(16),
        overdue: false,
        effects: [],
      })
      if (own.source.adapter !== 'native-hybrid') expect(lease.nonce).toMatch(/\S{8}/)
      expect(lease.leaseUntil.getTime() - lease.createdAt.getTime()).toBeGreaterThan(59_000)
      const { leases, truncated } = await source.readLeases({ limit: 1_000 })
      expect(leases.find((each) => each.key === key)?.version).toBe(lease.version)
      expect(truncated).toBe(false)
    }
    expect(await source.readLeases({ limit: 0 })).toMatchObject({ truncated: true, leases: [] })
  })

  test('steps are shown as they stand; one that failed after an unknown end may have happened', async () => {
    const holder = await actors.hold('steps')
    await actors.begin(holder)
    await own.store.settleEffect(holder, 'charge', {
      ...{ state: 'committed', reference: 'ch_1', amountMinor: 9_007_199_254_740_993n, currency: 'usd' },
      result: { id: 'ch_1' },
    })
    await own.store.checkpoint(holder, 'priced', { total: 5 })
    await actors.begin(holder, 'mail')
    await own.store.settleEffect(holder, 'mail', { state: 'failed' })
    await actors.begin(holder, 'ship')
    const lease = await actors.leaseOf('steps')
    expect(lease.step).toBe('ship')
    expect(lease.effects).toMatchObject([
      {
        ...{
          step: 'charge',
          name: 'stripe.charge',
          kind: 'http',
          state: 'committed',
          providerKey: 'pk-steps-charge',
        },
        ...{
          reference: 'ch_1',
          amountMinor: 9_007_199_254_740_993n,
          currency: 'USD',
          result: { id: 'ch_1' },
        },
      },
      { step: 'mail', state: 'failed', reference: null },
      { step: 'ship', state: 'begun', settledAt: null },
    ])
    expect(lease.effects[0]?.settledAt?.getTime()).toBeGreaterThanOrEqual(
      lease.effects[0]?.begunAt.getTime() ?? 0,
    )
  })

  test('expired, retryable and unknown are told apart; what was given back is absent', async () => {
    expect((await actors.dead('expired')).lease).toMatchObject({ state: 'leased', expired: true })
    expect(await own.store.abandon(await actors.hold('thrown'))).toBe('retryable')
    expect(await actors.leaseOf('thrown')).toMatchObject({ state: 'retryable' })
    const doubtful = await actors.hold('doubtful')
    await actors.begin(doubtful)
    expect(await own.store.abandon(doubtful)).toBe('unknown')
    expect(await actors.leaseOf('doubtful')).toMatchObject({
      state: 'unknown',
      effects: [{ state: 'begun' }],
    })
    expect(await own.store.giveBack(await actors.hold('returned'))).toBe('absent')
    expect(await read('returned')).toMatchObject({ lease: null, record: null })
    const { leases } = await source.readLeases({ limit: 1_000 })
    expect(leases.map(({ key }) => key)).not.toContain('returned')
    expect(leases.map(({ key }) => key)).toEqual(expect.arrayContaining(['expired', 'thrown', 'doubtful']))
  })

  test('a finished key is a record with its response and its effects', async () => {
    const holder = await actors.hold('done')
    await actors.begin(holder)
    await own.store.settleEffect(holder, 'charge', {
      ...{ state: 'committed', reference: 'ch_2', amountMinor: 1050n, currency: 'usd', result: null },
    })
    const { createdAt } = await actors.leaseOf('done')
    await actors.finish(holder, '{"id":"ride_1","reference":"o-1"}')
    const { lease, record } = await read('done')
    expect(lease).toBeNull()
    expect(record).toMatchObject({
      ...{ state: 'completed', status: 201, fence: holder.fence, attempts: 1, tier: 'default', createdAt },
      ...{ names: ['ride_1'], reference: 'o-1', traceId: 'ab'.repeat(16), expired: false },
      effects: [
        { step: 'charge', state: 'committed', reference: 'ch_2', amountMinor: 1050n, currency: 'USD' },
      ],
      response: {
        status: 201,
        headers: { 'content-type': 'application/json' },
        body: '{"id":"ride_1","reference":"o-1"}',
      },
    })
    expect((record?.expiresAt.getTime() ?? 0) - (record?.completedAt.getTime() ?? 0)).toBe(3_600_000)
    const failed = await actors.hold('failed')
    await own.store.complete(failed, { ...okResponse('{}'), status: 502 })
    expect((await read('failed')).record).toMatchObject({ state: 'failed_final', status: 502, effects: [] })
  })

  test('a body is read whole however large, and searched for names only where it is small', async () => {
    const body = JSON.stringify({ id: 'ride_large', filler: 'x'.repeat(200_000) })
    await actors.finish(await actors.hold('large'), body)
    const { record } = await read('large')
    expect(record?.response.body.length).toBe(body.length)
    const found = (await allRecords(source, null, 50)).items.find(({ key }) => key === 'large')
    expect(found).toMatchObject({ state: 'completed', status: 201, names: [] })
  })

  test('records are read in pages, and those that finish later are followed', async () => {
    const late = await actors.hold('late')
    for (let n = 0; n < 5; n++) await actors.finish(await actors.hold(`page-${n}`))
    const first = await allRecords(source)
    const keys = first.items.map(({ key }) => key)
    expect(keys).toEqual(expect.arrayContaining([0, 1, 2, 3, 4].map((n) => `page-${n}`)))
    expect(keys).not.toContain('late')
    expect(first.items.find(({ key }) => key === 'page-1')?.createdAtText).toBe(
      (await read('page-1')).record?.createdAtText,
    )
    await actors.finish(late)
    // Of a table the next walk comes later.
    const from = own.source.adapter === 'native-dynamodb' ? null : first.cursor
    const second = await allRecords(source, from)
    expect(second.items.map(({ key }) => key)).toContain('late')
  })

  test('says what may be done, how it is read, and what a crash forgets', async () => {
    await source.readLeases({ limit: 1 })
    const { capabilities } = source
    expect(capabilities).toMatchObject({
      ...{ canRelease: true, canComplete: true, canFail: true, canHold: true, casStrength: 'token' },
      ...{ zombieSafe: true, recordsEffects: true, providerKeyed: true },
    })
    const said = explainCapabilities(capabilities)?.map(({ name, offered }) => [name, offered])
    expect(said).toEqual(
      expect.arrayContaining([
        ['Hold', true],
        ['Zombie-safe', true],
        ['Release', true],
      ]),
    )
    const [sample] = await source.sample()
    expect(sample?.tier).toBe(own.source.adapter === 'native-dynamodb' ? 'all' : 'default')
    expect(sample?.rows).toBeGreaterThan(0n)
  })
})

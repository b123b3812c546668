import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { DynamoStore } from '@/sdk/stores/dynamodb'
import type { AcquireRequest, Holder } from '@/sdk/stores/store'
import { beginning, committed } from '../conformance/harness'
import { acquireRequest, holderOf, okResponse } from '../support'
import type { Line, Seen } from './emulator'
import { ageLease, createDynamoFixture, type DynamoFixture } from './fixture'

let fixture: DynamoFixture
let line: Line
let serial = 0
beforeAll(async () => {
  fixture = await createDynamoFixture()
  line = await fixture.emulator.openLine()
})
afterAll(() => fixture.close())

const isUpdate = ({ operation, body }: Seen) =>
  operation === 'UpdateItem' && (body.Key as { pk: { S: string } }).pk.S.startsWith('k#')

/** What each verb does with a key that a holder has, and what it answers with nothing lost. */
const VERBS: Record<string, { first?: Verb; say: Verb; answer: unknown }> = {
  heartbeat: { say: (store, holder) => store.heartbeat(holder, 20_000), answer: true },
  complete: {
    say: (store, holder) => store.complete(holder, okResponse()),
    answer: { createdAt: expect.any(Date), expiresAt: expect.any(Date) },
  },
  'give back': { say: (store, holder) => store.giveBack(holder), answer: 'absent' },
  'give back with steps': {
    first: (store, holder) => store.checkpoint(holder, 'point', null),
    say: (store, holder) => store.giveBack(holder),
    answer: 'retryable',
  },
  abandon: { say: (store, holder) => store.abandon(holder), answer: 'retryable' },
  'abandon after an effect': {
    first: (store, holder) => store.beginEffect(holder, beginning()),
    say: (store, holder) => store.abandon(holder),
    answer: 'unknown',
  },
  'begin an effect': {
    say: (store, holder) => store.beginEffect(holder, beginning()),
    answer: { kind: 'begun', providerKey: 'p' },
  },
  'begin it again': {
    first: async (store, holder) => {
      await store.beginEffect(holder, beginning())
      await store.settleEffect(holder, 'charge', { state: 'unknown' })
    },
    say: (store, holder) => store.beginEffect(holder, beginning()),
    answer: { kind: 'begun', providerKey: 'p' },
  },
  checkpoint: { say: (store, holder) => store.checkpoint(holder, 'point', { a: 1 }), answer: true },
  ...Object.fromEntries(
    [committed(), { state: 'failed' }, { state: 'unknown' }, { state: 'not_called' }].map((end) => [
      `settle as ${end.state}`,
      {
        first: (store: DynamoStore, holder: Holder) => store.beginEffect(holder, beginning()),
        say: (store: DynamoStore, holder: Holder) => store.settleEffect(holder, 'charge', end as never),
        answer: true,
      },
    ]),
  ),
}
type Verb = (store: DynamoStore, holder: Holder) => Promise<unknown>

describe.each([
  ['the client repeats it', 3],
  ['the store repeats it, since the client does not', 1],
])('a reply is lost and %s', (_, maxAttempts) => {
  let store: DynamoStore
  let request: AcquireRequest
  beforeAll(() => {
    store = fixture.openStore({ client: line.newClient({ maxAttempts }) })
  })
  beforeEach(() => {
    request = acquireRequest(`key-${++serial}`)
  })

  it.each(Object.entries(VERBS))(
    '%s answers as if nothing had happened',
    async (_name, { first, say, answer }) => {
      const holder = holderOf(request, await store.acquire(request))
      await first?.(store, holder)
      const before = line.broken()
      line.breakNext('lose', isUpdate)
      expect(await say(store, holder)).toEqual(answer)
      expect(line.broken() - before).toBe(1)
    },
  )

  it('an acquire goes on, once, with one fence; another one is told that it is in progress', async () => {
    line.breakNext('lose', isUpdate)
    const acquired = await store.acquire(request)
    expect(acquired).toMatchObject({ kind: 'acquired', attempt: 1 })
    const { fence } = holderOf(request, acquired)
    expect(await store.acquire(request)).toMatchObject({ kind: 'in_progress', attempt: 1, fence })
    expect((await fixture.item(request))?.f?.N).toBe(String(fence))
  })

  it.each([0, 1])('a takeover goes on, once, when reply %i is lost', async (at) => {
    const holder = holderOf(request, await store.acquire(request))
    await store.checkpoint(holder, 'priced', { cents: 5 })
    await ageLease(fixture, request, 60_000)
    let updates = 0
    line.breakNext('lose', (seen) => isUpdate(seen) && updates++ === at)
    const taken = await store.acquire(request)
    expect(taken).toMatchObject({
      kind: 'takeover',
      attempt: 2,
      steps: [{ step: 'priced', result: { cents: 5 } }],
    })
    expect(await store.complete(holder, okResponse())).toBe('stale')
    expect((await fixture.item(request))?.n?.N).toBe('2')
  })

  it('a failure whose settling is repeated counts once', async () => {
    const holder = holderOf(request, await store.acquire(request))
    await store.beginEffect(holder, beginning())
    line.breakNext('lose', isUpdate)
    await store.settleEffect(holder, 'charge', { state: 'failed' })
    expect((await fixture.item(request))?.steps?.M?.charge?.M?.x?.N).toBe('1')
  })

  it('a lease of which little is left by then is whole again', async () => {
    line.breakNext('lose', isUpdate)
    let seen = 0
    // The lease is shortened between the write and its repetition.
    const stop = fixture.emulator.watch((_table, _before, after) => {
      if (after?.pk?.S?.endsWith(request.key) && seen++ === 0 && after.u?.N !== undefined)
        after.u.N = String(Number(after.u.N) - 9_000)
    })
    const acquired = await store.acquire(request)
    stop()
    expect(acquired.kind === 'acquired' && acquired.leaseLeftMs).toBeGreaterThan(9_000)
    expect(Number((await fixture.item(request))?.u?.N) - Date.now()).toBeGreaterThan(7_000)
  })
})

it('who says an end for the second time is told that it is stale, as in every store', async () => {
  const request = acquireRequest(`key-${++serial}`)
  const holder = holderOf(request, await fixture.store.acquire(request))
  expect(await fixture.store.giveBack(holder)).toBe('absent')
  expect(await fixture.store.giveBack(holder)).toBe('stale')
})

import { afterAll, beforeAll, expect, it } from 'vitest'
import { acquireRequest, createStoreFixture, holderOf, okResponse, type StoreFixture } from './support'

const TTL_MS = 1_000
/** Lives that each key is to have, however long the machine takes for them. */
const LIVES = 4
const TIME_MAX_MS = 60_000
const KEYS = 6
const RACERS_PER_KEY = 4

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await createStoreFixture(KEYS * RACERS_PER_KEY)
})
afterAll(() => fixture.close())

type Execution = { createdAt: Date; expiresAt: Date; fence: bigint }

it(`no key is admitted twice within a record’s life, over ${LIVES} lives of each`, {
  timeout: TIME_MAX_MS + 10_000,
}, async () => {
  await fixture.store.registerTier('rolling', TTL_MS)
  const executions = new Map<string, Execution[]>()
  const endMs = performance.now() + TIME_MAX_MS
  const isDone = () =>
    performance.now() >= endMs ||
    (executions.size === KEYS && [...executions.values()].every((lives) => lives.length >= LIVES))
  let acquires = 0

  async function race(key: string): Promise<void> {
    const request = acquireRequest(key, { tier: 'rolling', leaseMs: 60_000 })
    while (!isDone()) {
      acquires += 1
      const acquired = await fixture.store.acquire(request)
      if (acquired.kind !== 'acquired') continue
      const record = await fixture.store.complete(holderOf(request, acquired), okResponse())
      if (record === 'stale') throw new Error('a holder with a live lease was stale')
      executions.set(key, [...(executions.get(key) ?? []), { ...record, fence: acquired.fence }])
    }
  }
  async function collect(): Promise<void> {
    while (!isDone()) {
      const due = await fixture.query<{ partition: string }>(
        "SELECT partition FROM idem_partitions() WHERE tier_name = 'rolling' AND expired",
      )
      for (const { partition } of due)
        await fixture.query('SELECT * FROM idem_collect_partition($1, 0)', [partition]).catch(() => [])
      await fixture.query('SELECT pg_sleep(0.1)')
    }
  }
  const keys = Array.from({ length: KEYS * RACERS_PER_KEY }, (_, at) => `rolling-${at % KEYS}`)
  await Promise.all([...keys.map(race), collect()])

  for (const lives of executions.values()) {
    lives.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
    for (const [at, life] of lives.entries()) {
      const before = lives[at - 1]
      if (before === undefined) continue
      expect(life.createdAt.getTime()).toBeGreaterThanOrEqual(before.expiresAt.getTime())
      expect(life.fence).toBeGreaterThan(before.fence)
    }
    expect(lives.length).toBeGreaterThanOrEqual(LIVES)
  }
  const total = [...executions.values()].flat().length
  console.log(`rollover: ${acquires} acquires, ${total} executions of ${KEYS} keys`)
})

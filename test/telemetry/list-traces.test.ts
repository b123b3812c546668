import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '@/lib/context'
import { manualClock } from '@/lib/core/clock'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { listTraces } from '@/lib/telemetry/read/traces/list-traces'
import { readTraceEffects } from '@/lib/telemetry/read/traces/trace-effects'
import { readTraceLink, setTraceLink, traceLink } from '@/lib/telemetry/trace-link'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { effectSpan, hash, requestSpan, store } from './spans'

const clock = manualClock('2026-11-22T12:00:00Z')
const now = clock.now().getTime()
const window = { from: new Date(now - 3_600_000), to: new Date(now + 60_000) }
const trace = (n: number) => n.toString(16).padStart(32, '0')
const spanId = (n: number) => n.toString(16).padStart(16, '0')

let console: TestDatabase
beforeAll(async () => {
  console = await createTestDatabase()
  await ensurePartitions(console.db, clock)
  const at = (n: number) => new Date(now - 600_000 + n * 1000)
  const requests = Array.from({ length: 9 }, (_, n) =>
    requestSpan({
      traceId: trace(n + 1),
      spanId: spanId(n + 1),
      at: at(n),
      durationMs: 10 * (n + 1),
      key: `key-${n % 3}`,
      outcome: n === 0 ? 'stale' : n === 4 ? 'store_error' : 'executed',
    }),
  )
  const effect = effectSpan({
    traceId: trace(2),
    spanId: 'f'.repeat(16),
    at: at(1),
    key: 'key-1',
    effectId: 'ch_9',
  })
  await store(console.db, clock, [...requests, effect])
})
afterAll(() => console.close())

test('failed ones come first, then the slow; pages hold each once', async () => {
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await listTraces(console.db, window, 'worst', { limit: 4, cursor })
    seen.push(...page.items.map(({ traceId }) => traceId))
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  expect(seen).toEqual([5, 1, 9, 8, 7, 6, 4, 3, 2].map(trace))
})

test('newest first, and by every filter', async () => {
  const list = async (filter: object, order: 'worst' | 'newest' = 'newest') =>
    (await listTraces(console.db, { ...window, ...filter }, order, { limit: 50 })).items.map(({ traceId }) =>
      Number.parseInt(traceId, 16),
    )
  expect(await list({})).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1])
  expect(await list({ outcome: 'stale' })).toEqual([1])
  expect(await list({ failedOnly: true })).toEqual([5, 1])
  expect(await list({ keyHash: hash('key-1') })).toEqual([8, 5, 2])
  expect(await list({ traceId: trace(3) })).toEqual([3])
  expect(await list({ endpoint: 'POST /v1/other' })).toEqual([])
  expect(await list({ to: window.from })).toEqual([])
})

test('effects of traces are told with their time', async () => {
  expect(await readTraceEffects(console.db, [])).toEqual([])
  expect(await readTraceEffects(console.db, [trace(2), trace(3)])).toMatchObject([
    { traceId: trace(2), effectId: 'ch_9', outcome: 'committed' },
  ])
})

test('a link to another trace UI is https, has the place of the id, needs an admin, and is audited', async () => {
  const as = (role: 'operator' | 'admin') =>
    ({
      db: console.db,
      clock,
      requestId: 'r',
      actor: { kind: 'user', userId: 'u', name: 'Ada', role, via: 'session' },
    }) as unknown as Context
  const reason = 'our traces are kept there'
  const template = 'https://traces.example.com/trace/{traceId}?span={spanId}'
  await expect(setTraceLink(as('operator'), { template, reason })).rejects.toMatchObject({
    code: 'forbidden',
  })
  for (const bad of [
    'http://a.example/{traceId}',
    'https://a.example/',
    'javascript:{traceId}',
    'https://u:p@a.example/{traceId}',
  ])
    await expect(setTraceLink(as('admin'), { template: bad, reason })).rejects.toMatchObject({
      code: 'invalid',
    })
  expect(await readTraceLink(console.db)).toBeNull()
  await setTraceLink(as('admin'), { template, reason })
  const kept = await readTraceLink(console.db)
  expect(traceLink(kept, trace(1), spanId(1))).toBe(
    `https://traces.example.com/trace/${trace(1)}?span=${spanId(1)}`,
  )
  expect(traceLink(kept, '"><script>')).toBeNull()
  await setTraceLink(as('admin'), { template: '', reason })
  expect(await readTraceLink(console.db)).toBeNull()
  expect(await console.db.prisma.auditEntry.count({ where: { verb: 'setting.trace_link' } })).toBe(2)
})

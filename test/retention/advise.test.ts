import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '@/lib/core/clock'
import { adviseTtl, bytesOf, impliedTtl } from '@/lib/retention/advise'
import { growth, readStorage } from '@/lib/retention/storage'
import { storeTotals } from '@/lib/retention/store-totals'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { recordStoreSample } from '@/lib/telemetry/record-store-sample'
import { createTestDatabase, type TestDatabase } from '../support/database'

let database: TestDatabase
const now = systemClock.now()
const ago = (ms: number) => new Date(now.getTime() - ms)
beforeAll(async () => {
  database = await createTestDatabase()
  await ensurePartitions(database.db, systemClock)
})
afterAll(() => database.close())

/** Keys that come `gapMs` apart, first seen an hour ago, with a record that lives `ttlMs`. */
async function keyedRequests(client: string, keys: number, gapMs: number, ttlMs: number): Promise<void> {
  await database.db.pool.query(
    `INSERT INTO telemetry.keyed_request (time, end_time, record_created_at, record_expires_at, store_operations, store_errors,
       first_seen, duplicate, expired_retry, effect_twice, final, trace_id, span_id, key_hash, service, version, instance,
       environment, region, scope, endpoint, client, outcome)
     SELECT at, at, $1, $1::timestamptz + $4 * interval '1 ms', 1, 0, m = 0, m = 1, false, false, true, uuid_send(gen_random_uuid()),
       substr(uuid_send(gen_random_uuid()), 1, 8), substr(sha256(($5 || n)::bytea), 1, 16), 's', '1', 'i', 'e', 'r',
       $5 || '/POST /a', 'POST /a', $5, CASE m WHEN 0 THEN 'executed' ELSE 'replayed' END
     FROM generate_series(1, $2::int) n, generate_series(0, 1) m,
       LATERAL (SELECT $1::timestamptz + (n * 10 + m * $3::bigint) * interval '1 ms' AS at) x`,
    [ago(3_600_000), keys, gapMs, ttlMs, client],
  )
}

test('windows of retries by endpoint and client, and the TTL that they imply', async () => {
  await keyedRequests('web', 2_000, 30_000, 60_000)
  await keyedRequests('batch', 100, 1_200_000, 60_000)
  const windows = await adviseTtl(database.db, { from: ago(7_200_000), to: now })
  const of = (client: string) => windows.find((each) => each.client === client)
  expect(of('web')).toMatchObject({
    keys: 2_000,
    retriedKeys: 2_000,
    p50Ms: 30_000,
    p9999Ms: 30_000,
    impliedTtlMs: 60_000,
    uncertain: false,
    expiredRetriesNow: 0,
  })
  expect(of('batch')).toMatchObject({
    maxMs: 1_200_000,
    impliedTtlMs: 1_800_000,
    uncertain: true,
    expiredRetriesNow: 100,
  })
  expect(of('')).toMatchObject({
    keys: 2_100,
    p50Ms: 30_000,
    p99Ms: 1_200_000,
    ttlMs: 60_000,
    expiredRetriesThen: 0,
  })
  expect(of('batch')?.rowsHeldDelta).toBeGreaterThan(0)
  expect(bytesOf(100, { rows: 10, bytes: 2_000 })).toBe(20_000)
  expect(impliedTtl(0)).toBe(60_000)
  expect(impliedTtl(90 * 86_400_000)).toBe(135 * 86_400_000)
})

test('keys whose engine has not counted their bytes have no size, not one of 0', async () => {
  const at = (minutesAgo: number, rows: bigint) =>
    recordStoreSample(database.db, {
      ...{
        at: ago(minutesAgo * 60_000),
        sourceId: 'src_table',
        tier: 'all',
        rows,
        bytes: 0n,
        expiredRows: 2n,
      },
      ...{ oldestAt: null, oldestExpiredAt: null },
    })
  await at(10, 0n)
  await at(1, 40n)
  const window = { from: ago(3_600_000), to: now, source: 'src_table' }
  const tiers = await readStorage(database.db, window)
  expect(tiers).toMatchObject([{ rows: 40, bytes: null, bytesADay: null }])
  expect(storeTotals(tiers, new Map([['src_table', 1_000]]))).toMatchObject([
    { rows: 40, bytes: null, bytesADay: null, daysLeft: null },
  ])
  expect(bytesOf(100, { rows: 40, bytes: null })).toBeNull()
})

test('growth leaves collections out; lag and days left follow', async () => {
  const sample = (at: Date, bytes: bigint, expired: Date | null) =>
    recordStoreSample(database.db, {
      at,
      sourceId: 'src_a',
      tier: 'standard',
      rows: bytes / 100n,
      bytes,
      expiredRows: 1n,
      oldestAt: ago(1),
      oldestExpiredAt: expired,
    })
  await sample(ago(3 * 3_600_000), 1_000_000n, null)
  await sample(ago(2 * 3_600_000), 2_000_000n, null)
  await sample(ago(3_600_000), 500_000n, null)
  await sample(ago(1_000), 1_500_000n, ago(61_000))
  const tiers = await readStorage(database.db, { from: ago(86_400_000), to: now })
  const [tier] = tiers
  expect(tier).toMatchObject({ tier: 'standard', bytes: 1_500_000, expiryLagMs: 60_000, expiredRows: 1 })
  expect(tier?.bytesADay).toBeCloseTo(16_000_000, -5)
  const [store] = storeTotals(tiers, new Map([['src_a', 17_500_000]]))
  expect(store).toMatchObject({ bytes: 1_500_000, expiryLagMs: 60_000, capacityBytes: 17_500_000 })
  expect(store?.daysLeft).toBeCloseTo(1, 1)
  expect(storeTotals(tiers, new Map())[0]).toMatchObject({ capacityBytes: null, daysLeft: null })
  expect(tier?.points).toHaveLength(4)
  expect(growth([{ at: now, n: 1 }], ({ n }) => n)).toBeNull()
})

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { inTransaction } from '@/lib/db'
import { applyObjects, changedObjects, lockMirror, markGone } from '@/lib/mirror/apply'
import { CursorMovedError, moveCursor, readCursor } from '@/lib/mirror/cursor'
import { alias, type StagedObject } from '@/lib/mirror/object'
import { extendCoverage } from '@/lib/mirror/read/coverage'
import { coverageOf, providerEvidenceForKey, tailGap } from '@/lib/mirror/read/evidence'
import { untaggedObjects } from '@/lib/mirror/read/untagged'
import { readWatermark } from '@/lib/mirror/watermark'
import type { SoughtEffect } from '@/lib/sources/contracts'
import { createTestDatabase, type TestDatabase } from '../support/database'

let console_: TestDatabase
beforeAll(async () => {
  console_ = await createTestDatabase()
  await console_.db.prisma.source.create({
    data: {
      id: SOURCE.id,
      kind: 'provider',
      adapter: 'stripe',
      name: 'stripe',
      system: SOURCE.system,
      config: {},
      createdAt: NOW,
    },
  })
})
afterAll(() => console_.close())
beforeEach(() =>
  console_.db.pool.query(
    'TRUNCATE mirror.object, mirror.alias, mirror.merge, mirror.coverage, mirror.cursor, mirror.watermark',
  ),
)

const SOURCE = { id: 'src_1', system: 'payments' }
const NOW = new Date('2026-11-22T12:00:00Z')

let serial = 0
function object(over: Partial<StagedObject> = {}): StagedObject {
  serial += 1
  const objectId = over.objectId ?? `ch_${serial}`
  return {
    objectId,
    side: 'provider',
    kind: 'charge',
    status: 'succeeded',
    version: 1n,
    occurredAt: NOW,
    leaseUntil: null,
    expiresAt: null,
    httpStatus: null,
    amountMinor: 100n,
    capturedMinor: 100n,
    refundedMinor: 0n,
    currency: 'USD',
    scope: null,
    key: null,
    keyHash: null,
    step: null,
    reference: null,
    providerRef: objectId,
    parentRef: null,
    actionId: null,
    data: { captured: true, modeMix: false },
    aliases: [alias.provider(objectId)],
    contentHash: `${over.status ?? 'succeeded'}${objectId}`
      .split('')
      .map((c) => c.charCodeAt(0).toString(16))
      .join('')
      .slice(0, 32)
      .padEnd(32, '0'),
    observedAt: null,
    ...over,
  }
}

/** A key that somebody holds. */
const life = (over: Partial<StagedObject>) =>
  object({
    objectId: 'life',
    side: 'intent',
    kind: 'key',
    status: 'leased',
    scope: 's',
    key: 'k',
    data: { effects: [], names: [], fence: '1' },
    aliases: ['k:s'],
    ...over,
  })

const apply = (objects: StagedObject[], source = SOURCE) =>
  inTransaction(console_.db.pool, async (client) => {
    await lockMirror(client, source.system)
    await applyObjects(client, source, NOW, objects)
  })
const rows = async () =>
  (
    await console_.db.pool.query(
      'SELECT object_id, status, seq::int, operation_id::int AS operation, gone_at FROM mirror.object ORDER BY object_id',
    )
  ).rows
const one = async (id: string) => (await rows()).find((row) => row.object_id === id)

describe('versions', () => {
  test('a newer version replaces, an older one that arrives late changes nothing', async () => {
    await apply([object({ objectId: 'a', version: 5n, status: 'failed', contentHash: 'aa'.repeat(16) })])
    await apply([object({ objectId: 'a', version: 3n, contentHash: 'bb'.repeat(16) })])
    expect(await one('a')).toMatchObject({ status: 'failed' })
    await apply([object({ objectId: 'a', version: 6n, contentHash: 'bb'.repeat(16) })])
    expect(await one('a')).toMatchObject({ status: 'succeeded' })
  })

  test('equal content keeps its number, and still shuts older versions out', async () => {
    await apply([object({ objectId: 'a', version: 1n })])
    const before = await one('a')
    await apply([object({ objectId: 'a', version: 9n })])
    expect(await one('a')).toEqual(before)
    await apply([object({ objectId: 'a', version: 5n, status: 'failed', contentHash: 'cc'.repeat(16) })])
    expect(await one('a')).toEqual(before)
  })

  test('of one batch the newest of an object counts', async () => {
    await apply([
      object({ objectId: 'a', version: 2n, status: 'failed', contentHash: 'dd'.repeat(16) }),
      object({ objectId: 'a', version: 1n }),
    ])
    expect(await one('a')).toMatchObject({ status: 'failed' })
  })

  test('only what is new or other is told on', async () => {
    await apply([object({ objectId: 'a' })])
    const changed = await changedObjects(console_.db, SOURCE, [
      object({ objectId: 'a' }),
      object({ objectId: 'b' }),
    ])
    expect(changed.map(({ objectId }) => objectId)).toEqual(['b'])
  })
})

describe('operations', () => {
  test('any shared alias joins; a merge keeps the oldest and moves everything', async () => {
    await apply([object({ objectId: 'a', aliases: ['p:a', 'r:one'] })])
    await apply([object({ objectId: 'b', aliases: ['p:b', 'r:two'] })])
    const [first, second] = [await one('a'), await one('b')]
    expect(first?.operation).not.toBe(second?.operation)
    await apply([
      object({ objectId: 'c', aliases: ['p:c', 'r:two', 'k:x'] }),
      object({ objectId: 'd', aliases: ['k:x', 'r:one'] }),
    ])
    const all = await rows()
    expect(new Set(all.map(({ operation }) => operation))).toEqual(new Set([first?.operation]))
    expect(all.find((row) => row.object_id === 'b').seq).toBeGreaterThan(second?.seq)
    const merges = await console_.db.pool.query('SELECT merged_id::int, kept_id::int FROM mirror.merge')
    expect(merges.rows).toEqual([{ merged_id: second?.operation, kept_id: first?.operation }])
    const aliases = await console_.db.pool.query(
      'SELECT DISTINCT operation_id::int AS operation FROM mirror.alias',
    )
    expect(aliases.rows).toEqual([{ operation: first?.operation }])
  })

  test('the same aliases in another system are other operations', async () => {
    await apply([object({ objectId: 'a', aliases: ['r:one'] })])
    await apply([object({ objectId: 'a', aliases: ['r:one'] })], { id: 'src_2', system: 'other' })
    expect(new Set((await rows()).map(({ operation }) => operation)).size).toBe(2)
  })

  test('stagers at once, in any order, end in the same groups', async () => {
    const batches = Array.from({ length: 40 }, (_, n) => [
      object({ objectId: `x${n}`, aliases: [`r:${n % 5}`, `p:x${n}`] }),
      object({ objectId: `y${n}`, aliases: [`p:x${n}`, `k:${n % 5}`] }),
    ])
    await Promise.all(batches.map((batch) => apply(batch)))
    const all = await rows()
    expect(all).toHaveLength(80)
    expect(new Set(all.map(({ operation }) => operation)).size).toBe(5)
    const orphans = await console_.db.pool.query(
      'SELECT FROM mirror.alias a WHERE NOT EXISTS (SELECT FROM mirror.object o WHERE o.operation_id = a.operation_id)',
    )
    expect(orphans.rowCount).toBe(0)
  })
})

describe('the watermark', () => {
  test('waits for a batch that has its numbers but is not committed', async () => {
    const client = await console_.db.pool.connect()
    await client.query('BEGIN')
    await lockMirror(client, SOURCE.system)
    await applyObjects(client, SOURCE, NOW, [object({ objectId: 'late' })])
    let watermark: { to: bigint } | undefined
    const cutting = readWatermark(console_.db, SOURCE.system).then((value) => {
      watermark = value
    })
    await apply([object({ objectId: 'other' })], { id: 'src_2', system: 'elsewhere' })
    expect(watermark).toBeUndefined()
    await client.query('COMMIT')
    client.release()
    await cutting
    const { rows: seqs } = await console_.db.pool.query(
      `SELECT seq FROM mirror.object WHERE object_id = 'late'`,
    )
    expect(watermark?.to).toBeGreaterThanOrEqual(BigInt(seqs[0].seq))
  })

  test('every number up to a watermark is visible, with many stagers beside it', async () => {
    let staging = true
    const stagers = Promise.all(
      Array.from({ length: 4 }, async (_, s) => {
        for (let n = 0; n < 25; n++) await apply([object({ objectId: `s${s}-${n}` })])
      }),
    ).then(() => {
      staging = false
    })
    while (staging) {
      const { to } = await readWatermark(console_.db, SOURCE.system)
      const count = async () =>
        (await console_.db.pool.query('SELECT count(*)::int AS n FROM mirror.object WHERE seq <= $1', [to]))
          .rows[0].n
      const seen = await count()
      await new Promise((resolve) => setImmediate(resolve))
      expect(await count()).toBe(seen)
    }
    await stagers
  })
})

test('a live key that a complete reading no longer shows is gone, and a record brings it back', async () => {
  const at = (second: number) => new Date(NOW.getTime() + second * 1000)
  const micros = (second: number) => BigInt(at(second).getTime()) * 1000n
  await apply([life({ version: micros(0) })])
  const gone = (readAt: Date, seenObjectIds: string[] = []) =>
    inTransaction(console_.db.pool, (client) =>
      markGone(client, SOURCE, NOW, { readAt, wholeUntil: null, seenObjectIds }),
    )
  expect(await gone(at(1), ['life'])).toBe(0)
  // A reading that began before the key was staged says nothing of it.
  expect(await gone(at(0))).toBe(0)
  expect(await gone(at(1))).toBe(1)
  expect((await one('life'))?.gone_at).not.toBeNull()
  await apply([life({ version: 2n ** 61n, status: 'completed', contentHash: 'ee'.repeat(16) })])
  expect(await one('life')).toMatchObject({ status: 'completed', gone_at: null })
  // A lease that is read late never overwrites the record.
  await apply([life({ version: micros(50) })])
  expect(await one('life')).toMatchObject({ status: 'completed' })
})

test('coverage is contiguous, and the gap of a live read follows from it', async () => {
  const at = (second: number) => new Date(NOW.getTime() + second * 1000)
  const cover = (from: number, to: number) =>
    inTransaction(console_.db.pool, (client) =>
      extendCoverage(client, SOURCE.id, { from: at(from), to: at(to) }),
    )
  await cover(0, 10)
  await cover(20, 30)
  expect(await coverageOf(console_.db, SOURCE.id)).toEqual([
    { from: at(0), to: at(10) },
    { from: at(20), to: at(30) },
  ])
  expect(await tailGap(console_.db, SOURCE.id, { from: at(5), to: at(25) })).toEqual({
    from: at(10),
    to: at(25),
  })
  await cover(10, 20)
  expect(await coverageOf(console_.db, SOURCE.id)).toEqual([{ from: at(0), to: at(30) }])
  expect(await tailGap(console_.db, SOURCE.id, { from: at(5), to: at(25) })).toBeNull()
  expect(await tailGap(console_.db, SOURCE.id, { from: at(-5), to: at(25) })).toEqual({
    from: at(-5),
    to: at(25),
  })
})

test('a cursor moves only from where it was read', async () => {
  const at = { sourceId: SOURCE.id, feed: 'rows' }
  const move = (from: string | null, to: string) =>
    inTransaction(console_.db.pool, (client) => moveCursor(client, at, from, to, NOW))
  await move(null, 'one')
  await expect(move(null, 'other')).rejects.toBeInstanceOf(CursorMovedError)
  await move('one', 'two')
  await expect(move('one', 'three')).rejects.toBeInstanceOf(CursorMovedError)
  expect(await readCursor(console_.db, SOURCE.id, 'rows')).toBe('two')
})

describe('objects without tags that could be an effect', () => {
  const seeker = { system: 'payments', scope: 's', key: 'k' }
  const at = (second: number) => new Date(NOW.getTime() + second * 1000)
  const sought: SoughtEffect = {
    kind: 'charge',
    window: { from: at(-10), to: at(10) },
    amount: { minor: 100n, currency: 'USD' },
  }
  const untagged = async (over: Partial<SoughtEffect> = {}) =>
    (await untaggedObjects(console_.db, seeker, { ...sought, ...over })).map(({ id }) => id)
  const life = (key: string, effects: string[], names: string[] = []) =>
    object({
      objectId: `life-${key}`,
      side: 'intent',
      kind: 'key',
      status: 'completed',
      scope: 's',
      key,
      providerRef: effects[0] ?? null,
      data: { effects: effects.map((reference) => ({ reference })), names },
      aliases: [`k:${key}`, ...[...effects, ...names].map((id) => `p:${id}`)],
    })

  test('are those of the window, the amount, and no key', async () => {
    await apply([
      object({ objectId: 'same' }),
      object({ objectId: 'other_amount', amountMinor: 99n }),
      object({ objectId: 'other_currency', currency: 'EUR' }),
      object({ objectId: 'before', occurredAt: at(-11) }),
      object({ objectId: 'after', occurredAt: at(10) }),
      object({ objectId: 'tagged', scope: 's', key: 'other', aliases: ['p:tagged', 'k:other'] }),
      object({ objectId: 'declined', status: 'failed' }),
      object({ objectId: 'ours', actionId: 'act_1' }),
      object({ objectId: 'refund', kind: 'refund', parentRef: 'same' }),
      object({ objectId: 'unreadable', status: 'other', amountMinor: null, currency: null }),
    ])
    expect(await untagged()).toEqual(['same', 'unreadable'])
    expect(await untagged({ amount: null })).toEqual(['other_amount', 'other_currency', 'same', 'unreadable'])
    expect(await untagged({ kind: 'refund' })).toEqual(['refund'])
  })

  test('of another amount count where customer or intent are the same', async () => {
    await apply([
      object({ objectId: 'customer', amountMinor: 1n, data: { customer: 'cus_1', modeMix: false } }),
      object({ objectId: 'intent', amountMinor: 1n, parentRef: 'pi_1', aliases: ['p:intent', 'p:pi_1'] }),
    ])
    expect(await untagged()).toEqual([])
    expect(await untagged({ customer: 'cus_1', paymentIntentId: 'pi_1' })).toEqual(['customer', 'intent'])
  })

  test('are none of those that another key names, by whichever id', async () => {
    await apply([
      object({ objectId: 'by_id' }),
      object({ objectId: 'by_intent', parentRef: 'pi_1', aliases: ['p:by_intent', 'p:pi_1'] }),
      object({ objectId: 'by_response' }),
      object({ objectId: 'own' }),
      object({ objectId: 'same_order', aliases: ['p:same_order', 'r:order'] }),
      object({ objectId: 'refund', kind: 'refund', parentRef: 'by_id' }),
      life('a', ['by_id']),
      life('b', ['pi_1']),
      life('c', [], ['by_response']),
      life('k', ['own']),
      { ...life('d', ['ch_elsewhere']), aliases: ['k:d', 'r:order'] },
    ])
    expect(await untagged()).toEqual(['own', 'same_order'])
    expect(await untagged({ kind: 'refund' })).toEqual(['refund'])
  })

  test('are none of those whose checkout session carries a key', async () => {
    await apply([
      object({ objectId: 'paid', parentRef: 'pi_1', aliases: ['p:paid', 'p:pi_1'] }),
      object({
        objectId: 'cs_1',
        kind: 'payment',
        scope: 's',
        key: 'other',
        data: { members: ['pi_1', 'paid'], modeMix: false },
        aliases: ['p:cs_1', 'p:pi_1', 'p:paid', 'k:other'],
      }),
    ])
    expect(await untagged()).toEqual([])
  })
})

test('evidence of a key reaches the charge through its payment intent and its checkout session', async () => {
  await apply([
    object({ objectId: 'by_intent', parentRef: 'pi_1', aliases: ['p:by_intent', 'p:pi_1'] }),
    object({ objectId: 'by_session', parentRef: 'pi_2', aliases: ['p:by_session', 'p:pi_2'] }),
    object({
      objectId: 'refund',
      kind: 'refund',
      parentRef: 'by_intent',
      aliases: ['p:refund', 'p:by_intent'],
    }),
    object({
      objectId: 'cs_1',
      kind: 'payment',
      scope: 's',
      key: 'k',
      data: { members: ['pi_2', 'by_session'], modeMix: false },
      aliases: ['p:cs_1', 'p:pi_2', 'p:by_session', 'k:s'],
    }),
    life({ data: { effects: [{ reference: 'pi_1' }] }, aliases: ['k:s', 'p:pi_1'] }),
  ])
  const evidence = await providerEvidenceForKey(console_.db, { system: 'payments', scope: 's', key: 'k' })
  expect(evidence.objects.map(({ id }) => id)).toEqual(['by_intent', 'by_session'])
})

test('evidence of a key is found by indexes, however many objects the planner expects it to name', async () => {
  await apply([
    object({ objectId: 'ch_mine', aliases: ['p:1'] }),
    life({ data: { effects: [{ reference: 'ch_mine' }] } }),
    ...Array.from({ length: 3_000 }, (_, n) => object({ aliases: [`p:many-${n}`] })),
  ])
  await console_.db.pool.query('ANALYZE mirror.object')
  const client = await console_.db.pool.connect()
  try {
    await client.query('BEGIN')
    // Of this transaction, and what its connection has not handed on yet of earlier ones.
    const scans = async () => {
      const { rows } = await client.query(
        `SELECT seq_scan::int FROM pg_stat_xact_user_tables WHERE schemaname = 'mirror' AND relname = 'object'`,
      )
      return rows[0].seq_scan
    }
    const before = await scans()
    const db = { ...console_.db, pool: client as unknown as typeof console_.db.pool }
    const { objects } = await providerEvidenceForKey(db, { system: 'payments', scope: 's', key: 'k' })
    expect(objects.map(({ id }) => id)).toEqual(['ch_mine'])
    expect(await scans()).toBe(before)
  } finally {
    await client.query('ROLLBACK')
    client.release()
  }
})

test('evidence of an object that could not be read names no amount', async () => {
  await apply([
    object({ objectId: 'ch_read', scope: 's', key: 'k', aliases: ['p:1'] }),
    object({
      objectId: 'ch_unreadable',
      status: 'other',
      scope: 's',
      key: 'k',
      amountMinor: null,
      currency: null,
      aliases: ['p:2'],
    }),
  ])
  const { objects } = await providerEvidenceForKey(console_.db, { system: 'payments', scope: 's', key: 'k' })
  expect(objects).toMatchObject([
    { id: 'ch_read', money: { amountMinor: 100n, currency: 'USD' } },
    { id: 'ch_unreadable', status: 'other', money: null },
  ])
})

test('evidence of a key is what carries it and what its effects name', async () => {
  await apply([
    object({ objectId: 'ch_tagged', scope: 's', key: 'k', aliases: ['p:1'] }),
    object({ objectId: 'ch_named', aliases: ['p:2'] }),
    object({ objectId: 'ch_other', aliases: ['p:3'] }),
    object({
      objectId: 'ch_absent',
      status: 'absent',
      scope: 's',
      key: 'k',
      amountMinor: null,
      aliases: ['p:4'],
    }),
    life({ data: { effects: [{ reference: 'ch_named' }] } }),
  ])
  const evidence = await providerEvidenceForKey(console_.db, { system: 'payments', scope: 's', key: 'k' })
  expect(evidence.objects.map(({ id }) => id)).toEqual(['ch_named', 'ch_tagged'])
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SystemContext } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { readUnseenEffects } from '@/lib/effects/confirmed-unseen'
import { detectEffects } from '@/lib/effects/detect-effects'
import { listEffects } from '@/lib/effects/list-effects'
import { readCausedEffects } from '@/lib/effects/read-causes'
import { silentLog } from '@/lib/log'
import { keyHash } from '@/lib/sources/key-hash'
import { type EffectObservation, observeEffects } from '@/lib/telemetry/ingest/keys/observe-effects'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'
import { setSettings } from '../support/settings'

const SECRET = 'k'.repeat(40)
const SCOPE = 'web/POST /v1/payments'
let console: TestDatabase
let ctx: SystemContext
beforeAll(async () => {
  setSettings({ IDEMSCOPE_KEY_SECRET: SECRET, IDEMSCOPE_ORPHAN_GRACE_MS: '60000' })
  console = await createTestDatabase()
  ctx = { db: console.db, clock: systemClock, log: silentLog, queue: noQueue }
  await ensurePartitions(console.db, systemClock)
})
afterAll(() => console.close())

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000)
const charge = (key: string, effectId: string, minutes: number): EffectObservation => ({
  name: 'stripe.charge',
  step: 'charge',
  scope: SCOPE,
  keyHash: keyHash(SECRET, key),
  effectId,
  at: minutesAgo(minutes),
  amount: { minor: 1050n, currency: 'USD' },
  outcome: 'committed',
  observer: 'provider',
})

async function confirm(id: string, name: string, key: string | null, effectIds: string[]): Promise<void> {
  const now = new Date()
  await console.db.prisma.reconciliationCase.create({
    data: {
      id,
      breakId: id,
      system: 'payments',
      operationId: 1n,
      aspect: 'uniqueness',
      objectId: effectIds[0] ?? '',
      class: name,
      severity: 'P1',
      outcome: 'break',
      lifecycle: 'resolved',
      scope: SCOPE,
      key,
      effectIds,
      amountMinor: 1050n,
      currency: 'USD',
      evidence: {},
      evidenceHash: 'h',
      firstSeen: now,
      lastSeen: now,
    },
  })
}

test('suspicions from telemetry, confirmed by cases under the same id, paged', async () => {
  await observeEffects(console.db, systemClock, [
    charge('k1', 'ch_1', 10),
    charge('k1', 'ch_2', 9),
    charge('k2', 'ch_3', 8),
    charge('k2', 'ch_4', 7),
    charge('k3', 'ch_5', 6),
  ])
  await console.db.pool.query(
    `INSERT INTO mirror.object (version, seq, born_seq, operation_id, occurred_at, staged_at, source_id, object_id, system, side, kind, status, scope, key, key_hash, content_hash, data)
     VALUES (1, 1, 1, 1, now(), now(), 's', 'o', 'payments', 'intent', 'key', 'completed', $1, 'k1', decode($2, 'hex'), '', '{}')`,
    [SCOPE, keyHash(SECRET, 'k1')],
  )
  const { items } = await listEffects(ctx, { kind: 'duplicate' }, { limit: 50 })
  expect(items.map(({ key, effectIds, outcome }) => ({ key, effectIds, outcome }))).toEqual([
    { key: null, effectIds: ['ch_3', 'ch_4'], outcome: 'suspected' },
    { key: 'k1', effectIds: ['ch_1', 'ch_2'], outcome: 'suspected' },
  ])
  const suspected = items[1]
  expect(suspected).toMatchObject({
    name: 'stripe.charge',
    step: 'charge',
    scope: SCOPE,
    amount: { minor: '1050', currency: 'USD' },
    caseId: null,
  })

  await confirm('case_1', 'duplicate_same_key', 'k1', ['ch_1', 'ch_2'])
  await confirm('case_2', 'duplicate_semantic', 'k9', ['ch_8', 'ch_9'])
  const all: Awaited<ReturnType<typeof listEffects>>['items'] = []
  let cursor: string | undefined
  do {
    const page = await listEffects(ctx, { kind: 'duplicate' }, { limit: 1, cursor })
    all.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  expect(all.map(({ outcome, caseId, key }) => [outcome, caseId, key])).toEqual([
    ['confirmed', 'case_2', 'k9'],
    ['confirmed', 'case_1', 'k1'],
    ['suspected', null, null],
  ])
  expect(all[1]).toMatchObject({
    id: suspected?.id,
    name: 'stripe.charge',
    step: 'charge',
    class: 'duplicate_same_key',
  })
})

test('a cause has its build, its key and its case; a case that no span told of has the store of its key', async () => {
  const now = Date.now()
  const range = { kind: 'duplicate', from: new Date(now - 3_600_000), to: new Date(now + 60_000) } as const
  const { effects } = await readCausedEffects(ctx, range)
  expect(effects.map(({ effectId, key, sourceId, caseId }) => [effectId, key, sourceId, caseId])).toEqual([
    ['ch_4', null, null, null],
    ['ch_2', 'k1', 's', 'case_1'],
  ])
  const unseen = () => readUnseenEffects(ctx, { ...range, seen: ['case_1'] })
  expect((await unseen()).effects).toMatchObject([{ caseId: 'case_2', key: 'k9', sourceId: null }])
  await console.db.pool.query(
    `INSERT INTO mirror.object (version, seq, born_seq, operation_id, occurred_at, staged_at, source_id, object_id, system, side, kind, status, scope, key, content_hash, data)
     VALUES (1, 2, 2, 2, now(), now(), 's', 'o9', 'payments', 'intent', 'key', 'completed', $1, 'k9', '', '{}')`,
    [SCOPE],
  )
  expect((await unseen()).effects).toMatchObject([{ caseId: 'case_2', key: 'k9', sourceId: 's' }])
})

test('orphans are found after grace, and only while nobody answers for them', async () => {
  expect((await detectEffects(ctx)).orphans).toBe(5)
  const { items } = await listEffects(ctx, { kind: 'orphan' }, { limit: 50 })
  expect(items.map(({ effectIds }) => effectIds)).toEqual([['ch_5'], ['ch_4'], ['ch_3'], ['ch_2'], ['ch_1']])
  await confirm('case_3', 'orphan_effect', null, ['ch_5'])
  const after = await listEffects(ctx, { kind: 'orphan' }, { limit: 50 })
  expect(after.items[0]).toMatchObject({
    outcome: 'confirmed',
    effectIds: ['ch_5'],
    key: null,
    caseId: 'case_3',
  })
  expect(after.items).toHaveLength(5)
})

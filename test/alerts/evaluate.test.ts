import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { evaluateConditions } from '@/lib/alerts/evaluate/evaluate'
import { readFiring } from '@/lib/alerts/read-firing'
import { figuresOf, showAlert } from '@/lib/alerts/show-alert'
import { append } from '@/lib/audit/append'
import { seal } from '@/lib/audit/seal'
import { readConditions } from '@/lib/conditions/read-conditions'
import { TERMS_SETTING } from '@/lib/conditions/terms'
import type { SystemContext } from '@/lib/context'
import { manualClock } from '@/lib/core/clock'
import { silentLog } from '@/lib/log'
import { heartbeatProcess } from '@/lib/runs/processes'
import { observeEffects } from '@/lib/telemetry/ingest/keys/observe-effects'
import { recordStoreSample } from '@/lib/telemetry/record-store-sample'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'

let console: TestDatabase
let ctx: SystemContext
const clock = manualClock('2026-03-01T12:00:00Z')
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

beforeAll(async () => {
  console = await createTestDatabase()
  ctx = { db: console.db, clock, log: silentLog, queue: noQueue }
  await console.db.pool.query(`SELECT telemetry.ensure_partitions(k, '2026-02-20', '2026-03-05')
    FROM unnest(ARRAY['span', 'keyed_request', 'effect', 'delivery', 'log']) k`)
  for (const [id, system] of [
    ['src_pay', 'payments'],
    ['src_ord', 'orders'],
  ] as const) {
    const own = { id, system, name: `${system} store`, kind: 'intent', adapter: 'native', config: {} }
    await console.db.prisma.source.create({ data: { ...own, createdAt: clock.now(), lastOkAt: clock.now() } })
  }
})
afterAll(() => console.close())
beforeEach(async () => {
  await console.db.pool.query(
    `TRUNCATE condition, alert_episode, setting, lock, reconciliation_case, action, run, process_heartbeat,
       telemetry.effect, telemetry.key, mirror.object, telemetry.store_sample CASCADE`,
  )
  await console.db.prisma.source.updateMany({ data: { lastOkAt: clock.now() } })
  await seal(console.db, clock)
  await alive('worker')
})

const ago = (ms: number) => new Date(clock.now().getTime() - ms)
const alive = (kind: string, silentMs = 0) =>
  heartbeatProcess(console.db, { id: `prc_${kind}`, kind, pid: 1 }, manualClock(ago(silentMs).toISOString()))
const fires = async () => {
  await evaluateConditions(ctx)
  const holding = await readConditions(console.db)
  return holding
    .map(({ kind, subject, severity, detail }) => ({ kind, subject, severity, detail }))
    .toSorted((a, b) => (a.kind < b.kind ? -1 : 1))
}
const setTerms = (rules: unknown[]) =>
  console.db.prisma.setting.create({
    data: { key: TERMS_SETTING, value: { rules } as object, updatedAt: clock.now(), updatedBy: 'test' },
  })

let made = 0
type Lock = { system?: 'pay' | 'ord'; ageMs: number; answer?: object; state?: string }
const FOUND = (minor: string) => ({
  kind: 'found',
  askedAt: '2026-03-01T12:00:00Z',
  objects: [{ kind: 'charge', amount: { minor, currency: 'EUR' } }],
})
async function lock({ system = 'pay', ageMs, answer = FOUND('1000'), state = 'lease_expired' }: Lock) {
  made += 1
  await console.db.prisma.lock.create({
    data: {
      id: `lck_${String(made).padStart(6, '0')}`,
      sourceId: `src_${system}`,
      scope: 'web/POST /v1/payments',
      key: `key-${made}`,
      state,
      version: '1',
      fence: 1n,
      attempts: 1,
      holder: 'h',
      acquiredAt: ago(ageMs),
      leaseUntil: ago(ageMs - 30_000),
      heartbeatAt: ago(ageMs),
      verdict: 'investigate',
      verdictReason: '',
      providerAnswer: answer,
      checkedAt: clock.now(),
    },
  })
}
const NONE = { kind: 'none', askedAt: '', from: '', to: '' }

test('an empty console whose worker lives: nothing fires', async () => {
  expect(await fires()).toEqual([])
})

describe('stuck keys', () => {
  test('one behind which money may have moved, after ten minutes; one without, never alone', async () => {
    await lock({ ageMs: 10 * MINUTE_MS - 1 })
    await lock({ ageMs: HOUR_MS, answer: NONE })
    await lock({ ageMs: HOUR_MS, state: 'leased' })
    expect(await fires()).toEqual([])
    await lock({ ageMs: 10 * MINUTE_MS, answer: { kind: 'not_asked' } })
    expect(await fires()).toMatchObject([
      { kind: 'stuck_keys', subject: 'payments', severity: 'page', detail: { count: 1, money: [] } },
    ])
  })

  test('five hundred of one deploy are one alert with a count, the oldest, the money and five examples', async () => {
    for (let n = 0; n < 500; n++) await lock({ ageMs: 11 * MINUTE_MS + n, answer: FOUND('2050') })
    await lock({ system: 'ord', ageMs: 20 * MINUTE_MS, answer: FOUND('5') })
    const found = await fires()
    expect(found).toHaveLength(2)
    const payments = found.find(({ subject }) => subject === 'payments')
    expect(payments?.detail).toMatchObject({
      count: 500,
      oldestAt: ago(11 * MINUTE_MS + 499).toISOString(),
      money: [{ minor: '1025000', currency: 'EUR' }],
    })
    expect(payments?.detail.examples).toHaveLength(5)
    expect(figuresOf({ kind: 'stuck_keys', detail: payments?.detail ?? {} })).toBe(
      `500 keys stuck in payments, the oldest since ${ago(11 * MINUTE_MS + 499).toISOString()}, €10,250.00 behind them`,
    )
  })

  test('an alert that is open names some of its keys, and what was done in the hour before', async () => {
    await lock({ ageMs: HOUR_MS })
    const run = { kind: 'collection', state: 'done', requestedBy: 'usr_1' }
    await console.db.prisma.run.create({ data: { ...run, id: 'run_before', createdAt: ago(20 * MINUTE_MS) } })
    await console.db.prisma.run.create({ data: { ...run, id: 'run_long_ago', createdAt: ago(2 * HOUR_MS) } })
    await fires()
    const [alert] = await readFiring(console.db, clock.now())
    if (alert === undefined) throw new Error('nothing fires')
    const shown = await showAlert(console.db, { ...alert, clearedAt: null }, true, clock.now())
    expect(shown.examples).toEqual([
      { label: 'web/POST /v1/payments', path: `/locks?lock=lck_${String(made).padStart(6, '0')}` },
    ])
    expect(shown.changes.map(({ href }) => href)).toEqual(['/audit?subject=run_before'])
    expect(shown.runbook?.id).toBe('stuck-keys')
    expect(await showAlert(console.db, { ...alert, clearedAt: null }, false, clock.now())).toMatchObject({
      changes: [],
      runbook: null,
    })
  })

  test('too many at once, however young and whatever the provider says; by the terms of the system', async () => {
    await setTerms([{ kind: 'stuck_keys', when: { system: 'orders' }, limits: { countMax: 2 } }])
    for (let n = 0; n < 3; n++) await lock({ ageMs: 1_000, answer: NONE })
    for (let n = 0; n < 3; n++) await lock({ system: 'ord', ageMs: 1_000, answer: NONE })
    expect(await fires()).toMatchObject([{ subject: 'orders', detail: { count: 3 } }])
  })

  test('its window closes two hours before the provider forgets its key', async () => {
    await setTerms([{ kind: 'stuck_keys', severity: 'off' }])
    await lock({ ageMs: 22 * HOUR_MS - 1 })
    expect(await fires()).toEqual([])
    await lock({ ageMs: 22 * HOUR_MS })
    expect(await fires()).toMatchObject([
      {
        kind: 'window_closing',
        subject: 'payments',
        detail: { count: 1, closesAt: new Date(clock.now().getTime() + 2 * HOUR_MS).toISOString() },
      },
    ])
  })
})

const action = (id: string, data: object) =>
  console.db.prisma.action.create({
    data: { id, kind: 'refund', state: 'proposed', reason: 'test', createdAt: clock.now(), ...data },
  })

describe('work that waits', () => {
  test('a proposal after fifteen minutes, an unknown outcome after five', async () => {
    await action('act_1', { createdAt: ago(15 * MINUTE_MS - 1) })
    await action('act_2', { state: 'unknown', executedAt: ago(5 * MINUTE_MS - 1) })
    expect(await fires()).toEqual([])
    await action('act_3', { createdAt: ago(15 * MINUTE_MS), amountMinor: 500n, currency: 'EUR' })
    await action('act_4', { state: 'executing', executedAt: ago(5 * MINUTE_MS), createdAt: ago(HOUR_MS) })
    expect(await fires()).toMatchObject([
      { kind: 'approvals_waiting', severity: 'ticket', detail: { count: 1, money: [{ minor: '500' }] } },
      { kind: 'unknown_outcomes', severity: 'ticket', detail: { count: 1 } },
    ])
  })

  test('a correction that may have moved money, before its provider forgets the key', async () => {
    await setTerms([{ kind: 'unknown_outcomes', severity: 'off' }])
    await action('act_5', {
      state: 'unknown',
      provider: 'src_x',
      charge: 'ch_1',
      executedAt: ago(22 * HOUR_MS),
      amountMinor: 700n,
      currency: 'EUR',
    })
    expect(await fires()).toMatchObject([
      { kind: 'window_closing', subject: 'corrections', detail: { count: 1, money: [{ minor: '700' }] } },
    ])
  })

  test('a reconciliation that is incomplete for ten minutes, until the next one is not', async () => {
    const run = (id: string, outcome: string) =>
      console.db.prisma.run.create({
        data: {
          id,
          kind: 'reconciliation',
          state: 'done',
          outcome,
          requestedBy: 'system:schedule',
          createdAt: clock.now(),
          finishedAt: clock.now(),
        },
      })
    await run('run_1', 'incomplete')
    expect(await fires()).toEqual([])
    clock.advance(10 * MINUTE_MS)
    await console.db.prisma.source.updateMany({ data: { lastOkAt: clock.now() } })
    await alive('worker')
    expect(await fires()).toMatchObject([{ kind: 'reconciliation_incomplete', severity: 'ticket' }])
    await run('run_2', 'breaks')
    expect(await fires()).toEqual([])
  })
})

const kase = (n: number, data: object) =>
  console.db.prisma.reconciliationCase.create({
    data: {
      id: `cas_${n}`,
      breakId: `brk_${n}`,
      system: 'payments',
      operationId: BigInt(n),
      aspect: 'uniqueness',
      objectId: `ch_${n}`,
      class: 'duplicate_same_key',
      severity: 'P1',
      outcome: 'break',
      lifecycle: 'new',
      effectIds: [],
      amountMinor: 1500n,
      currency: 'EUR',
      evidence: {},
      evidenceHash: '',
      firstSeen: ago(15 * MINUTE_MS),
      lastSeen: clock.now(),
      ...data,
    },
  })

test('P1 cases that are open for fifteen minutes, and suspicions for an hour; what is put off or resolved is not', async () => {
  await kase(1, { firstSeen: ago(15 * MINUTE_MS - 1) })
  await kase(2, { lifecycle: 'resolved' })
  await kase(3, { triage: 'snoozed' })
  await kase(4, { outcome: 'pending' })
  await kase(5, { class: 'duplicate_semantic', severity: 'P2', firstSeen: ago(59 * MINUTE_MS) })
  expect(await fires()).toEqual([])
  await kase(6, {})
  await kase(7, { class: 'duplicate_semantic', severity: 'P2', firstSeen: ago(HOUR_MS) })
  const found = await fires()
  expect(found).toMatchObject([
    { kind: 'p1_cases', severity: 'page', detail: { count: 1, money: [{ minor: '1500', currency: 'EUR' }] } },
    { kind: 'suspected_duplicates', severity: 'ticket', detail: { count: 1 } },
  ])
  expect(found[0]?.detail.examples).toEqual([
    { label: 'Charged twice on one key', path: '/reconciliation/cases/cas_6' },
  ])
})

test('side effects without a record, ten minutes after they were found; one that is answered for is not', async () => {
  await observeEffects(console.db, clock, [
    {
      name: 'stripe.charge',
      step: 'charge',
      scope: 'web/POST /v1/payments',
      keyHash: 'ab'.repeat(16),
      effectId: 'ch_1',
      at: ago(20 * MINUTE_MS),
      amount: { minor: 4200n, currency: 'EUR' },
      outcome: 'committed',
      observer: 'store',
    },
  ])
  await console.db.pool.query('UPDATE telemetry.effect SET orphan_at = $1, settled = false', [
    ago(10 * MINUTE_MS - 1),
  ])
  expect(await fires()).toEqual([])
  await console.db.pool.query('UPDATE telemetry.effect SET orphan_at = $1', [ago(10 * MINUTE_MS)])
  expect(await fires()).toMatchObject([
    {
      kind: 'orphaned_effects',
      severity: 'page',
      detail: { count: 1, money: [{ minor: '4200', currency: 'EUR' }], examples: [{ label: 'ch_1' }] },
    },
  ])
  await console.db.pool.query('UPDATE telemetry.effect SET settled = true')
  expect(await fires()).toEqual([])
})

test('a side effect that never gets a record is over once it is booked, given back, or its case is resolved', async () => {
  const ids = ['ch_booked', 'ch_refunded', 'ch_by_payment', 'ch_resolved', 'ch_open']
  await observeEffects(
    console.db,
    clock,
    ids.map((effectId, n) => ({
      name: 'stripe.charge',
      step: 'charge',
      scope: 'web/POST /v1/payments',
      keyHash: `a${n}`.repeat(16),
      effectId,
      at: ago(HOUR_MS),
      amount: { minor: 100n, currency: 'EUR' },
      outcome: 'committed' as const,
      observer: 'store' as const,
    })),
  )
  await console.db.pool.query('UPDATE telemetry.effect SET orphan_at = $1, settled = false', [ago(HOUR_MS)])
  const unanswered = async () => (await fires()).flatMap(({ detail }) => [detail.count, detail.money])
  expect(await unanswered()).toEqual([5, [{ minor: '500', currency: 'EUR' }]])

  const staged = (object: string, columns: Record<string, unknown>) => {
    const row = { side: 'provider', kind: 'charge', status: 'succeeded', provider_ref: object, ...columns }
    return console.db.pool.query(
      `INSERT INTO mirror.object (version, seq, born_seq, occurred_at, staged_at, source_id, object_id, system, content_hash, data,
         side, kind, status, provider_ref, parent_ref, captured_minor, refunded_minor)
       SELECT 1, 1, 1, $1, $1, 'src_pay', $2, 'payments', '\\x00', '{}', r.side, r.kind, r.status, r.provider_ref, r.parent_ref,
         r.captured_minor, r.refunded_minor
       FROM jsonb_to_record($3::jsonb) r(side text, kind text, status text, provider_ref text, parent_ref text,
         captured_minor bigint, refunded_minor bigint)`,
      [ago(HOUR_MS), object, JSON.stringify(row)],
    )
  }
  await staged('ch_booked', { captured_minor: 100, refunded_minor: 0 })
  await staged('ch_refunded', { captured_minor: 100, refunded_minor: 99 })
  await staged('ch_by_payment', { captured_minor: 100, refunded_minor: 0, parent_ref: 'pi_1' })
  await staged('led_1', { side: 'ledger', kind: 'charge', status: 'reversed', provider_ref: 'ch_booked' })
  expect((await unanswered())[0]).toBe(5)
  await console.db.pool.query(`UPDATE mirror.object SET status = 'booked' WHERE object_id = 'led_1'`)
  await staged('led_2', { side: 'ledger', kind: 'charge', status: 'booked', provider_ref: 'pi_1' })
  await console.db.pool.query(`UPDATE mirror.object SET refunded_minor = 100 WHERE object_id = 'ch_refunded'`)
  expect((await unanswered())[0]).toBe(2)

  const orphan = { class: 'orphan_effect', effectIds: ['ch_resolved'], severity: 'P2' }
  await kase(1, { ...orphan, lifecycle: 'resolved' })
  await kase(2, { ...orphan, lifecycle: 'reopened' })
  expect((await unanswered())[0]).toBe(2)
  await console.db.prisma.reconciliationCase.updateMany({ data: { lifecycle: 'resolved' } })
  expect(await unanswered()).toEqual([1, [{ minor: '100', currency: 'EUR' }]])
})

describe('the console itself', () => {
  test('a worker that is silent for a minute, or that is not there at all', async () => {
    const later = async (ms: number) => {
      clock.advance(ms)
      await console.db.prisma.source.updateMany({ data: { lastOkAt: clock.now() } })
    }
    await alive('worker', 14_999)
    expect(await fires()).toEqual([])
    await later(1)
    expect(await fires()).toEqual([])
    await later(44_999)
    expect(await fires()).toEqual([])
    await later(1)
    expect(await fires()).toMatchObject([
      { kind: 'worker_dead', severity: 'page', detail: { lastAt: ago(MINUTE_MS).toISOString() } },
    ])
    await alive('worker')
    expect(await fires()).toEqual([])
    await console.db.pool.query('DELETE FROM process_heartbeat')
    expect(await fires()).toEqual([])
    await later(45_000)
    expect(await fires()).toMatchObject([{ kind: 'worker_dead', detail: { lastAt: null } }])
  })

  test('a receiver that fell silent; one that never ran where no service ever sent is no fault', async () => {
    await alive('receiver', 15_000)
    expect(await fires()).toEqual([])
    clock.advance(45_000)
    await console.db.prisma.source.updateMany({ data: { lastOkAt: clock.now() } })
    await alive('worker')
    expect(await fires()).toMatchObject([{ kind: 'receiver_dead' }])
    await console.db.pool.query(`DELETE FROM process_heartbeat WHERE kind = 'receiver'`)
    expect(await fires()).toEqual([])
  })

  test('a run that nobody takes, and an entry of the audit that nobody seals', async () => {
    const queued = (id: string, waitMs: number) =>
      console.db.prisma.run.create({
        data: { id, kind: 'bulk', requestedBy: 'usr_1', createdAt: ago(waitMs) },
      })
    await queued('run_1', MINUTE_MS - 1)
    expect(await fires()).toEqual([])
    await queued('run_2', MINUTE_MS)
    await console.db.prisma.$transaction((tx) =>
      append(
        tx,
        {
          ...ctx,
          clock: manualClock(ago(MINUTE_MS).toISOString()),
          actor: { kind: 'system', job: 'test' },
          requestId: 'req_1',
        },
        { verb: 'receiver.test', subject: 'rcv_1', outcome: 'done' },
      ),
    )
    expect(await fires()).toMatchObject([
      { kind: 'audit_unsealed', detail: { count: 1 } },
      { kind: 'queue_stuck', detail: { count: 1, oldestAt: ago(MINUTE_MS).toISOString() } },
    ])
    await seal(console.db, clock)
    await console.db.pool.query('TRUNCATE run CASCADE')
    expect(await fires()).toEqual([])
  })

  test('partitions that end within a day', async () => {
    const later = manualClock('2026-03-05T00:00:01Z')
    await heartbeatProcess(console.db, { id: 'prc_worker', kind: 'worker', pid: 1 }, later)
    await console.db.prisma.source.updateMany({ data: { lastOkAt: later.now() } })
    await evaluateConditions({ ...ctx, clock: later })
    expect(await readConditions(console.db)).toMatchObject([
      { kind: 'partitions_late', severity: 'ticket', detail: { until: '2026-03-06T00:00:00.000Z' } },
    ])
  })
})

test('a store that is full in a week at its growth, and one whose expired keys wait', async () => {
  const sample = (at: Date, bytes: bigint, oldestExpiredAt: Date | null) =>
    recordStoreSample(console.db, {
      at,
      sourceId: 'src_pay',
      tier: 'standard',
      rows: 1n,
      bytes,
      expiredRows: oldestExpiredAt === null ? 0n : 1n,
      oldestAt: null,
      oldestExpiredAt,
    })
  await sample(ago(12 * HOUR_MS), 1_000n, null)
  await sample(ago(1_000), 2_000n, ago(HOUR_MS + 10 * MINUTE_MS))
  await console.db.prisma.setting.create({
    data: {
      key: 'store_capacity:src_pay',
      value: { bytes: 20_000 },
      updatedAt: clock.now(),
      updatedBy: 'test',
    },
  })
  expect(await fires()).toEqual([])
  await sample(ago(500), 2_000n, ago(HOUR_MS + 11 * MINUTE_MS))
  await console.db.prisma.setting.update({
    where: { key: 'store_capacity:src_pay' },
    data: { value: { bytes: 15_000 } },
  })
  expect(await fires()).toMatchObject([
    { kind: 'collection_late', severity: 'ticket', subject: 'src_pay' },
    { kind: 'storage_days', severity: 'ticket', subject: 'src_pay', detail: { name: 'payments store' } },
  ])
})

test('a store that cannot be read for a minute pages; until then it is a stale source', async () => {
  await console.db.prisma.source.update({
    where: { id: 'src_pay' },
    data: { lastError: 'refused', lastErrorAt: new Date(clock.now().getTime() + 1) },
  })
  expect(await fires()).toMatchObject([{ kind: 'stale_source', severity: 'ticket' }])
  clock.advance(MINUTE_MS)
  await alive('worker')
  await console.db.prisma.source.update({ where: { id: 'src_ord' }, data: { lastOkAt: clock.now() } })
  expect(await fires()).toMatchObject([{ kind: 'stale_source' }, { kind: 'store_down', severity: 'page' }])
  await console.db.prisma.source.update({
    where: { id: 'src_pay' },
    data: { lastError: null, lastErrorAt: null, lastOkAt: clock.now() },
  })
  expect(await fires()).toEqual([])
})

test('facts that cannot be read clear nothing of theirs, and keep no other from being evaluated', async () => {
  await lock({ ageMs: 20 * MINUTE_MS })
  await fires()
  await console.db.pool.query('ALTER TABLE lock RENAME TO lock_away')
  await action('act_9', { createdAt: ago(HOUR_MS) })
  await expect(evaluateConditions(ctx)).rejects.toThrow('"lock" does not exist')
  await console.db.pool.query('ALTER TABLE lock_away RENAME TO lock')
  expect((await readConditions(console.db)).map(({ kind }) => kind).sort()).toEqual([
    'approvals_waiting',
    'stuck_keys',
  ])
})

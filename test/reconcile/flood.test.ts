import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verdictSentence } from '@/lib/alerts/now/verdict-sentence'
import { listCases } from '@/lib/reconcile/cases/cases'
import { acquire, begin, charge, complete, pay } from './payments'
import { sightMismatch } from './sight-mismatch'
import { createWorld, reconcileNow, ripen, type World } from './world'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const CAP = { settings: { floodCap: 2 } }
const list = async (filter: Parameters<typeof listCases>[1]) =>
  (await listCases(world.system.db, filter, { limit: 200 })).items
const firing = () =>
  world.system.db.prisma.condition.findMany({
    where: { kind: 'case_flood', state: 'firing' },
    orderBy: { subject: 'asc' },
  })
const detailOf = (condition: { detail: unknown } | undefined) =>
  (condition?.detail ?? {}) as Record<string, unknown>

async function runs(count: number) {
  for (let n = 0; n < count; n++) {
    world.advance(10_000)
    await reconcileNow(world, CAP)
  }
}

/** A charge without any record, of its own amount. */
const orphan = (amount: number) =>
  charge(world, null, { reference: `orphan-${amount}`, amount, providerKey: `orphan-${amount}` })

describe('a flood of what clients can cause', () => {
  test('keeps no double charge from being opened, is told, and wakes nobody', async () => {
    for (const n of [1, 2, 3]) {
      const { held } = await pay(world, `reused-${n}`)
      await sightMismatch(world, held)
    }
    const held = await acquire(world, { scope: 'web/POST /v1/legacy-payments' })
    await begin(world, held)
    const kept = await charge(world, held, { reference: 'twice', providerKey: 'twice-a' })
    await charge(world, held, { reference: 'twice', providerKey: 'twice-b' })
    await complete(world, held, { reference: 'twice', charge: kept })
    await runs(4)
    expect(await list({ class: ['key_reuse_mismatch'] })).toEqual([])
    expect(await list({ class: ['duplicate_same_key'] })).toHaveLength(1)
    const [condition, ...others] = await firing()
    expect(others).toEqual([])
    expect(condition?.subject).toBe(`payments/key_reuse_mismatch/${world.ids.store}`)
    expect(condition?.detail).toMatchObject({ class: 'key_reuse_mismatch', wouldOpen: 3, opened: 0, cap: 2 })
    expect(detailOf(condition).examples).toHaveLength(3)
    const alert = { kind: 'case_flood' as const, severity: 'ticket' as const, detail: detailOf(condition) }
    expect(condition?.severity).toBe(alert.severity)
    const quiet = {
      measured: true,
      duplicateEffects: { count: 0, of: 0, atRisk: [] },
      stuckLocks: { count: 0, oldestSeconds: null },
      orphans: 0,
      openCases: { p1: 0, all: 0 },
    }
    const view = { ...alert, id: 'con_1', subject: condition?.subject ?? '', since: '' }
    expect(verdictSentence([view], quiet).tone).toBe('warn')
  })

  test('and once it is over, what it left without a case is opened and its condition clears', async () => {
    await reconcileNow(world)
    expect(await list({ class: ['key_reuse_mismatch'] })).toHaveLength(3)
    expect(await firing()).toEqual([])
  })
})

test('of a P1 class the largest amounts are opened up to the cap, once, and the rest is counted', async () => {
  for (const amount of [5_000, 1_000, 9_000, 3_000]) await orphan(amount)
  await runs(4)
  const opened = await list({ class: ['orphan_effect'] })
  expect(opened.map(({ amount }) => amount?.minor).sort()).toEqual(['5000', '9000'])
  expect(await firing()).toMatchObject([
    { subject: `payments/orphan_effect/${world.ids.provider}`, detail: { severity: 'P1', wouldOpen: 2 } },
  ])
  await reconcileNow(world)
  expect(await list({ class: ['orphan_effect'] })).toHaveLength(4)
})

test('a run about a window clears no flood of the whole system', async () => {
  for (const amount of [101, 102, 103]) await orphan(amount)
  await runs(3)
  expect(await firing()).toHaveLength(1)
  const now = world.system.clock.now()
  const params = { from: new Date(now.getTime() - 1_000).toISOString(), to: now.toISOString() }
  await reconcileNow(world, { params })
  expect(await firing()).toHaveLength(1)
  await ripen(world)
  expect(await firing()).toEqual([])
})

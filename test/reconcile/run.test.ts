import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manualClock } from '@/lib/core/clock'
import { inTransaction } from '@/lib/db'
import { assignOperations } from '@/lib/mirror/operations'
import { readWatermark } from '@/lib/mirror/watermark'
import { listCases } from '@/lib/reconcile/cases/cases'
import { classifyOperation } from '@/lib/reconcile/classify/classify-operation'
import { readOperations } from '@/lib/reconcile/classify/read/read-operations'
import type { RunHandle } from '@/lib/runs/handle'
import { CONTEXT } from './build'
import { acquire, book, charge, giveBack, killHolder, pay } from './payments'
import { createWorld, reconcileNow, ripen, type World } from './world'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const list = async (filter = {}) => (await listCases(world.system.db, filter, { limit: 200 })).items
const caseOf = async (reference: string) => (await list({ reference }))[0]

describe('what a run guarantees', () => {
  test('a dry run compares and opens nothing', async () => {
    const paid = await pay(world, 'dry', { skip: 'book' })
    world.advance(6_000)
    await reconcileNow(world)
    world.advance(20_000)
    const watermark = await readWatermark(world.system.db, 'payments')
    const run = await reconcileNow(world, { dryRun: true })
    expect(run.counts.payments).toMatchObject({ byClass: { ledger_missing: { breaks: 1 } } })
    expect(await caseOf('dry')).toBeUndefined()
    expect((await readWatermark(world.system.db, 'payments')).from).toBe(watermark.from)
    await book(world, { ref: paid.charge, reference: 'dry' })
    expect((await reconcileNow(world)).outcome).toBe('reconciled')
  })

  test('on demand compares its window and never moves the watermark', async () => {
    const from = world.system.clock.now()
    const paid = await pay(world, 'window', { skip: 'book' })
    world.advance(26_000)
    const watermark = await readWatermark(world.system.db, 'payments')
    const params = {
      from: new Date(from.getTime() - 2_000).toISOString(),
      to: world.system.clock.now().toISOString(),
    }
    const run = await reconcileNow(world, { params })
    expect(run.outcome).toBe('breaks')
    expect(await caseOf('window')).toMatchObject({ class: 'ledger_missing' })
    expect((await readWatermark(world.system.db, 'payments')).from).toBe(watermark.from)
    await book(world, { ref: paid.charge, reference: 'window' })
    expect((await reconcileNow(world)).outcome).toBe('reconciled')
  })

  test('a class above the flood cap opens none of its cases, raises one condition, and clears', async () => {
    const lost = await Promise.all([1, 2, 3].map((n) => pay(world, `flood-${n}`, { skip: 'book' })))
    world.advance(6_000)
    await reconcileNow(world)
    world.advance(20_000)
    const flooded = await reconcileNow(world, { settings: { floodCap: 2 } })
    expect(flooded.counts.payments).toMatchObject({ flooded: true, opened: 0 })
    expect(await caseOf('flood-1')).toBeUndefined()
    const firing = () =>
      world.system.db.prisma.condition.findMany({ where: { kind: 'case_flood', state: 'firing' } })
    expect(await firing()).toHaveLength(1)
    const next = await reconcileNow(world)
    expect(next.counts.payments).toMatchObject({ flooded: false, opened: 3 })
    expect(await firing()).toHaveLength(0)
    for (const { charge: ref, reference } of lost) await book(world, { ref, reference })
    expect((await reconcileNow(world)).counts.payments).toMatchObject({ resolved: 3 })
  })

  test('a run whose source fails is incomplete, resolves nothing and calls nothing missing', async () => {
    const paid = await pay(world, 'down', { skip: 'book' })
    await ripen(world)
    expect(await caseOf('down')).toMatchObject({ lifecycle: expect.not.stringMatching('resolved') })
    await book(world, { ref: paid.charge, reference: 'down' })
    const bystander = await pay(world, 'bystander', { skip: 'book' })
    await world.service.query('ALTER TABLE ledger_entry RENAME TO ledger_gone')
    world.advance(26_000)
    const run = await reconcileNow(world)
    await world.service.query('ALTER TABLE ledger_gone RENAME TO ledger_entry')
    expect(run.outcome).toBe('incomplete')
    expect(run.counts.payments).toMatchObject({ resolved: 0, opened: 0, failures: [{ name: 'ledger' }] })
    expect(await caseOf('down')).toMatchObject({ lifecycle: expect.not.stringMatching('resolved') })
    const source = await world.system.db.prisma.source.findUniqueOrThrow({ where: { id: world.ids.ledger } })
    expect(source.lastError).toMatch(/ledger_entry/)
    await book(world, { ref: bystander.charge, reference: 'bystander' })
    expect((await reconcileNow(world)).outcome).toBe('reconciled')
  })

  test('two operations that turn out to be one keep the older case', async () => {
    const held = await acquire(world)
    await killHolder(world, held)
    await ripen(world)
    const stuck = (await list({ key: held.key }))[0]
    await pay(world, 'merged', { skip: 'book' })
    await ripen(world)
    const unbooked = await caseOf('merged')
    // Its charge ties the stuck key to the other order's reference.
    await charge(world, held, { reference: 'merged', amount: 77 })
    await ripen(world)
    const rows = await world.system.db.prisma.reconciliationCase.findMany({
      where: { id: { in: [stuck?.id ?? '', unbooked?.id ?? ''] } },
    })
    expect(rows.map(({ operationId }) => operationId)).toEqual([rows[0]?.operationId, rows[0]?.operationId])
    expect((await list({ key: held.key })).map(({ id, class: name }) => ({ id, name }))).toEqual([
      { id: stuck?.id, name: 'stuck_effect_done' },
    ])
    await world.service.query(`DELETE FROM idem_lease WHERE key = idem_key_bytes($1)`, [held.key])
  })
})

test('what the match drops as clean is what classification finds nothing in', async () => {
  await giveBack(world, await pay(world, 'clean-1'))
  await pay(world, 'clean-2', { amount: 3_333 })
  await pay(world, 'clean-3', { manual: true })
  for (let n = 4; n <= 8; n++) await pay(world, `clean-${n}`)
  world.advance(6_000)
  const params = { from: '2020-01-01T00:00:00Z', to: '2099-01-01T00:00:00Z' }
  let kept: string[] = []
  const wrap = (handle: RunHandle): RunHandle => ({
    ...handle,
    async report(update, client) {
      await handle.report(update, client)
      const { rows } = await (client ?? world.system.db.pool).query(
        'SELECT operation_id FROM mirror.candidate WHERE run_id = $1',
        [handle.id],
      )
      if (rows.length > 0) kept = rows.map((row) => row.operation_id)
    },
  })
  const run = await reconcileNow(world, { params, wrap })
  // What paired up has no operation: it gets one here, to be classified.
  await inTransaction(world.system.db.pool, async (client) => {
    const { rows: loose } = await client.query(
      `SELECT provider_ref FROM mirror.object WHERE operation_id IS NULL AND provider_ref IS NOT NULL`,
    )
    const members = loose.map((row) => ({ aliases: [`p:${row.provider_ref}`], eager: true }))
    await assignOperations(client, 'payments', world.system.clock.now(), members)
  })
  const { rows } = await world.system.db.pool.query('SELECT DISTINCT operation_id FROM mirror.object')
  const dropped = rows.map((row) => row.operation_id).filter((id) => !kept.includes(id))
  expect(run.counts.payments).toMatchObject({ matched: dropped.length })
  expect(dropped.length).toBeGreaterThan(5)
  const operations = await readOperations(world.system.db, 'payments', dropped.map(BigInt))
  const asOf = manualClock(world.system.clock.now()).now()
  for (const operation of operations) {
    expect(classifyOperation(operation, { ...CONTEXT, asOf }).findings).toEqual([])
  }
})

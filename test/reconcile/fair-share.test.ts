import { afterAll, beforeAll, expect, test } from 'vitest'
import { listCases } from '@/lib/reconcile/cases/cases'
import { classifyBatch, nextBatch } from '@/lib/reconcile/classify/read/classify-all'
import { readOperations } from '@/lib/reconcile/classify/read/read-operations'
import { openSource, openSystem } from '@/lib/sources/registry'
import { acquire, begin, book, complete, pay, settle } from './payments'
import { createWorld, reconcileNow, ripen, SETTINGS, type World } from './world'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const caseOf = async (reference: string) => {
  const { items } = await listCases(world.system.db, { reference }, { limit: 1 })
  if (items[0] === undefined) throw new Error(`no case of ${reference}`)
  return world.system.db.prisma.reconciliationCase.findUniqueOrThrow({ where: { id: items[0].id } })
}

/** A record that names a charge which the provider does not have. */
async function toldOnly(reference: string): Promise<void> {
  const held = await acquire(world)
  await begin(world, held)
  await settle(world, held, `ch_3${reference.padEnd(23, 'x')}`, 1050)
  await complete(world, held, { reference, charge: `ch_3${reference.padEnd(23, 'x')}` })
}

test('a class that has used up its questions leaves those of the others', async () => {
  await toldOnly('told')
  await book(world, { ref: 'ch_3phantomphantomphantom0', reference: 'phantom' })
  world.advance(6_000)
  await reconcileNow(world)
  world.advance(20_000)
  const { rows } = await world.system.db.pool.query(
    `SELECT DISTINCT operation_id FROM mirror.object WHERE operation_id IS NOT NULL`,
  )
  const ids = rows.map(({ operation_id }) => BigInt(operation_id))
  const sources = await openSystem(world.system, 'payments')
  const sides = { intent: 'complete', ledger: 'complete', provider: 'complete' } as const
  const run = { id: 'run_share', system: 'payments', stage: { asOf: world.system.clock.now(), sides } }
  const results = await classifyBatch(
    world.system,
    run,
    sources,
    await readOperations(world.system.db, 'payments', ids),
    {
      coverage: null,
      budget: { left: 1_000 },
      spent: new Map([['done_but_no_effect', 200]]),
      settings: SETTINGS,
    },
  )
  const outcomes = results.flatMap(({ classified }) =>
    classified.findings.map((finding) => [finding.class, finding.outcome]),
  )
  expect(outcomes.sort()).toEqual([
    ['done_but_no_effect', 'pending'],
    ['phantom_ledger', 'break'],
  ])
})

test('what has no case yet is classified before what has one', async () => {
  await pay(world, 'older', { skip: 'book' })
  await ripen(world)
  await pay(world, 'newer', { skip: 'book' })
  world.advance(6_000)
  await reconcileNow(world)
  const { operationId: older } = await caseOf('older')
  const { rows } = await world.system.db.pool.query(
    `SELECT operation_id FROM mirror.object WHERE reference = 'newer' AND operation_id IS NOT NULL LIMIT 1`,
  )
  const newer = BigInt(rows[0].operation_id)
  expect(older < newer).toBe(true)
  const run = { id: 'run_order', system: 'payments' }
  const classifiable = async (...ids: bigint[]) =>
    world.system.db.pool.query(
      `INSERT INTO mirror.candidate (run_id, system, operation_id) SELECT $1, $2, unnest($3::bigint[])`,
      [run.id, run.system, ids],
    )
  await classifiable(older, newer)
  expect(await nextBatch(world.system, run)).toEqual([newer])
  await world.system.db.pool.query(`UPDATE mirror.candidate SET classified = true WHERE operation_id = $1`, [
    newer,
  ])
  expect(await nextBatch(world.system, run)).toEqual([older])
})

test('an operation with too many objects hides no other of its batch', async () => {
  await pay(world, 'huge', { bookAs: 999 })
  await pay(world, 'small', { bookAs: 999 })
  await ripen(world)
  const ids = (await Promise.all([caseOf('huge'), caseOf('small')])).map(({ operationId }) => operationId)
  const read = await readOperations(world.system.db, 'payments', ids, 3)
  expect(read.map(({ id }) => id).sort()).toEqual(ids.sort())
  expect(read.map(({ charges }) => charges.length)).toEqual([1, 1])
})

test('an id with thousands of postings hides none of the ids that are asked with it', async () => {
  await world.service.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
     SELECT 'charge', 'batch', 'batch', 'batch', 1, 'USD' FROM generate_series(1, 10000)`,
  )
  await book(world, { ref: 'ch_alone', reference: 'alone' })
  const { source } = await openSource(world.system, world.ids.ledger)
  if (source.kind !== 'ledger') throw new Error('not the ledger')
  const rows = await source.readByProviderRefs(['batch', 'ch_alone'])
  expect(rows.filter(({ providerRef }) => providerRef === 'ch_alone')).toHaveLength(1)
})

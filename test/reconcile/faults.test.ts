import { afterAll, beforeAll, expect, test } from 'vitest'
import { listCases } from '@/lib/reconcile/cases/cases'
import { acquire, begin, charge, complete, giveBack, killHolder, pay } from './payments'
import { sightMismatch } from './sight-mismatch'
import { createWorld, reconcileNow, type World } from './world'

/** Every fault of the demo's table, through the real store, ledger and provider: each in its class, and nothing else. */

let world: World
const expected: Record<string, unknown>[] = []
const expects = (
  name: string,
  held: { scope: string; key: string },
  effectIds: string[],
  reference: string | null,
) => expected.push({ class: name, scope: held.scope, key: held.key, effectIds, reference })

beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const cases = async () => (await listCases(world.system.db, {}, { limit: 200 })).items

test('every fault becomes its class, with the subject that the truth names', async () => {
  await pay(world, 'plain')
  const manual = await pay(world, 'manual', { manual: true })
  expect(manual.charge).toMatch(/^ch_/)
  await giveBack(world, await pay(world, 'refunded'))
  await pay(world, 'same-amount-1')
  await pay(world, 'same-amount-2')

  const legacy = await acquire(world, { scope: 'web/POST /v1/legacy-payments' })
  const taken = await charge(world, legacy, { reference: 'legacy', providerKey: 'attempt-2' })
  const zombie = await charge(world, legacy, { reference: 'legacy', providerKey: 'attempt-1' })
  await world.service.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
     VALUES ('charge', $1, $1, 'legacy', 1050, 'USD')`,
    [taken],
  )
  await complete(world, legacy, { reference: 'legacy', charge: taken })
  expects('duplicate_same_key', legacy, [taken, zombie], 'legacy')

  const killed = await acquire(world)
  await begin(world, killed)
  const done = await charge(world, killed, { reference: 'killed' })
  await killHolder(world, killed)
  expects('stuck_effect_done', killed, [done], 'killed')

  const hung = await acquire(world)
  await killHolder(world, hung)
  expects('stuck_no_effect', hung, [], null)

  const first = await pay(world, 'two-keys')
  const second = await pay(world, 'two-keys')
  expects('duplicate_semantic', second.held, [first.charge, second.charge], 'two-keys')

  const before = await pay(world, 'expired', { tier: 'short' })
  await reconcileNow(world)
  for (const table of ['idem_record', 'idem_body']) {
    await world.service.query(`DELETE FROM ${table} WHERE key = idem_key_bytes($1)`, [before.held.key])
  }
  // The record of the first life is made to have expired before the second one began.
  await world.system.db.pool.query(
    `UPDATE mirror.object SET expires_at = occurred_at + interval '1 millisecond' WHERE key = $1 AND side = 'intent'`,
    [before.held.key],
  )
  const again = await acquire(world, { key: before.held.key, tier: 'short' })
  const after = await pay(world, 'expired', { held: again, providerKey: 'forgotten' })
  expects('expired_key_retry', again, [before.charge, after.charge], 'expired')

  const reused = await pay(world, 'reused')
  await sightMismatch(world, reused.held)
  expects('key_reuse_mismatch', reused.held, [reused.charge], 'reused')

  const bypassed = { scope: 'web/POST /v1/express-payments', key: 'bypassed-key', fence: '0', tier: 1 }
  const orphan = await charge(world, bypassed, { reference: 'bypassed' })
  expects('orphan_effect', bypassed, [orphan], 'bypassed')

  const lost = await pay(world, 'lost', { skip: 'book' })
  expects('ledger_missing', lost.held, [lost.charge], 'lost')

  const wrong = await pay(world, 'wrong', { bookAs: 1234 })
  expects('amount_mismatch', wrong.held, [wrong.charge], 'wrong')

  const failing = await pay(world, 'failing')
  await reconcileNow(world)
  await world.provider.control.failCharge(failing.charge)
  expects('reversed_after_post', failing.held, [failing.charge], 'failing')

  const unbooked = await pay(world, 'unbooked')
  const refund = await giveBack(world, unbooked, { skip: 'book' })
  expects('refund_unbooked', refund.held, [refund.refund], 'unbooked')

  world.advance(10_000)
  await reconcileNow(world)
  world.advance(20_000)
  const run = await reconcileNow(world)
  expect(run.counts.payments).toMatchObject({ failures: [] })
  expect(run.outcome).toBe('breaks')
  const found = (await cases()).map((each) => ({ class: each.class, ...each.subject }))
  const order = (a: Record<string, unknown>, b: Record<string, unknown>) =>
    String(a.class) < String(b.class) ? -1 : 1
  expect(found.sort(order)).toEqual(expected.sort(order))
})

test('a second run changes nothing, opens nothing, and says so', async () => {
  const before = await cases()
  const run = await reconcileNow(world)
  const after = await cases()
  expect(
    after.map(({ id, class: name, version, evidenceHash }) => ({ id, name, version, evidenceHash })),
  ).toEqual(before.map(({ id, class: name, version, evidenceHash }) => ({ id, name, version, evidenceHash })))
  expect(run.counts.payments).toMatchObject({ opened: 0, reopened: 0, resolved: 0 })
  expect(after.every(({ lifecycle }) => lifecycle === 'persisting')).toBe(true)
})

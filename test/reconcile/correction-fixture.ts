import { listCases } from '@/lib/reconcile/cases/cases'
import { propose } from '@/lib/reconcile/corrections/propose'
import { acquire, book, charge, complete } from './payments'
import { createWorld, REASON, ripen, SETTINGS, type World } from './world'

/** A world with somebody who proposes corrections and somebody who approves them. */
export async function createCorrectionFixture() {
  const world = await createWorld()
  const proposer = await world.as('operator', 'op')
  const approver = await world.as('approver', 'appr')

  let serial = 0
  /** A key charged twice, of which record and ledger name the first. */
  async function doubled() {
    serial += 1
    const reference = `double-${serial}`
    const held = await acquire(world, { scope: 'web/POST /v1/legacy-payments' })
    const kept = await charge(world, held, { reference, providerKey: `${reference}-a` })
    const duplicate = await charge(world, held, { reference, providerKey: `${reference}-b` })
    await book(world, { ref: kept, reference })
    await complete(world, held, { reference, charge: kept })
    return { ...(await openCase(reference)), kept, duplicate, reference }
  }

  async function openCase(reference: string) {
    await ripen(world)
    const [found] = await cases(reference)
    if (found === undefined) throw new Error(`no case of ${reference}`)
    return { caseId: found.id }
  }

  const cases = async (reference: string) =>
    (await listCases(world.system.db, { reference }, { limit: 10 })).items
  const proposeRefund = (caseId: string, params = {}) =>
    propose(proposer, { caseId, kind: 'refund', params, reason: REASON }, SETTINGS)
  const refundsOf = async (id: string) => (await world.stripe.refunds.list({ charge: id, limit: 100 })).data

  return {
    world,
    proposer,
    approver,
    doubled,
    openCase,
    cases,
    proposeRefund,
    refundsOf,
    /** The provider is well again. */
    calm: () =>
      world.provider.control.setSwitches({
        rateLimit: { remaining: 0, retryAfterS: 0 },
        serverError: { remaining: 0, effect: 'before' },
      }),
  }
}

export const hashOf = (action: { evidenceHash: string | null }) => action.evidenceHash ?? ''

/** The service's function under its own name, with another body while `work` runs. */
export async function withFunction<T>(world: World, body: string, work: () => Promise<T>): Promise<T> {
  await world.service.query('ALTER FUNCTION payments_apply_correction(jsonb) RENAME TO payments_apply_kept')
  await world.service.query(
    `CREATE FUNCTION payments_apply_correction(p jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN ${body} END $$`,
  )
  try {
    return await work()
  } finally {
    await world.service.query('DROP FUNCTION payments_apply_correction(jsonb)')
    await world.service.query('ALTER FUNCTION payments_apply_kept(jsonb) RENAME TO payments_apply_correction')
  }
}

import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { LEDGER_CONFIG } from '@/jobs/supervisor/demo/demo-sources'
import { approve } from '@/lib/reconcile/corrections/approve'
import { executeCorrection } from '@/lib/reconcile/corrections/execute/execute'
import { settleCorrections } from '@/lib/reconcile/corrections/execute/settle'
import { propose } from '@/lib/reconcile/corrections/propose'
import { openSystem } from '@/lib/sources/registry'
import { saveSource } from '@/lib/sources/save'
import { createCorrectionFixture, hashOf, withFunction } from './correction-fixture'
import { pay } from './payments'
import { REASON, reconcileNow, SETTINGS } from './world'

const { world, proposer, approver, openCase, cases, calm } = await createCorrectionFixture()
afterAll(() => world.close())
beforeEach(calm)

const proposeBooking = (caseId: string) =>
  propose(proposer, { caseId, kind: 'book_dispute', reason: REASON }, SETTINGS)
const decide = (action: Awaited<ReturnType<typeof propose>>, by = approver) =>
  approve(by, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)

/** A payment that is booked, and that the customer's bank takes back. */
async function disputed(reference: string) {
  const paid = await pay(world, reference)
  await world.provider.control.disputeCharge(paid.charge)
  return { ...paid, ...(await openCase(reference)) }
}

async function booked(charge: string) {
  const { rows } = await world.service.query(
    `SELECT provider_ref, amount_minor, currency, correction_id FROM ledger_entry
     WHERE entry_kind = 'dispute' AND charge_ref = $1`,
    [charge],
  )
  return rows
}

const mapDisputesAs = async (dispute: string[]) => {
  const { connectionString: url } = world.service.options
  const config = { ...LEDGER_CONFIG, kinds: { ...LEDGER_CONFIG.kinds, dispute } }
  await saveSource(
    world.system,
    { adapter: 'ledger-postgres', name: 'ledger', system: 'payments', config, secret: { url } },
    { credentialsKey: process.env.IDEMSCOPE_CREDENTIALS_KEY, demo: true, atStart: true },
  )
}

describe('dispute_unbooked: the dispute is booked', () => {
  test('proposed by one, refused to them, approved by another, booked once under the dispute’s id; the case closes', async () => {
    const { charge, caseId } = await disputed('disp-1')
    expect(await cases('disp-1')).toMatchObject([
      { class: 'dispute_unbooked', fixes: ['book_dispute', 'ignore'] },
    ])
    const action = await proposeBooking(caseId)
    const own = await world.as('approver', 'op')
    await expect(decide(action, own)).rejects.toMatchObject({ code: 'forbidden' })
    expect(await booked(charge)).toEqual([])
    expect(await decide(action)).toMatchObject({ state: 'done', result: { applied: true } })
    const [dispute] = (await world.stripe.disputes.list({ charge })).data
    const once = [
      { provider_ref: dispute?.id, amount_minor: '1050', currency: 'USD', correction_id: action.id },
    ]
    expect(await booked(charge)).toEqual(once)
    expect(await cases('disp-1')).toMatchObject([{ resolution: 'corrected' }])
    // Again, whichever way: the same action, the same call, and another action for the same dispute.
    expect(await executeCorrection(approver, action.id, SETTINGS)).toMatchObject({ state: 'done' })
    const [ledger] = (await openSystem(world.system, 'payments')).ledgers
    const call = (actionId: string) =>
      ledger?.source.correct({
        actionId,
        kind: 'book_dispute',
        entryId: null,
        providerRef: dispute?.id ?? '',
        chargeRef: charge,
        paymentIntent: null,
        reference: 'disp-1',
        amountMinor: 1050n,
        currency: 'USD',
      })
    expect(await call(action.id)).toMatchObject({ applied: false })
    expect(await call('act_another')).toMatchObject({ applied: false })
    expect(await booked(charge)).toEqual(once)
    await reconcileNow(world)
    expect(await cases('disp-1')).toMatchObject([{ lifecycle: 'resolved', resolution: 'corrected' }])
  })

  test('an answer that is lost is unknown, and settled by reading: it had been booked, once', async () => {
    const { charge, caseId } = await disputed('disp-2')
    const action = await proposeBooking(caseId)
    // Carried out and committed, but what comes back is no answer.
    const unknown = await withFunction(world, "PERFORM payments_apply_kept(p); RETURN '{}';", () =>
      decide(action),
    )
    expect(unknown.state).toBe('unknown')
    world.advance(10_000)
    expect(await settleCorrections(world.system, SETTINGS)).toBe(1)
    const row = await world.system.db.prisma.action.findUniqueOrThrow({ where: { id: action.id } })
    expect(row).toMatchObject({ state: 'done', result: { applied: true } })
    expect(await booked(charge)).toMatchObject([{ correction_id: action.id }])
    expect(await cases('disp-2')).toMatchObject([{ resolution: 'corrected' }])
  })

  test('a dispute that was won since is not booked: the provider is asked again first', async () => {
    const { charge, caseId } = await disputed('disp-3')
    const action = await proposeBooking(caseId)
    await world.provider.control.decideDispute(charge, 'won')
    expect(await decide(action)).toMatchObject({ state: 'refused', result: { reason: 'evidence_changed' } })
    expect(await booked(charge)).toEqual([])
    await expect(proposeBooking(caseId)).rejects.toMatchObject({ code: 'conflict' })
  })

  test('a ledger whose mapping has no kind for disputes refuses, when it is proposed and when it is executed', async () => {
    const { charge, caseId } = await disputed('disp-4')
    await mapDisputesAs([])
    await expect(proposeBooking(caseId)).rejects.toMatchObject({
      code: 'unprocessable',
      message: expect.stringContaining('kinds.dispute'),
    })
    await mapDisputesAs(['dispute'])
    const action = await proposeBooking(caseId)
    await mapDisputesAs([])
    expect(await decide(action)).toMatchObject({ state: 'refused', result: { reason: 'kind_not_mapped' } })
    await mapDisputesAs(['dispute'])
    expect(await booked(charge)).toEqual([])
  })

  test('a service whose function does not know the kind says no: failed at once, and a new action supersedes it', async () => {
    const { charge, caseId } = await disputed('disp-5')
    const action = await proposeBooking(caseId)
    const failed = await withFunction(world, "RAISE EXCEPTION 'unknown kind %', p->>'kind';", () =>
      decide(action),
    )
    expect(failed).toMatchObject({ state: 'failed', result: { reason: 'function_refused' } })
    expect(JSON.stringify(failed.result)).toContain('unknown kind book_dispute')
    const next = await proposeBooking(caseId)
    expect(next.supersedes).toBe(action.id)
    expect(await decide(next)).toMatchObject({ state: 'done' })
    expect(await booked(charge)).toMatchObject([{ correction_id: next.id }])
  })
})

import { readFile } from 'node:fs/promises'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { approve } from '@/lib/reconcile/corrections/approve'
import { executeCorrection } from '@/lib/reconcile/corrections/execute/execute'
import { settleCorrections } from '@/lib/reconcile/corrections/execute/settle'
import { propose } from '@/lib/reconcile/corrections/propose'
import { createCorrectionFixture, hashOf, withFunction } from './correction-fixture'
import { pay } from './payments'
import { REASON, reconcileNow, SETTINGS } from './world'

const { world, proposer, approver, openCase, cases, calm } = await createCorrectionFixture()
afterAll(() => world.close())
beforeEach(calm)

const fix = (caseId: string, kind: 'book_fee' | 'reverse_ledger') =>
  propose(proposer, { caseId, kind, reason: REASON }, SETTINGS)
const decide = (action: Awaited<ReturnType<typeof propose>>, by = approver) =>
  approve(by, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)

async function bookFee(charge: string, amount: number) {
  await world.service.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
     VALUES ('fee', $1, $1, 'fee', $2, 'USD')`,
    [charge, amount],
  )
}

/** Of 1050 the provider keeps 2.9 % and 30, which is 60; 61 is booked. */
async function wrongFee(reference: string) {
  const paid = await pay(world, reference)
  await bookFee(paid.charge, 61)
  return { ...paid, ...(await openCase(reference)) }
}

/** The wrong fee is reversed: none is booked any more. */
async function noFee(reference: string) {
  const found = await wrongFee(reference)
  expect(await decide(await fix(found.caseId, 'reverse_ledger'))).toMatchObject({ state: 'done' })
  return found
}

async function postings(charge: string) {
  const { rows } = await world.service.query(
    `SELECT entry_kind, provider_ref, amount_minor, reversed_at IS NOT NULL AS reversed FROM ledger_entry
     WHERE charge_ref = $1 ORDER BY entry_id`,
    [charge],
  )
  return rows.map((row) => `${row.entry_kind} ${row.amount_minor}${row.reversed ? ' reversed' : ''}`)
}

test('a ledger from before fees and disputes were booked takes them once its schema is applied again', async () => {
  await world.service.query(`ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_entry_kind_check,
    ADD CONSTRAINT ledger_entry_entry_kind_check CHECK (entry_kind IN ('charge', 'refund'))`)
  await expect(bookFee('ch_before', 60)).rejects.toMatchObject({ code: '23514' })
  const schema = await readFile(new URL('../../demo/service/schema.sql', import.meta.url), 'utf8')
  await world.service.query(schema)
  await world.service.query(schema)
  await bookFee('ch_before', 60)
  await expect(
    world.service.query(`UPDATE ledger_entry SET entry_kind = 'other' WHERE charge_ref = 'ch_before'`),
  ).rejects.toMatchObject({ code: '23514' })
})

describe('fee_variance: the wrong fee is reversed, then the provider’s is booked', () => {
  test('the wrong fee is reversed, not the charge’s posting; only then may the right one be booked, once', async () => {
    const { charge, caseId } = await wrongFee('fee-1')
    expect(await cases('fee-1')).toMatchObject([
      { class: 'fee_variance', fixes: ['reverse_ledger', 'ignore'] },
    ])
    await expect(fix(caseId, 'book_fee')).rejects.toMatchObject({ code: 'unprocessable' })
    expect(await decide(await fix(caseId, 'reverse_ledger'))).toMatchObject({ state: 'done' })
    expect(await postings(charge)).toEqual(['charge 1050', 'fee 61 reversed'])
    world.advance(20_000)
    await reconcileNow(world)
    expect(await cases('fee-1')).toMatchObject([{ class: 'fee_variance', fixes: ['book_fee', 'ignore'] }])
    const action = await fix(caseId, 'book_fee')
    const own = await world.as('approver', 'op')
    await expect(decide(action, own)).rejects.toMatchObject({ code: 'forbidden' })
    expect(await decide(action)).toMatchObject({ state: 'done', result: { applied: true } })
    expect(await executeCorrection(approver, action.id, SETTINGS)).toMatchObject({ state: 'done' })
    expect(await postings(charge)).toEqual(['charge 1050', 'fee 61 reversed', 'fee 60'])
    const { rows } = await world.service.query(
      'SELECT provider_ref FROM ledger_entry WHERE correction_id = $1',
      [action.id],
    )
    expect(rows).toEqual([{ provider_ref: `txn_${charge.slice(3)}` }])
    expect(await cases('fee-1')).toMatchObject([{ lifecycle: 'resolved', resolution: 'corrected' }])
    await reconcileNow(world)
    expect(await cases('fee-1')).toMatchObject([{ lifecycle: 'resolved', resolution: 'corrected' }])
  })

  test('a fee that the service books meanwhile is not booked twice: the evidence is stale', async () => {
    const { charge, caseId } = await noFee('fee-2')
    const action = await fix(caseId, 'book_fee')
    await bookFee(charge, 60)
    expect(await decide(action)).toMatchObject({ state: 'refused', result: { reason: 'evidence_changed' } })
    expect(await postings(charge)).toEqual(['charge 1050', 'fee 61 reversed', 'fee 60'])
  })

  test('an answer that is lost is settled by reading', async () => {
    const { charge, caseId } = await noFee('fee-3')
    const action = await fix(caseId, 'book_fee')
    const body = "PERFORM payments_apply_kept(p); RETURN '{}';"
    expect(await withFunction(world, body, () => decide(action))).toMatchObject({ state: 'unknown' })
    world.advance(10_000)
    expect(await settleCorrections(world.system, SETTINGS)).toBe(1)
    expect(await postings(charge)).toEqual(['charge 1050', 'fee 61 reversed', 'fee 60'])
    expect(await cases('fee-3')).toMatchObject([{ resolution: 'corrected' }])
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { LEDGER_CONFIG } from '@/jobs/supervisor/demo/demo-sources'
import { approve } from '@/lib/reconcile/corrections/approve'
import { settleCorrections } from '@/lib/reconcile/corrections/execute/settle'
import { propose } from '@/lib/reconcile/corrections/propose'
import { saveSource } from '@/lib/sources/save'
import { createCorrectionFixture, hashOf, withFunction } from './correction-fixture'
import { charge, giveBack, pay } from './payments'
import { REASON, reconcileNow, SETTINGS } from './world'

const { world, proposer, approver, openCase, cases, calm } = await createCorrectionFixture()
afterAll(() => world.close())
beforeEach(calm)

const decide = (action: Awaited<ReturnType<typeof propose>>) =>
  approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
const fix = (
  caseId: string,
  kind: 'book_ledger' | 'book_refund' | 'reverse_ledger' | 'adopt' | 'refund' | 'ignore',
  params = {},
) => propose(proposer, { caseId, kind, params, reason: REASON }, SETTINGS)

describe('books', () => {
  test('a missing posting is booked once by the service’s own function', async () => {
    const paid = await pay(world, 'book-1', { skip: 'book' })
    const { caseId } = await openCase('book-1')
    const action = await fix(caseId, 'book_ledger')
    expect(await decide(action)).toMatchObject({ state: 'done', result: { applied: true } })
    const { rows } = await world.service.query(
      'SELECT amount_minor, correction_id FROM ledger_entry WHERE provider_ref = $1',
      [paid.charge],
    )
    expect(rows).toEqual([{ amount_minor: '1050', correction_id: action.id }])
    expect(await cases('book-1')).toMatchObject([{ resolution: 'corrected' }])
  })

  test('an unbooked refund is booked', async () => {
    const paid = await pay(world, 'book-2')
    await giveBack(world, paid, { skip: 'book' })
    const { caseId } = await openCase('book-2')
    expect(await decide(await fix(caseId, 'book_refund'))).toMatchObject({ state: 'done' })
    expect(await cases('book-2')).toMatchObject([{ class: 'refund_unbooked', resolution: 'corrected' }])
  })

  test('a posting whose charge failed is reversed', async () => {
    const paid = await pay(world, 'book-3')
    await reconcileNow(world)
    await world.provider.control.failCharge(paid.charge)
    const { caseId } = await openCase('book-3')
    expect(await decide(await fix(caseId, 'reverse_ledger'))).toMatchObject({ state: 'done' })
    const { rows } = await world.service.query(
      'SELECT reversed_at IS NOT NULL AS reversed FROM ledger_entry WHERE provider_ref = $1',
      [paid.charge],
    )
    expect(rows).toEqual([{ reversed: true }])
  })

  test('an orphan is adopted into the books', async () => {
    await charge(
      world,
      { scope: 'web/POST /v1/express-payments', key: 'adopted', fence: '1', tier: 1 },
      { reference: 'book-4' },
    )
    const { caseId } = await openCase('book-4')
    expect(await decide(await fix(caseId, 'adopt'))).toMatchObject({ state: 'done' })
    expect(await cases('book-4')).toMatchObject([{ class: 'orphan_effect', resolution: 'corrected' }])
  })

  test('only what corrects the class may be proposed; ignoring closes by hand with its reason', async () => {
    await pay(world, 'book-5', { bookAs: 1234 })
    const { caseId } = await openCase('book-5')
    await expect(fix(caseId, 'refund')).rejects.toMatchObject({ code: 'unprocessable' })
    await expect(
      propose(proposer, { caseId, kind: 'ignore', reason: 'short' }, SETTINGS),
    ).rejects.toMatchObject({ code: 'invalid' })
    expect(await fix(caseId, 'ignore')).toMatchObject({ kind: 'ignore', state: 'done' })
    await reconcileNow(world)
    expect(await cases('book-5')).toMatchObject([{ lifecycle: 'resolved', resolution: 'by_hand' }])
  })
})

describe('a ledger whose mapping shows neither corrections nor reversals', () => {
  beforeAll(async () => {
    const { correctionId: _, reversedAt: __, ...columns } = LEDGER_CONFIG.columns
    const url = world.service.options.connectionString
    const ledger = {
      adapter: 'ledger-postgres' as const,
      name: 'ledger',
      system: 'payments',
      config: { ...LEDGER_CONFIG, columns },
      secret: { url },
    }
    const credentialsKey = process.env.IDEMSCOPE_CREDENTIALS_KEY
    await saveSource(world.system, ledger, { credentialsKey, demo: true, atStart: true })
  })

  test('a booking whose answer was lost is found by what it books', async () => {
    await pay(world, 'unnamed-1', { skip: 'book' })
    const { caseId } = await openCase('unnamed-1')
    const action = await fix(caseId, 'book_ledger')
    const lost = `PERFORM payments_apply_kept(p); RETURN '{}';`
    expect(await withFunction(world, lost, () => decide(action))).toMatchObject({ state: 'unknown' })
    world.advance(10_000)
    expect(await settleCorrections(world.system, SETTINGS)).toBe(1)
    const row = await world.system.db.prisma.action.findUniqueOrThrow({ where: { id: action.id } })
    expect(row).toMatchObject({ state: 'done', result: { applied: true } })
  })

  test('nothing is reversed that would never be seen as reversed', async () => {
    const paid = await pay(world, 'unnamed-2')
    await reconcileNow(world)
    await world.provider.control.failCharge(paid.charge)
    const { caseId } = await openCase('unnamed-2')
    await expect(fix(caseId, 'reverse_ledger')).rejects.toMatchObject({
      code: 'unprocessable',
      message: expect.stringContaining('reversedAt'),
    })
  })
})

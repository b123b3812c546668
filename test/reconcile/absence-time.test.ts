import { afterAll, describe, expect, test } from 'vitest'
import { execute } from '@/lib/actions/execute'
import { classifyOperation } from '@/lib/reconcile/classify/classify-operation'
import type { ClassifyContext } from '@/lib/reconcile/classify/finding'
import type { Operation } from '@/lib/reconcile/classify/operation'
import { approve } from '@/lib/reconcile/corrections/approve'
import { gather } from '@/lib/reconcile/corrections/execute/gather'
import { correctionSteps } from '@/lib/reconcile/corrections/execute/send'
import { settleCorrections } from '@/lib/reconcile/corrections/execute/settle'
import type { ReconcileSettings } from '@/lib/reconcile/settings'
import type { ProviderSource } from '@/lib/sources/contracts'
import { ago, CONTEXT, effect, lease, operation, posting, record } from './build'
import { createCorrectionFixture, hashOf } from './correction-fixture'
import { SETTINGS } from './world'

/** What is not there counts as absent only when the longest call that could make it has ended and shows. */

const CALL_MS = 120_000
/** With the settle delay and the skew of clocks. */
const SETTLED_S = CALL_MS / 1_000 + 3 + 1

const at = (secondsLater: number): ClassifyContext => {
  const asOf = new Date(CONTEXT.asOf.getTime() + secondsLater * 1_000)
  const coverage = { from: ago(86_400), to: new Date(asOf.getTime() - 1_000) }
  return { ...CONTEXT, callMs: CALL_MS, breakOnMs: 0, asOf, coverage }
}

const begun = { ...effect(null, 'charge', 'begun'), begunAt: ago(2) }
const ABSENCES: [string, Partial<Operation>, number][] = [
  ['stuck_no_effect', { lives: [lease({ leaseUntil: ago(10) })], charges: [], postings: [] }, 10],
  // A retry of an old key: its first acquire says nothing.
  [
    'stuck_no_effect',
    {
      lives: [lease({ acquiredAt: ago(3_600), leaseUntil: ago(10), effects: [begun] })],
      charges: [],
      postings: [],
    },
    2,
  ],
  [
    'done_but_no_effect',
    {
      lives: [record({ completedAt: ago(5), effects: [{ ...begun, state: 'committed' }], names: [] })],
      charges: [],
      postings: [],
    },
    2,
  ],
  [
    'refund_unsent',
    {
      postings: [
        posting(),
        posting({
          entryId: '2',
          kind: 'refund',
          rawKind: 'refund',
          providerRef: null,
          chargeRef: 'ch_1',
          amountMinor: 500n,
          bookedAt: ago(7),
        }),
      ],
    },
    7,
  ],
  [
    'phantom_ledger',
    { lives: [], charges: [], postings: [posting({ providerRef: null, bookedAt: ago(7) })] },
    7,
  ],
]

describe.each(ABSENCES)('%s', (name, objects, begunS) => {
  const outcomeAt = (secondsLater: number) =>
    classifyOperation(operation(objects), at(secondsLater)).findings.find((each) => each.class === name)
      ?.outcome

  test('is no break while a slow call may still be under way, whatever is tolerated', () => {
    const left = SETTLED_S - begunS
    expect([outcomeAt(0), outcomeAt(left - 1), outcomeAt(left)]).toEqual(['pending', 'pending', 'break'])
  })
})

const { world, approver, doubled, proposeRefund, refundsOf, calm } = await createCorrectionFixture()
afterAll(() => world.close())

describe('a correction that was sent again a moment ago', () => {
  const SLOW: ReconcileSettings = { ...SETTINGS, callMs: CALL_MS }
  const stateOf = async (id: string) =>
    (await world.system.db.prisma.action.findUniqueOrThrow({ where: { id } })).state

  /** Sent twice, and lost twice; its approval ends some seconds after the second time. */
  async function sentTwice() {
    await calm()
    const { caseId, duplicate } = await doubled()
    const action = await proposeRefund(caseId)
    world.provider.control.setSwitches({
      serverError: { remaining: 2, effect: 'before', match: 'POST /v1/refunds' },
    })
    await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SLOW)
    world.advance(15 * 60_000 - 20_000)
    expect(await settleCorrections(world.system, SLOW)).toBe(0)
    world.advance(25_000)
    return { id: action.id, duplicate }
  }

  test('is not taken for absent when its approval runs out', async () => {
    const { id, duplicate } = await sentTwice()
    expect([await settleCorrections(world.system, SLOW), await stateOf(id)]).toEqual([0, 'unknown'])
    world.advance(CALL_MS)
    expect([await settleCorrections(world.system, SLOW), await stateOf(id)]).toEqual([1, 'failed'])
    expect(await refundsOf(duplicate)).toHaveLength(0)
  })

  test('is waited for from its request on, however long its evidence was read before', async () => {
    await calm()
    const { caseId, duplicate } = await doubled()
    const { id } = await proposeRefund(caseId)
    const { prisma } = world.system.db
    const now = world.system.clock.now()
    const data = { state: 'executing', executedAt: now, expiresAt: new Date(now.getTime() + CALL_MS) }
    const action = await prisma.action.update({ where: { id }, data })
    const row = await prisma.reconciliationCase.findUniqueOrThrow({ where: { id: caseId } })
    const gathered = await gather(world.system, row, SLOW)
    const [open] = gathered.sources.providers
    if (open === undefined) throw new Error('there is a provider')
    const source: ProviderSource = {
      ...open.source,
      async disputesOfCharge(charge) {
        if (charge === duplicate) world.advance(CALL_MS + 10_000)
        return open.source.disputesOfCharge(charge)
      },
    }
    const slow = { ...gathered, sources: { ...gathered.sources, providers: [{ ...open, source }] } }
    world.provider.control.setSwitches({
      serverError: { remaining: 1, effect: 'before', match: 'POST /v1/refunds' },
    })
    const sent = { id, verb: 'correction.refund', ...correctionSteps(approver, action, slow) }
    expect((await execute(approver, sent)).ended.state).toBe('unknown')
    world.advance(5_000)
    expect([await settleCorrections(world.system, SLOW), await stateOf(id)]).toEqual([0, 'unknown'])
    world.advance(CALL_MS)
    expect([await settleCorrections(world.system, SLOW), await stateOf(id)]).toEqual([1, 'failed'])
  })
})

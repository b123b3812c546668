import { describe, expect, test } from 'vitest'
import { CASE_CLASSES } from '@/lib/core/case-classes'
import { classifyOperation } from '@/lib/reconcile/classify/classify-operation'
import { notOfferedIn } from '@/lib/reconcile/classify/not-offered'
import type { Operation } from '@/lib/reconcile/classify/operation'
import { ago, CONTEXT, charge, dispute, operation, posting, refund } from './build'

const booked = (ref: string, entryId: string, amountMinor = 500n) =>
  posting({ entryId, kind: 'refund', providerRef: ref, amountMinor, bookedAt: ago(150) })
const found = (over: Partial<Operation>, ctx = CONTEXT) => classifyOperation(operation(over), ctx).findings
const classes = (over: Partial<Operation>) => found(over).map(({ class: name, objectId }) => [name, objectId])
const failed = (id: string, seconds: number) => refund({ id, status: 'failed', createdAt: ago(seconds) })

describe('what went out in place of what', () => {
  test('of a chain of attempts only the last is owed, and one that arrived closes them all', () => {
    const attempts = [failed('re_1', 200), { ...failed('re_2', 150), actionId: 'act_1' }]
    const postings = [posting(), booked('re_1', '2')]
    expect(classes({ refunds: attempts, postings })).toEqual([['refund_failed', 're_2']])
    const arrived = refund({ id: 're_3', createdAt: ago(100) })
    const charges = [charge({ refundedMinor: 500n })]
    expect(classes({ charges, refunds: [...attempts, arrived], postings })).toEqual([
      ['refund_unbooked', 're_3'],
    ])
  })

  test('an attempt that failed and that nobody relies on leaves the first one owed', () => {
    const refunds = [failed('re_1', 200), failed('re_2', 150)]
    expect(classes({ refunds, postings: [posting(), booked('re_1', '2')] })).toEqual([
      ['refund_failed', 're_1'],
    ])
  })

  test('two that were made in one second and failed do not answer each other', () => {
    const refunds = [failed('re_1', 200), failed('re_2', 200)].map((each) => ({ ...each, actionId: 'act_1' }))
    expect(classes({ refunds, postings: [posting()] })).toHaveLength(1)
  })

  test('one live refund answers one claim: the other one stays owed', () => {
    const refunds = [refund({ id: 're_live', key: null, scope: null })]
    const postings = [posting(), booked('re_a', '2'), booked('re_b', '3')]
    const charges = [charge({ refundedMinor: 500n })]
    const all = found({ charges, refunds, postings })
    expect(all.map((each) => each.class).sort()).toEqual(['refund_unbooked', 'refund_unsent'])
  })

  test('an earlier refund is no answer to one that failed', () => {
    const earlier = refund({ id: 're_0', createdAt: ago(250) })
    const refunds = [earlier, failed('re_1', 200)]
    const postings = [posting(), booked('re_0', '2'), booked('re_1', '3')]
    const charges = [charge({ refundedMinor: 500n })]
    const [finding, ...others] = found({ charges, refunds, postings })
    expect(others).toEqual([])
    expect(finding).toMatchObject({ class: 'refund_failed', objectId: 're_1' })
    expect(notOfferedIn(finding?.evidence)).toEqual([])
  })

  test('a refund of another amount is no answer, and forbids sending until it is explained', () => {
    const other = refund({ id: 're_2', amountMinor: 200n, createdAt: ago(100), key: null, scope: null })
    const refunds = [failed('re_1', 200), other]
    const charges = [charge({ refundedMinor: 200n })]
    const all = found({ charges, refunds, postings: [posting(), booked('re_1', '2')] })
    const finding = all.find((each) => each.class === 'refund_failed')
    expect(notOfferedIn(finding?.evidence)).toMatchObject([{ kind: 'refund' }])
  })

  test('without a ledger a refund that the caller was told of is explained by its record', () => {
    const told = refund({ id: 're_2', amountMinor: 200n, createdAt: ago(100), key: 'rk2' })
    const life = { scope: told.scope ?? '', key: 'rk2', names: ['re_2'], effects: [] }
    const record = { ...operation().lives[0], ...life } as Operation['lives'][number]
    const first = { ...record, key: 'rk1', names: ['re_1'] }
    const sides = { ...CONTEXT.sides, ledger: 'none' as const }
    const all = found(
      {
        lives: [...operation().lives, first, record],
        charges: [charge({ refundedMinor: 200n })],
        refunds: [failed('re_1', 200), told],
        postings: [],
      },
      { ...CONTEXT, sides },
    )
    expect(all.map((each) => each.class)).toEqual(['refund_failed'])
    expect(notOfferedIn(all[0]?.evidence)).toEqual([])
  })
})

describe('every class that can move money', () => {
  const orphan = { lives: [], postings: [] }
  const second = charge({ id: 'ch_2', createdAt: ago(290), paymentIntentId: 'pi_2' })
  const worlds: Record<string, Partial<Operation>> = {
    duplicate_same_key: { charges: [charge(), second] },
    duplicate_semantic: {
      charges: [charge(), { ...second, key: 'k2' }],
      lives: [...operation().lives, { ...operation().lives[0], key: 'k2' } as Operation['lives'][number]],
      postings: [posting(), posting({ entryId: '2', providerRef: 'ch_2', chargeRef: 'ch_2' })],
    },
    expired_key_retry: {
      charges: [charge(), second],
      lives: [
        {
          ...operation().lives[0],
          names: [],
          effects: [],
          expiresAt: ago(295),
        } as Operation['lives'][number],
        {
          ...operation().lives[0],
          names: [],
          effects: [],
          acquiredAt: ago(291),
        } as Operation['lives'][number],
      ],
      postings: [],
    },
    failed_but_charged: {
      lives: [{ ...operation().lives[0], status: 'failed_final' } as Operation['lives'][number]],
    },
    orphan_effect: orphan,
    refund_failed: { refunds: [failed('re_1', 200)], postings: [posting(), booked('re_1', '2')] },
    refund_unsent: { postings: [posting(), booked('re_never', '2')] },
  }

  test('is tried here', () => {
    const movers = Object.entries(CASE_CLASSES).filter(([, { fixes }]) =>
      (fixes as readonly string[]).includes('refund'),
    )
    expect(movers.map(([name]) => name).sort()).toEqual(Object.keys(worlds).sort())
  })

  test.each(Object.keys(worlds))('%s shows the whole money of its charges as evidence', (name) => {
    const finding = found(worlds[name] ?? {}).find((each) => each.class === name)
    expect(finding?.evidence.money).toMatchObject([
      { charge: 'ch_1', captured: { minor: '1050' }, left: { minor: '1050' } },
      ...(finding?.subject.effectIds.includes('ch_2') ? [{ charge: 'ch_2' }] : []),
    ])
    expect(notOfferedIn(finding?.evidence)).toEqual([])
  })

  test.each(Object.keys(worlds))('%s offers no refund of what the bank claims', (name) => {
    const disputes = [dispute({ id: 'du_1' }), dispute({ id: 'du_2', chargeId: 'ch_2', status: 'succeeded' })]
    const finding = found({ ...worlds[name], disputes }).find((each) => each.class === name)
    expect(notOfferedIn(finding?.evidence)).toMatchObject([
      { kind: 'refund', reason: expect.stringContaining('dispute') },
    ])
  })
})

test('a refund that was made twice cannot be refunded', () => {
  const again = refund({ id: 're_2', createdAt: ago(190) })
  const charges = [charge({ refundedMinor: 1000n })]
  const all = found({ charges, refunds: [refund(), again], postings: [posting(), booked('re_1', '2')] })
  const finding = all.find((each) => each.class === 'duplicate_same_key')
  expect(notOfferedIn(finding?.evidence)).toMatchObject([{ kind: 'refund' }])
})

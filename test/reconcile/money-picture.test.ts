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
    // Made while the other one was still on its way: it is no part of it that was sent again.
    const before = { ...failed('re_1', 200), failedAt: ago(50) }
    const life = { scope: told.scope ?? '', key: 'rk2', names: ['re_2'], effects: [] }
    const record = { ...operation().lives[0], ...life } as Operation['lives'][number]
    const first = { ...record, key: 'rk1', names: ['re_1'] }
    const sides = { ...CONTEXT.sides, ledger: 'none' as const }
    const all = found(
      {
        lives: [...operation().lives, first, record],
        charges: [charge({ refundedMinor: 200n })],
        refunds: [before, told],
        postings: [],
      },
      { ...CONTEXT, sides },
    )
    expect(all.map((each) => each.class)).toEqual(['refund_failed'])
    expect(notOfferedIn(all[0]?.evidence)).toEqual([])
  })
})

describe('an equal refund beside one that failed', () => {
  const told = { ...operation().lives[0], scope: refund().scope ?? '' } as Operation['lives'][number]
  const lives = [
    ...operation().lives,
    { ...told, key: 'rk1', names: ['re_1'], effects: [] },
    { ...told, key: 'rk2', names: ['re_2'], effects: [] },
  ]
  const second = refund({ id: 're_2', createdAt: ago(150), key: 'rk2' })
  const both = [posting(), booked('re_1', '2'), booked('re_2', '3')]
  const charges = [charge({ refundedMinor: 500n })]
  const at = (failedAt: Date | null) => ({ ...failed('re_1', 200), failedAt })
  const refundOf = (refunds: Operation['refunds'], over: Partial<Operation> = {}) => {
    const all = found({ lives, charges, refunds, postings: both, ...over })
    return { all, evidence: all.find(({ objectId }) => objectId === 're_1')?.evidence }
  }

  test('of an own request, made before the other one failed: both were meant, and one is owed', () => {
    const { all, evidence } = refundOf([at(ago(100)), second])
    expect(all.map((each) => each.class)).toEqual(['refund_failed'])
    expect(notOfferedIn(evidence)).toEqual([])
  })

  test.each([
    ['made after it failed', at(ago(160)), second, /probably sent again/],
    ['made nobody knows when', at(null), second, /only a person can tell/],
    [
      'made before by nobody known',
      at(ago(100)),
      { ...second, scope: null, key: null },
      /only a person can tell/,
    ],
    ['made before under the same key', at(ago(100)), { ...second, key: 'rk1', step: 'again' }, /./],
  ])('%s: no refund is offered', (_, first, other, text) => {
    const { evidence } = refundOf([first, other])
    expect(notOfferedIn(evidence)).toMatchObject([{ kind: 'refund', reason: expect.stringMatching(text) }])
  })

  test('whose posting was lost is booked first, and then the other one is owed', () => {
    const lost = refundOf([at(ago(100)), second], { postings: both.slice(0, 2) })
    expect(lost.all.map((each) => [each.class, notOfferedIn(each.evidence).length])).toEqual([
      ['refund_failed', 1],
      ['refund_unbooked', 0],
    ])
  })

  test('where there is no ledger, the records say that both were meant, or a person does', () => {
    const ctx = { ...CONTEXT, sides: { ...CONTEXT.sides, ledger: 'none' as const } }
    const offers = (failedAt: Date | null) =>
      found({ lives, charges, refunds: [at(failedAt), second], postings: [] }, ctx).map((each) => [
        each.class,
        notOfferedIn(each.evidence).length,
      ])
    expect(offers(ago(100))).toEqual([['refund_failed', 0]])
    expect(offers(ago(160))).toEqual([['refund_failed', 1]])
    expect(offers(null)).toEqual([['refund_failed', 1]])
  })
})

describe('a refund that was sent again in parts', () => {
  const part = (id: string, amountMinor: bigint, over = {}) =>
    refund({ id, amountMinor, createdAt: ago(100), scope: null, key: null, ...over })
  const offered = (refunds: Operation['refunds'], postings: Operation['postings'], refunded: bigint) =>
    found({ charges: [charge({ refundedMinor: refunded })], refunds, postings }).map((each) => [
      each.class,
      each.objectId,
      notOfferedIn(each.evidence).map(({ kind }) => kind),
    ])

  test('that are booked: the first posting is one too many', () => {
    const postings = [posting(), booked('re_1', '2'), booked('re_a', '3', 300n), booked('re_b', '4', 200n)]
    const refunds = [failed('re_1', 200), part('re_a', 300n), part('re_b', 200n)]
    expect(offered(refunds, postings, 500n)).toEqual([['refund_failed', 're_1', ['refund']]])
    const [finding] = found({ charges: [charge({ refundedMinor: 500n })], refunds, postings })
    expect(finding?.evidence).toMatchObject({
      money: [{ owed: [{ id: 're_1', answeredBy: 're_a', answeredInParts: ['re_a', 're_b'] }] }],
    })
  })

  test('among others that do not belong to it', () => {
    const amounts = { re_a: 120n, re_b: 330n, re_c: 170n }
    const postings = Object.entries(amounts).map(([id, amount], place) => booked(id, `${place + 3}`, amount))
    const refunds = Object.entries(amounts).map(([id, amount]) => part(id, amount))
    expect(
      offered([failed('re_1', 200), ...refunds], [posting(), booked('re_1', '2'), ...postings], 620n),
    ).toEqual([['refund_failed', 're_1', ['refund']]])
  })

  test('that nothing books: each is to be booked once the first posting is reversed', () => {
    const refunds = [failed('re_1', 200), part('re_a', 300n), part('re_b', 200n)]
    expect(offered(refunds, [posting(), booked('re_1', '2')], 500n)).toEqual([
      ['refund_unbooked', 're_a', ['book_refund']],
      ['refund_unbooked', 're_b', ['book_refund']],
    ])
  })

  test('of which one failed as well: that part alone is owed', () => {
    const postings = [posting(), booked('re_1', '2'), booked('re_a', '3', 300n), booked('re_b', '4', 200n)]
    const refunds = [failed('re_1', 200), part('re_a', 300n), part('re_b', 200n, { status: 'failed' })]
    expect(offered(refunds, postings, 300n)).toEqual([
      ['refund_failed', 're_1', ['refund']],
      ['refund_failed', 're_b', []],
    ])
  })

  test('of which the rest is not there yet: a person decides', () => {
    const postings = [posting(), booked('re_1', '2'), booked('re_a', '3', 300n)]
    const refunds = [failed('re_1', 200), part('re_a', 300n)]
    expect(offered(refunds, postings, 300n)).toEqual([['refund_failed', 're_1', ['refund']]])
  })

  test('of which the rest is not there yet, though it was only booked, never sent: a person decides', () => {
    const postings = [posting(), booked('re_x', '2'), booked('re_a', '3', 300n)]
    const refunds = [part('re_a', 300n, { createdAt: ago(90) })]
    expect(offered(refunds, postings, 300n)).toEqual([['refund_unsent', 're_x', ['refund']]])
  })

  test('though it was only booked, never sent', () => {
    const postings = [posting(), booked('re_x', '2'), booked('re_a', '3', 300n), booked('re_b', '4', 200n)]
    const later = { createdAt: ago(90) }
    const refunds = [part('re_a', 300n, later), part('re_b', 200n, later)]
    expect(offered(refunds, postings, 500n)).toEqual([['refund_unsent', 're_x', ['refund']]])
  })

  test('of which one is booked under another id, and may be in place of either of two that were booked: none is sent before it is put right', () => {
    const postings = [posting(), booked('re_provisional', '2'), booked('re_never', '3')]
    const found = offered([part('re_a', 500n)], postings, 500n)
    expect(found.map(([name]) => name).sort()).toEqual(['refund_unbooked', 'refund_unsent'])
    expect(found.find(([name]) => name === 'refund_unsent')?.[2]).toEqual(['refund'])
  })

  test('or booked under another id, and made when the first one had failed: that is not sent again beside it', () => {
    const postings = [posting(), booked('re_1', '2'), booked('re_provisional', '3')]
    const refunds = [failed('re_1', 200), part('re_a', 500n, { createdAt: ago(90) })]
    const found = offered(refunds, postings, 500n)
    expect(found.find(([name]) => name === 'refund_failed')?.[2]).toEqual(['refund'])
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

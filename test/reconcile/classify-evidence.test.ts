import { describe, expect, test } from 'vitest'
import { ago, CONTEXT, charge, effect, lease, NOW, posting, record, SCOPE } from './build'
import { again, classify, found, TABLE } from './class-table'

describe('expected is not an exception', () => {
  test('what is merely not there yet is pending until its grace ends', () => {
    const young = {
      charges: [charge({ createdAt: ago(5) })],
      lives: [record({ completedAt: ago(4) })],
      postings: [],
    }
    const { findings, recheckAt } = classify(young)
    expect(findings.map(({ outcome }) => outcome)).toEqual(['pending'])
    expect(recheckAt).toEqual(new Date(ago(4).getTime() + 15_000))
  })

  test.each([
    ['ledger_missing', { charges: [charge({ takenAt: ago(5) })], postings: [] }],
    ['orphan_effect', { charges: [charge({ takenAt: ago(5) })], lives: [], postings: [] }],
    [
      'amount_mismatch',
      { charges: [charge({ takenAt: ago(5) })], postings: [posting({ amountMinor: 999n })] },
    ],
    [
      'fee_variance',
      {
        charges: [charge({ feeMinor: 60n, takenAt: ago(5) })],
        postings: [posting(), posting({ entryId: '2', kind: 'fee', rawKind: 'fee', amountMinor: 59n })],
      },
    ],
    [
      'status_lag',
      {
        charges: [charge({ captured: false, capturedMinor: 0n })],
        postings: [posting({ bookedAt: ago(5) })],
      },
    ],
    [
      'status_lag',
      {
        charges: [charge({ status: 'pending', captured: false, capturedMinor: 0n })],
        postings: [posting({ bookedAt: ago(5) })],
      },
    ],
  ])('%s counts from when the money moved or was booked, not from the authorisation', (name, over) => {
    expect(found(over)).toEqual([`${name}:pending`])
    expect(found(over, { asOf: new Date(NOW.getTime() + 10_000) })).toEqual([`${name}:break`])
  })

  test('nothing is called missing before it was looked up by id', () => {
    const { findings, lookUps } = classify({ postings: [] }, { lookedUp: new Set() })
    expect(findings.map(({ outcome }) => outcome)).toEqual(['pending'])
    expect(lookUps).toEqual([
      { kind: 'ledger', ref: 'ch_1' },
      { kind: 'ledger', ref: 'pi_1' },
    ])
  })

  test('an id that no provider knows the kind of is never called absent', () => {
    const own = { charges: [], lives: [record({ effects: [effect('own_1')], names: [] })] }
    expect(found({ ...own, postings: [] })).toEqual(['done_but_no_effect:break'])
    const unlisted = { coverage: { from: ago(10), to: ago(1) } }
    expect(found({ ...own, postings: [] }, unlisted)).toEqual(['done_but_no_effect:pending'])
    const booked = { charges: [], lives: [], postings: [posting({ providerRef: 'own_1' })] }
    expect(found(booked)).toEqual(['unclassified:break'])
    expect(classify(booked).lookUps).toEqual([])
  })

  test('no negative read where the listing does not reach the settle delay', () => {
    const { findings, recheckAt } = classify(
      { lives: [lease()], charges: [], postings: [] },
      { coverage: { from: ago(86_400), to: ago(10) } },
    )
    expect(findings.map((f) => `${f.class}:${f.outcome}`)).toEqual(['stuck_unknown:pending'])
    expect(recheckAt).not.toBeNull()
  })

  test('absence in a source that failed asserts nothing', () => {
    expect(found({ postings: [] }, { sides: { ...CONTEXT.sides, ledger: 'incomplete' } })).toEqual([
      'ledger_missing:pending',
    ])
    expect(found({ lives: [], postings: [] }, { sides: { ...CONTEXT.sides, intent: 'incomplete' } })).toEqual(
      ['orphan_effect:pending'],
    )
  })

  test('a system without a ledger misses no posting', () => {
    expect(found({ postings: [] }, { sides: { ...CONTEXT.sides, ledger: 'none' } })).toEqual([])
  })

  test('a lagging status is P3 while pending and P2 as a break', () => {
    const lag = {
      charges: [charge({ status: 'pending', captured: false, capturedMinor: 0n, createdAt: ago(5) })],
      lives: [record({ completedAt: ago(4) })],
    }
    expect(classify(lag).findings[0]?.severity).toBe('P3')
    expect(
      classify({ ...lag, charges: [charge({ status: 'pending', createdAt: ago(60) })], lives: [record()] })
        .findings[0]?.severity,
    ).toBe('P2')
  })
})

describe('evidence and subject', () => {
  test('the duplicate to refund is the one that neither record nor ledger names', () => {
    const [finding] = classify({ charges: [again({ id: 'ch_0', createdAt: ago(302) }), charge()] }).findings
    expect(finding?.subject).toEqual({
      scope: SCOPE,
      key: 'k1',
      effectIds: ['ch_0', 'ch_1'],
      reference: 'order-1',
    })
    expect(finding?.evidence).toMatchObject({ refund: ['ch_0'] })
  })

  test('where record and ledger name both, a person must choose', () => {
    const both = {
      charges: [charge(), again()],
      postings: [posting(), posting({ entryId: '2', providerRef: 'ch_2' })],
    }
    expect(classify(both).findings[0]?.evidence).toMatchObject({ refund: null })
  })

  test('three effects on one key are a break for each later one', () => {
    const three = { charges: [charge(), again(), again({ id: 'ch_3', createdAt: ago(280) })] }
    expect(classify(three).findings.map(({ objectId }) => objectId)).toEqual(['ch_2', 'ch_3'])
  })

  test('a wrong exponent is suspected where the ratio is exact', () => {
    const ten = classify({ postings: [posting({ amountMinor: 105_000n })] }).findings[0]
    expect(ten?.evidence).toMatchObject({ suspectedExponent: 2 })
    expect(classify({ postings: [posting({ amountMinor: 1234n })] }).findings[0]?.evidence).toMatchObject({
      suspectedExponent: null,
    })
  })

  test('the class changes as evidence arrives, the identity does not', () => {
    const stages = [
      classify({ lives: [lease()], charges: [], postings: [] }),
      classify({ lives: [lease()], postings: [] }),
      classify({ postings: [] }),
      classify({ lives: [lease({ gone: true })], postings: [] }),
    ].map(({ findings }) => findings[0])
    expect(stages.map((f) => f?.class)).toEqual([
      'stuck_no_effect',
      'stuck_effect_done',
      'ledger_missing',
      'orphan_effect',
    ])
    expect(new Set(stages.map((f) => `${f?.aspect}|${f?.objectId}`)).size).toBe(1)
  })

  test('evidence does not change by looking again later', () => {
    const later = {
      asOf: new Date(NOW.getTime() + 60_000),
      coverage: { from: ago(86_400), to: new Date(NOW.getTime() + 59_000) },
    }
    for (const [, over, ctx = {}] of TABLE) {
      const [one, two] = [classify(over, ctx), classify(over, { ...later, ...ctx })]
      expect(two.findings.map(({ evidence }) => evidence)).toEqual(
        one.findings.map(({ evidence }) => evidence),
      )
    }
  })

  test('quarantine suppresses the rest; other aspects stand beside each other', () => {
    expect(found({ charges: [charge({ modeMix: true }), again()], postings: [] })).toEqual(['mode_mix:break'])
    expect(
      found({ charges: [charge(), again()], postings: [posting({ amountMinor: 999n })] }).sort(),
    ).toEqual(['amount_mismatch:break', 'duplicate_same_key:break'])
  })
})

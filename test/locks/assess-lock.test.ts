import { expect, test } from 'vitest'
import { canonicalJson } from '@/lib/core/canonical-json'
import { assessLock } from '@/lib/locks/assess/assess-lock'
import { formatLockVersion, lockVersion, parseLockVersion } from '@/lib/locks/assess/lock-version'
import type { AnswerObject, ProviderAnswer } from '@/lib/locks/assess/provider-answer'
import { recoverResponse } from '@/lib/locks/assess/recover-response'
import type { LeaseRow, StoredEffect } from '@/lib/sources/contracts'

const NOW = new Date('2026-01-01T12:00:00Z')
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000)

const effect = (patch: Partial<StoredEffect> = {}): StoredEffect => ({
  step: 'charge',
  name: 'stripe.charge',
  kind: 'http',
  state: 'begun',
  providerKey: 'pk',
  reference: null,
  amountMinor: null,
  currency: null,
  begunAt: ago(100),
  settledAt: null,
  result: null,
  ...patch,
})

function lease(patch: Partial<LeaseRow> = {}): LeaseRow {
  const seen = {
    scope: 's',
    key: 'k',
    createdAt: 'c',
    fence: '7',
    state: patch.state ?? 'leased',
    leaseUntil: 'l',
    heartbeatAt: 'h',
  } as const
  return {
    scope: 'web/POST /v1/payments',
    key: 'k',
    state: 'leased',
    expired: true,
    overdue: false,
    fence: 7n,
    owner: 'o',
    attempts: 1,
    tier: 't',
    step: null,
    traceId: null,
    fingerprint: null,
    createdAt: ago(120),
    leaseUntil: ago(60),
    heartbeatAt: ago(65),
    effects: [],
    seen,
    version: canonicalJson(seen),
    ...patch,
  }
}

const object = (patch: Partial<AnswerObject> = {}): AnswerObject => ({
  source: 'src_p',
  kind: 'charge',
  id: 'ch_1',
  parent: 'pi_1',
  status: 'succeeded',
  captured: true,
  undone: false,
  step: 'charge',
  reference: 'order-1',
  amount: { minor: '1050', currency: 'USD' },
  createdAt: ago(90).toISOString(),
  ...patch,
})
const found = (...objects: AnswerObject[]): ProviderAnswer => ({ kind: 'found', askedAt: '', objects })
const none: ProviderAnswer = { kind: 'none', askedAt: '', from: '', to: '' }

const verdictOf = (
  row: LeaseRow,
  answer: ProviderAnswer,
  patch: Partial<Parameters<typeof assessLock>[0]> = {},
) =>
  assessLock({
    lease: row,
    storeNow: NOW,
    unchangedSince: null,
    answer,
    capabilities: {
      canRelease: true,
      canComplete: true,
      canFail: true,
      canCollect: true,
      casStrength: 'token',
      zombieSafe: true,
      recordsEffects: true,
      providerKeyed: true,
    },
    responseKnown: () => true,
    settings: {
      graceMs: 2000,
      skewMs: 5000,
      settleDelayMs: 60_000,
      callMs: 0,
      providerWindowMs: 86_400_000,
      askAgainMs: 0,
    },
    ...patch,
  })

const table: [string, LeaseRow, ProviderAnswer, string, Record<string, string>][] = [
  [
    'live',
    lease({ leaseUntil: ago(-5) }),
    none,
    'wait',
    { release: 'holder_alive', complete: 'holder_alive', fail: 'holder_alive' },
  ],
  [
    'in grace',
    lease({ leaseUntil: ago(1) }),
    none,
    'wait',
    { release: 'holder_alive', complete: 'holder_alive', fail: 'holder_alive' },
  ],
  ['dead, nothing begun', lease(), none, 'release', { complete: 'no_effect' }],
  [
    'dead, charge begun, negative read',
    lease({ effects: [effect()] }),
    none,
    'release',
    { complete: 'no_effect' },
  ],
  [
    'dead, its key a hash: what carries the caller’s own key may be its effect, so nothing is proven absent',
    lease({ hashedKey: true }),
    none,
    'release',
    { complete: 'no_effect', fail: 'evidence_unsettled' },
  ],
  [
    'passed by a client’s clock at a first look',
    lease({ clientClock: true }),
    none,
    'wait',
    { release: 'clock_ahead', complete: 'clock_ahead', fail: 'clock_ahead' },
  ],
  [
    'dead, capture begun: a listing proves nothing',
    lease({ effects: [effect({ name: 'stripe.capture', step: 'capture' })] }),
    none,
    'release',
    { complete: 'no_effect', fail: 'evidence_unsettled' },
  ],
  [
    'dead, unreachable',
    lease(),
    { kind: 'unreachable', askedAt: '', error: 'x' },
    'investigate',
    { release: 'provider_unreachable', complete: 'provider_unreachable', fail: 'provider_unreachable' },
  ],
  [
    'dead, too early',
    lease(),
    { kind: 'not_settled', askedAt: '', settlesAt: '' },
    'wait',
    { release: 'evidence_unsettled', complete: 'evidence_unsettled', fail: 'evidence_unsettled' },
  ],
  [
    'dead, charged',
    lease({ effects: [effect()] }),
    found(object()),
    'complete',
    { release: 'effect_found', fail: 'effect_found' },
  ],
  [
    'dead, charge pending',
    lease({ effects: [effect()] }),
    found(object({ status: 'pending' })),
    'wait',
    { release: 'evidence_unsettled', complete: 'evidence_unsettled', fail: 'evidence_unsettled' },
  ],
  [
    'dead, charge failed',
    lease({ effects: [effect()] }),
    found(object({ status: 'failed' })),
    'release',
    { complete: 'no_effect', fail: 'evidence_unsettled' },
  ],
  [
    'dead, status unknown',
    lease({ effects: [effect()] }),
    found(object({ status: 'other' })),
    'investigate',
    { release: 'effect_ambiguous', complete: 'effect_ambiguous', fail: 'effect_ambiguous' },
  ],
  [
    'dead, charged and refunded',
    lease({ effects: [effect()] }),
    found(object(), object({ kind: 'refund', id: 're_1', parent: 'ch_1' })),
    'investigate',
    { release: 'effect_ambiguous', complete: 'effect_ambiguous', fail: 'effect_ambiguous' },
  ],
  [
    'dead, charged, and given back whole by hand',
    lease({ effects: [effect()] }),
    found(object({ undone: true })),
    'investigate',
    { release: 'effect_ambiguous', complete: 'effect_ambiguous', fail: 'effect_ambiguous' },
  ],
  [
    'dead, charged, another step begun',
    lease({ effects: [effect(), effect({ step: 'notify', name: 'mail' })] }),
    found(object()),
    'investigate',
    { release: 'effect_ambiguous', complete: 'effect_ambiguous', fail: 'effect_ambiguous' },
  ],
  [
    'retryable, nothing',
    lease({ state: 'retryable' }),
    none,
    'wait',
    { release: 'state_changed', complete: 'no_effect' },
  ],
  [
    'retryable, charged',
    lease({ state: 'retryable', effects: [effect({ state: 'unknown' })] }),
    found(object()),
    'complete',
    { release: 'effect_found', fail: 'effect_found' },
  ],
  [
    'unknown, negative read',
    lease({ state: 'unknown', effects: [effect({ state: 'unknown' })] }),
    none,
    'release',
    { complete: 'no_effect' },
  ],
  [
    'unknown, no provider',
    lease({ state: 'unknown', effects: [effect()] }),
    { kind: 'no_provider' },
    'investigate',
    { release: 'provider_unreachable', complete: 'provider_unreachable', fail: 'provider_unreachable' },
  ],
  [
    'dead, no provider, nothing begun',
    lease(),
    { kind: 'no_provider' },
    'release',
    { complete: 'no_effect' },
  ],
  [
    'dead, unkeyed step',
    lease({ effects: [effect({ providerKey: null })] }),
    none,
    'investigate',
    { release: 'not_provider_keyed', complete: 'not_provider_keyed', fail: 'not_provider_keyed' },
  ],
  [
    'dead, past the window',
    lease({ createdAt: ago(90_000) }),
    none,
    'investigate',
    { release: 'window_passed', complete: 'window_passed', fail: 'window_passed' },
  ],
]
test.each(table)('%s', (_, row, answer, verdict, refused) => {
  expect(verdictOf(row, answer)).toMatchObject({ verdict, refused })
  expect(Object.keys(verdictOf(row, answer).refused).sort()).toEqual(Object.keys(refused).sort())
})

test('what the store cannot do is not offered', () => {
  const capabilities = {
    canRelease: false,
    canComplete: true,
    canFail: true,
    canCollect: false,
    casStrength: 'value',
    zombieSafe: false,
    providerKeyed: true,
  } as const
  expect(verdictOf(lease(), none, { capabilities })).toMatchObject({
    verdict: 'investigate',
    refused: { release: 'not_supported' },
  })
})

test('a store that records no effects says nothing of what was begun', () => {
  const capabilities = {
    canRelease: true,
    canComplete: true,
    canFail: true,
    canCollect: false,
    casStrength: 'version',
    zombieSafe: false,
    providerKeyed: true,
  } as const
  expect(verdictOf(lease(), { kind: 'no_provider' }, { capabilities })).toMatchObject({
    verdict: 'investigate',
    reason: 'Its store does not record what was begun, and no provider is connected that could be asked.',
    refused: { release: 'provider_unreachable', fail: 'provider_unreachable' },
  })
  expect(verdictOf(lease(), found(object({ status: 'failed' })), { capabilities })).toMatchObject({
    verdict: 'release',
    refused: { fail: 'evidence_unsettled' },
  })
})

test('an answer that cannot be recovered is not made up', () => {
  expect(
    verdictOf(lease({ effects: [effect()] }), found(object()), { responseKnown: () => false }),
  ).toMatchObject({
    verdict: 'investigate',
    refused: { complete: 'response_unknown', release: 'effect_found' },
  })
})

test('a version survives its text, and says which side changed', () => {
  const version = lockVersion(lease(), none)
  expect(parseLockVersion(formatLockVersion(version))).toEqual(version)
  expect(lockVersion(lease(), found(object()))).toMatchObject({ store: version.store })
  expect(lockVersion(lease(), found(object())).evidence).not.toBe(version.evidence)
  expect(lockVersion(lease({ version: 'x' }), none)).toMatchObject({ evidence: version.evidence })
  expect(() => parseLockVersion('stale')).toThrow('version')
})

test('a response is recovered byte for byte, with what is quoted escaped', () => {
  const charged = {
    ...object({ reference: 'a "b"', captured: false }),
    step: 'charge',
    result: { note: 'n1' },
  }
  const body =
    '{"z":"{{ effect.reference }}","a":"{{reference}}","s":"{{effect.status}}","n":"{{result.note}}","c":"pay_{{effect.referenceSuffix}}"}'
  const template = { status: 201, headers: {}, body }
  expect(recoverResponse(template, charged, 'k')?.body).toBe(
    '{"z":"ch_1","a":"a \\"b\\"","s":"requires_capture","n":"n1","c":"pay_1"}',
  )
  expect(recoverResponse({ ...template, body: '{"x":"{{result.other}}"}' }, charged, 'k')).toBeNull()
  expect(recoverResponse({ ...template, body: '{"x":"{{nonsense}}"}' }, charged, 'k')).toBeNull()
  expect(recoverResponse(undefined, charged, 'k')).toBeNull()
})

test('a key that is a hash is released only where a repeated call is answered with the same object', () => {
  const capabilities = {
    canRelease: true,
    canComplete: true,
    canFail: false,
    canCollect: false,
    casStrength: 'value',
    zombieSafe: false,
    providerKeyed: false,
  } as const
  const verdict = verdictOf(lease({ hashedKey: true }), none, { capabilities })
  expect(verdict).toMatchObject({ verdict: 'investigate', refused: { release: 'not_provider_keyed' } })
  const keyed = verdictOf(lease({ hashedKey: true }), none, {
    capabilities: { ...capabilities, providerKeyed: true },
  })
  expect(keyed.verdict).toBe('release')
  expect(keyed.reason).not.toContain('the provider has nothing')
})

test('two looks, one lease apart, prove a holder dead whose lease its own clock stamped', () => {
  const watched = (unchangedSince: Date | null) =>
    verdictOf(lease({ clientClock: true, heartbeatAt: ago(120) }), none, { unchangedSince }).verdict
  // It lasted a minute, and 2 s of grace.
  expect([null, ago(30), ago(59), ago(62)].map(watched)).toEqual(['wait', 'wait', 'wait', 'release'])
})

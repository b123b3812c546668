import { expect, test } from 'vitest'
import { providerSays, verdictLabels } from '@/app/(console)/locks/labels'
import { curlText } from '@/app/(console)/locks/open/copy-curl'
import { isRetryable } from '@/lib/core/refusals'
import { countByColumn, countByGroup, countStuck, type LockTally } from '@/lib/locks/count-locks'
import { stuckSentence } from '@/lib/locks/describe-locks'
import { storeStateOf } from '@/lib/mirror/read/list-sources'

const tally = (over: Partial<LockTally>): LockTally => ({
  state: 'lease_expired',
  verdict: 'release',
  client: 'web',
  endpoint: 'POST /v1/payments',
  source: 'src_a',
  count: 1,
  ...over,
})
const TALLIES = [
  tally({ count: 3 }),
  tally({ verdict: 'complete', client: 'mobile', count: 2 }),
  tally({ state: 'unknown', verdict: 'investigate', endpoint: 'POST /v1/refunds' }),
  tally({ state: 'leased', verdict: 'wait', count: 41 }),
]
const QUERY = { group: 'stuck', endpoint: null, client: null } as const

test('each view counts its own states, under the filters that are set', () => {
  expect(countByGroup(TALLIES, QUERY)).toEqual({ stuck: 6, held: 41, unknown: 1, retryable: 0 })
  expect(countByGroup(TALLIES, { ...QUERY, client: 'mobile' })).toMatchObject({ stuck: 2, held: 0 })
})

test('a facet counts under the other filters, not under its own', () => {
  const query = { ...QUERY, client: 'mobile' }
  expect(countByColumn(TALLIES, query, 'client').map(({ value, count }) => [value, count])).toEqual([
    ['web', 4],
    ['mobile', 2],
  ])
  expect(countByColumn(TALLIES, query, 'endpoint')).toHaveLength(1)
})

test('the page is one sentence: how many, where, and what may be done', () => {
  const sentence = stuckSentence(countStuck(TALLIES), 'payments store', 'read', false)
  expect(sentence).toMatch(/^6 keys are held past their lease in payments store\. 3 safe to release/)
  expect(sentence).toContain('2 to complete')
  expect(sentence).toContain('1 for a person to look at')
  expect(stuckSentence(countStuck([]), '', 'read', false)).toBe('No key is held now.')
  const held = countStuck([tally({ state: 'leased', count: 41 })])
  expect(stuckSentence(held, '', 'read', false)).toMatch(/No key is stuck/)
})

test('a store that holds more than are listed has at least so many, and is never said to have none', () => {
  expect(stuckSentence(countStuck(TALLIES), 'payments store', 'read', true)).toMatch(
    /^At least 6 keys are held past/,
  )
  const held = countStuck([tally({ state: 'leased', count: 41 })])
  expect(stuckSentence(held, '', 'read', true)).toBe(
    'No key is stuck among the oldest that are held. More are held than are listed.',
  )
})

test('none, not read and not connected are three different sentences', () => {
  const store = { kind: 'intent', enabled: true, lastOkAt: null }
  const states = [
    [{ ...store, kind: 'ledger', lastOkAt: 'x' }],
    [{ ...store, enabled: false, lastOkAt: 'x' }],
    [store],
    [store, { ...store, lastOkAt: 'x' }],
  ].map(storeStateOf)
  expect(states).toEqual(['not_connected', 'not_connected', 'not_read', 'read'])
  expect(new Set(states.map((state) => stuckSentence(countStuck([]), '', state, false))).size).toBe(3)
})

test('none found, not asked, and cannot be asked are told apart', () => {
  const at = '2026-11-22T02:00:00.000Z'
  const said = [
    providerSays({ kind: 'none', askedAt: at, from: at, to: at }),
    providerSays({ kind: 'not_asked' }),
    providerSays({ kind: 'unreachable', askedAt: at, error: 'timeout' }),
    providerSays({ kind: 'no_provider' }),
  ].map(({ text }) => text)
  expect(new Set(said).size).toBe(4)
})

test('a verdict names what it completes with', () => {
  const object = {
    source: 'src_p',
    kind: 'refund' as const,
    id: 're_1',
    parent: null,
    status: 'succeeded' as const,
    captured: false,
    undone: false,
    step: null,
    reference: null,
    amount: { minor: '1050', currency: 'USD' },
    createdAt: '2026-11-22T02:00:00.000Z',
  }
  const lock = {
    verdict: 'complete' as const,
    state: 'lease_expired' as const,
    providerAnswer: { kind: 'found' as const, askedAt: object.createdAt, objects: [object] },
    heartbeatAt: object.createdAt,
  }
  expect(verdictLabels(lock, Date.parse(object.createdAt)).row).toBe('Complete with refund')
})

test('a heartbeat that a clock ahead of ours stamped is no sign of a living holder', () => {
  const lock = {
    verdict: 'wait',
    state: 'leased',
    providerAnswer: { kind: 'not_asked' },
    heartbeatAt: '2026-11-22T02:10:00.000Z',
  } as const
  const at = (time: string) => verdictLabels(lock, Date.parse(time)).row
  expect(at('2026-11-22T02:00:00Z')).toBe('Wait: clock ahead')
  expect(at('2026-11-22T02:10:03Z')).toBe('Wait: holder alive')
})

test('only what may end otherwise stays selected', () => {
  expect(isRetryable('store_unreachable')).toBe(true)
  expect(isRetryable('evidence_unsettled')).toBe(true)
  expect(isRetryable('fence_changed')).toBe(false)
  expect(isRetryable(null)).toBe(false)
  expect(isRetryable('toString')).toBe(false)
})

test('a copied curl has a placeholder for the token, and quotes what a shell would read', () => {
  const curl = curlText({
    origin: 'http://localhost:3000',
    verb: 'release',
    id: 'lock_1',
    version: '1.a.b',
    reason: "the pod's gone; $(reboot)",
  })
  expect(curl).toContain('Bearer YOUR_TOKEN')
  expect(curl).toContain(`pod'\\''s gone; $(reboot)`)
  expect(curl).toContain('/api/v1/locks/release')
})

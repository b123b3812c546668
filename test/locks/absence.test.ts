import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { listLocks } from '@/lib/locks/list-locks'
import type { KeySettings } from '@/lib/locks/settings'
import { operateKey } from '@/lib/locks/verbs/operate-key'
import { reconcileSettings } from '@/lib/reconcile/settings'
import { stageSystem } from '@/lib/reconcile/stage/stage'
import { setSettings } from '../support/settings'
import {
  acquire,
  beginCharge,
  charge,
  createFixture,
  type Fixture,
  killHolder,
  REASON,
  SCOPE,
  SETTINGS,
} from './locks-fixture'

setSettings({ IDEMSCOPE_KEY_SECRET: 'k'.repeat(32) })

/** "The provider has nothing of it": when it is proved, and when it is not. */

let fixture: Fixture
let operator: Context
beforeAll(async () => {
  fixture = await createFixture()
  operator = await fixture.as('operator')
})
afterAll(() => fixture.close())

const assessed = async (key: string, settings: KeySettings = SETTINGS) => {
  await checkLocks(fixture.system, undefined, settings)
  const [lock] = (await listLocks(fixture.console.db, { key }, { limit: 1 }, systemClock.now())).items
  if (lock === undefined) throw new Error(`no lock of ${key}`)
  return lock
}

type Verb = 'release' | 'complete' | 'fail'
async function act(verb: Verb, key: string, settings: KeySettings = SETTINGS) {
  const lock = await assessed(key, settings)
  const { source, scope, version } = lock
  const input = { sourceId: source, scope, key, seen: version, reason: REASON, lockId: lock.id }
  return operateKey(operator, verb, input, { settings })
}

const refusals = async (
  key: string,
  settings: KeySettings = SETTINGS,
  verbs: readonly Verb[] = ['release', 'complete', 'fail'],
) => {
  const reasons: unknown[] = []
  for (const verb of verbs) {
    const action = await act(verb, key, settings)
    reasons.push(action.state === 'refused' && Reflect.get(Object(action.result), 'reason'))
  }
  return reasons
}

/** All that the store noted of a key, `by` longer ago. */
async function age(key: string, by: string): Promise<void> {
  await fixture.service.query(
    `UPDATE idem_lease SET created_at = created_at - $2::interval, heartbeat_at = heartbeat_at - $2::interval,
       lease_until = lease_until - $2::interval WHERE key = idem_key_bytes($1)`,
    [key, by],
  )
  await fixture.service.query(
    `UPDATE idem_step SET begun_at = begun_at - $2::interval WHERE key = idem_key_bytes($1)`,
    [key, by],
  )
}

async function deadWithCharge(key: string) {
  const holder = await acquire(fixture, key)
  await beginCharge(fixture, holder)
  await killHolder(fixture, holder)
  return holder
}

/** A charge as the SDK's README makes it: without our metadata. */
async function bareCharge(amount = 1050): Promise<{ charge: string; intent: string }> {
  const intent = await fixture.stripe.paymentIntents.create({
    amount,
    currency: 'usd',
    confirm: true,
    payment_method: 'pm_card_visa',
  })
  return { charge: String(intent.latest_charge), intent: intent.id }
}

/** The key in the intent's metadata alone: its charge keeps what it was made with. */
const tagIntent = (intent: string, key: string) =>
  fixture.stripe.paymentIntents.update(intent, {
    metadata: { idempotency_scope: SCOPE, idempotency_key: key, idempotency_step: 'charge', reference: 'o' },
  })

let providerAheadMs = 0
/** Its clock goes on beyond what clocks may be apart: then all that was made until now is staged. */
async function stage(): Promise<void> {
  providerAheadMs += reconcileSettings().clockSkewMs + 1_000
  fixture.provider.control.setSwitches({ clock: { skewMs: providerAheadMs } })
  await stageSystem(fixture.system, 'payments')
}

async function isStaged(id: string): Promise<boolean> {
  const { rowCount } = await fixture.console.db.pool.query('SELECT FROM mirror.object WHERE object_id = $1', [
    id,
  ])
  return rowCount === 1
}

describe('counts from the last time that an effect can have begun', () => {
  const SLOW: KeySettings = { ...SETTINGS, settleDelayMs: 60_000, callMs: 30_000 }

  test('a key first seen an hour ago and retried now is too young to assess, and is not failed', async () => {
    const first = await acquire(fixture, 'retried')
    await killHolder(fixture, first)
    await age('retried', '1 hour')
    const second = await acquire(fixture, 'retried')
    expect(second.fence).toBeGreaterThan(first.fence)
    await beginCharge(fixture, second)
    await killHolder(fixture, second)
    const lock = await assessed('retried', SLOW)
    expect(lock).toMatchObject({ verdict: 'wait', providerAnswer: { kind: 'not_settled' } })
    expect(lock.reason).toMatch(/^It is too early: .* It can be told from \d\d:\d\d:\d\d UTC on\.$/)
    expect(await refusals('retried', SLOW)).toEqual(Array(3).fill('evidence_unsettled'))
  })

  test('the longest call and the settle delay both have to pass, from the step and not from the acquire', async () => {
    await deadWithCharge('slow')
    await age('slow', '80 s')
    expect(await assessed('slow', SLOW)).toMatchObject({ verdict: 'wait' })
    await age('slow', '15 s')
    expect(await assessed('slow', SLOW)).toMatchObject({
      verdict: 'release',
      providerAnswer: { kind: 'none' },
    })
    await fixture.service.query(
      `UPDATE idem_step SET begun_at = clock_timestamp() WHERE key = idem_key_bytes('slow')`,
    )
    expect(await assessed('slow', SLOW)).toMatchObject({ verdict: 'wait' })
  })

  test('a declined call proves nothing of the call after it', async () => {
    await deadWithCharge('declined')
    await fixture.stripe.paymentIntents
      .create({
        amount: 1050,
        currency: 'usd',
        confirm: true,
        payment_method: 'pm_card_chargeDeclined',
        metadata: { idempotency_scope: SCOPE, idempotency_key: 'declined', idempotency_step: 'charge' },
      })
      .catch(() => undefined)
    const young = await assessed('declined', SLOW)
    expect(young.providerAnswer.kind).toBe('not_settled')
    await age('declined', '2 minutes')
    expect(await assessed('declined', SLOW)).toMatchObject({
      verdict: 'release',
      providerAnswer: { kind: 'found', objects: [{ status: 'failed' }] },
    })
  })
})

describe('an effect that was undone since', () => {
  test('a charge that support gave back whole is for a person: its success is not stored', async () => {
    await deadWithCharge('given-back')
    const id = await charge(fixture, 'given-back', 'order-back')
    const seen = await assessed('given-back')
    expect(seen.verdict).toBe('complete')
    await fixture.stripe.refunds.create({ charge: id, amount: 1000 })
    expect((await assessed('given-back')).verdict).toBe('complete')
    await fixture.stripe.refunds.create({ charge: id, amount: 50 })
    const { source, scope, key, version } = seen
    const late = { sourceId: source, scope, key, seen: version, reason: REASON, lockId: seen.id }
    expect(await operateKey(operator, 'complete', late, { settings: SETTINGS })).toMatchObject({
      state: 'refused',
    })
    expect(await assessed('given-back')).toMatchObject({ verdict: 'investigate' })
    expect(await refusals('given-back')).toEqual(Array(3).fill('effect_ambiguous'))
  })
})

describe('needs a listing that holds nothing which could be the effect', () => {
  test('a charge without our metadata is named, and no verb is done; its metadata then settles it', async () => {
    await deadWithCharge('bare')
    const { charge: id, intent } = await bareCharge()
    const lock = await assessed('bare')
    expect(lock).toMatchObject({ verdict: 'investigate', providerAnswer: { kind: 'possible', count: 1 } })
    expect(lock.reason).toContain(id)
    expect(await refusals('bare')).toEqual(Array(3).fill('effect_possible'))

    // Staged or listed: the same.
    await stage()
    expect((await assessed('bare')).reason).toContain(id)

    await tagIntent(intent, 'bare')
    await stage()
    expect(await assessed('bare')).toMatchObject({ verdict: 'complete', providerAnswer: { kind: 'found' } })
  })

  test('a charge whose intent alone names the key is its effect, listed or staged: not released, not failed', async () => {
    const holder = await acquire(fixture, 'intent-alone')
    await beginCharge(fixture, holder)
    const { charge: id, intent } = await bareCharge()
    await tagIntent(intent, 'intent-alone')
    await killHolder(fixture, holder)
    for (const staged of [false, true]) {
      if (staged) await stage()
      expect(await isStaged(id)).toBe(staged)
      expect(await assessed('intent-alone')).toMatchObject({
        verdict: 'complete',
        providerAnswer: { kind: 'found', objects: [{ id }] },
      })
      const refused = await refusals('intent-alone', SETTINGS, ['release', 'fail'])
      expect(refused).toEqual(['effect_found', 'effect_found'])
    }
    expect(await act('complete', 'intent-alone')).toMatchObject({ state: 'done' })
  })

  test('one of another time, or that another key names, is none of it', async () => {
    const { charge: other } = await bareCharge()
    const owner = await acquire(fixture, 'owner')
    await beginCharge(fixture, owner)
    await fixture.store.settleEffect(owner, 'charge', {
      state: 'committed',
      reference: other,
      amountMinor: 1050n,
      currency: 'USD',
      result: null,
    })
    await fixture.store.complete(owner, { status: 201, headers: [], body: Buffer.from('{}') })
    await deadWithCharge('another')
    expect((await assessed('another')).providerAnswer.kind).toBe('possible')
    await stage()
    expect(await assessed('another')).toMatchObject({ verdict: 'release' })

    await deadWithCharge('earlier')
    await bareCharge()
    expect((await assessed('earlier')).verdict).toBe('investigate')
    await age('earlier', '30 minutes')
    expect(await assessed('earlier')).toMatchObject({ verdict: 'release' })
  })

  test('a key that records no step says nothing of what its handler called', async () => {
    const holder = await acquire(fixture, 'stepless')
    await killHolder(fixture, holder)
    await bareCharge(77)
    expect((await assessed('stepless')).providerAnswer.kind).toBe('possible')
  })
})

describe('follows every id that the service keeps', () => {
  async function named(key: string, reference: string) {
    const holder = await acquire(fixture, key)
    await beginCharge(fixture, holder)
    await fixture.store.settleEffect(holder, 'charge', {
      state: 'committed',
      reference,
      amountMinor: 1050n,
      currency: 'USD',
      result: null,
    })
    await killHolder(fixture, holder)
  }

  test('a payment intent leads to its charge', async () => {
    const { charge: id, intent } = await bareCharge()
    await named('by-intent', intent)
    expect((await assessed('by-intent')).providerAnswer).toMatchObject({ kind: 'found', objects: [{ id }] })
    await charge(fixture, 'unrelated', 'o-1')
  })

  test('an id that the provider does not have is no absence', async () => {
    await named('elsewhere', 'ch_3NotOfThisAccount')
    expect(await assessed('elsewhere')).toMatchObject({
      verdict: 'investigate',
      providerAnswer: { kind: 'unreachable', error: expect.stringContaining('ch_3NotOfThisAccount') },
    })
    expect(await refusals('elsewhere')).toEqual(Array(3).fill('provider_unreachable'))
  })

  test('an open payment that the key names may still be charged', async () => {
    const open = await fixture.stripe.paymentIntents.create({ amount: 1050, currency: 'usd' })
    await named('open-intent', open.id)
    const lock = await assessed('open-intent')
    expect(lock).toMatchObject({
      verdict: 'investigate',
      providerAnswer: { kind: 'possible', objects: [{ kind: 'payment', id: open.id }] },
    })
    expect(lock.reason).toContain('a charge may yet be made under it')
    expect(await refusals('open-intent')).toEqual(Array(3).fill('effect_possible'))
  })
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SystemContext } from '@/lib/context'
import { createProviderAsker } from '@/lib/locks/assess/ask-provider'
import { askStuck } from '@/lib/locks/assess/ask-stuck'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import type { LeaseReading } from '@/lib/locks/assess/holder-life'
import type { KeySettings } from '@/lib/locks/settings'
import { reconcileSettings } from '@/lib/reconcile/settings'
import { stageSystem } from '@/lib/reconcile/stage/stage'
import { openIntentSource } from '@/lib/sources/registry'
import { setSettings } from '../support/settings'
import { acquire, beginCharge, createFixture, type Fixture, killHolder, SETTINGS } from './locks-fixture'

setSettings({ IDEMSCOPE_KEY_SECRET: 'k'.repeat(32) })

let fixture: Fixture
beforeAll(async () => {
  fixture = await createFixture()
})
afterAll(() => fixture.close())

const KEEPING: KeySettings = { ...SETTINGS, askAgainMs: 15_000 }

async function dead(key: string) {
  const holder = await acquire(fixture, key)
  await beginCharge(fixture, holder)
  await killHolder(fixture, holder)
}

async function read(key: string): Promise<LeaseReading> {
  const { source } = await openIntentSource(fixture.system, fixture.sourceId)
  const { lease, now } = await source.readKey('web/POST /v1/payments', key)
  if (lease === null) throw new Error(`no lease of ${key}`)
  return { lease, storeNow: now, unchangedSince: null }
}

/** The keys that the provider would be asked about, in the order of the questions. */
async function asked(keys: readonly string[], laterMs: number): Promise<string[]> {
  const names: string[] = []
  const ask = async ({ lease }: LeaseReading) => {
    names.push(lease.key)
    return { kind: 'no_provider' as const }
  }
  const stuck: LeaseReading[] = []
  for (const key of keys) stuck.push(await read(key))
  const answers = await askStuck(later(laterMs), fixture.sourceId, { ask }, stuck, KEEPING)
  expect(stuck.map((reading) => answers.get(reading)?.kind)).toEqual(
    keys.map((key) => (names.includes(key) ? 'no_provider' : 'none')),
  )
  return names
}

const later = (ms: number): SystemContext => ({
  ...fixture.system,
  clock: { ...fixture.system.clock, now: () => new Date(fixture.system.clock.now().getTime() + ms) },
})

test('a sure answer is kept for a while, unless its lease has changed; new keys are asked about', async () => {
  await dead('first')
  await dead('second')
  await checkLocks(fixture.system, fixture.sourceId, KEEPING)
  await dead('new')
  expect(await asked(['new', 'second', 'first'], 0)).toEqual(['new'])
  expect(await asked(['new', 'second', 'first'], 15_000)).toEqual(['first', 'second', 'new'])
  // The console's clock was ahead when it asked, and was set back.
  expect(await asked(['second', 'first'], -600_000)).toEqual(['first', 'second'])
  await fixture.service.query(
    `UPDATE idem_lease SET lease_until = lease_until + interval '1 s' WHERE key = idem_key_bytes('first')`,
  )
  expect(await asked(['second', 'first'], 0)).toEqual(['first'])
})

test('what could not be told is asked for each time', async () => {
  await dead('unknown')
  fixture.provider.control.setSwitches({ serverError: { remaining: 1000, effect: 'before' } })
  await checkLocks(fixture.system, fixture.sourceId, SETTINGS)
  fixture.provider.control.setSwitches({ serverError: { remaining: 0, effect: 'before' } })
  const ask = async () => ({ kind: 'no_provider' as const })
  const stuck = [await read('unknown')]
  const answers = await askStuck(fixture.system, fixture.sourceId, { ask }, stuck, KEEPING)
  expect([...answers.values()]).toEqual([{ kind: 'no_provider' }])
})

test('a provider that fails is not asked about each key: a check would last as long as all their timeouts', async () => {
  let failed = 0
  const log = { ...fixture.system.log, warn: () => void failed++ }
  const asker = createProviderAsker({ ...fixture.system, log }, 'payments', SETTINGS)
  fixture.provider.control.setSwitches({ serverError: { remaining: 1000, effect: 'before' } })
  const reading = await read('second')
  for (let n = 0; n < 10; n++) expect((await asker.ask(reading)).kind).toBe('unreachable')
  expect(failed).toBe(3)
  fixture.provider.control.setSwitches({ serverError: { remaining: 0, effect: 'before' } })
})

test('an object without a key that was staged between two listings of one check is not overlooked', async () => {
  await dead('before')
  await dead('after')
  let laterMs = 0
  const clock = { ...fixture.system.clock, now: () => later(laterMs).clock.now() }
  const asker = createProviderAsker({ ...fixture.system, clock }, 'payments', SETTINGS)
  expect((await asker.ask(await read('before'))).kind).toBe('none')
  const { latest_charge: id } = await fixture.stripe.paymentIntents.create({
    amount: 1050,
    currency: 'usd',
    confirm: true,
    payment_method: 'pm_card_visa',
  })
  // Its clock goes on, so that all that was made until now is staged; the kept listing is too old to prove anything.
  fixture.provider.control.setSwitches({ clock: { skewMs: reconcileSettings().clockSkewMs + 1_000 } })
  await stageSystem(fixture.system, 'payments')
  laterMs = 3_600_000
  expect(await asker.ask(await read('after'))).toMatchObject({ kind: 'possible', objects: [{ id }] })
})

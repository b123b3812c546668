import { expect } from 'vitest'
import { messageFaultNames } from '@/demo/traffic/faults/registry'
import type { Api } from '../support/api'
import { type RunningDemo, type Truth, until } from '../support/demo'

/** A look at the outbox and a reading of the stores; on a busy machine the wait says nothing. */
const WAIT_MS = 120_000

const idsOf = (truth: Truth[], shownAs: Truth['shownAs']): string[] =>
  truth.filter((fault) => fault.shownAs === shownAs).flatMap(({ messageIds }) => messageIds ?? [])

const keyOf = ({ scope, key }: { scope: string | null; key: string | null }) => `${scope} ${key}`

/** What the console shows of messages beside its cases: every dead letter, effects of consumers, and what is unsent. */
async function shown(api: Api) {
  const [dead, twice, orphans, sources] = await Promise.all([
    api.all('messages/dead'),
    api.all('effects?kind=duplicate'),
    api.all('effects?kind=orphan'),
    api.get('messages'),
  ])
  const ofConsumers = (effects: { name: string; scope: string | null; key: string | null }[]) =>
    effects.filter(({ name }) => name === 'mail.send').map(keyOf)
  return {
    dead: dead.map(({ messageId }) => messageId as string).toSorted(),
    appliedTwice: ofConsumers(twice).toSorted(),
    orphans: ofConsumers(orphans).toSorted(),
    // A topic without a message is not there.
    unsent: sources.items
      .flatMap(({ topics }: { topics: { unsent: number }[] }) => topics)
      .filter(({ unsent }: { unsent: number }) => unsent !== 0),
  }
}

/** Every fault of messages as the truth file says, and nothing else; the messages of all others were sent. */
export async function expectMessages(demo: RunningDemo, api: Api): Promise<void> {
  const truth = demo.truth()
  const named = (fault: string) => truth.filter((each) => each.fault === fault)
  const expected = {
    dead: idsOf(truth, 'dead_letter').toSorted(),
    appliedTwice: named('redelivered_after_expiry').map(keyOf).toSorted(),
    orphans: named('consumer_killed_after_effect').map(keyOf).toSorted(),
    unsent: [],
  }
  // What is not so by then is said by the comparison.
  await until(
    async () => JSON.stringify(await shown(api)) === JSON.stringify(expected),
    WAIT_MS,
    () => 'not as expected yet',
  ).catch(() => undefined)
  expect(await shown(api)).toEqual(expected)

  const again = idsOf(truth, 'redelivery')
  const { items } = await api.get('measures')
  const m8 = items.find(({ id }: { id: string }) => id === 'M8')
  expect(m8.numerator).toBeGreaterThanOrEqual(named('relay_killed').length)
  expect(m8.denominator).toBeGreaterThan(again.length)
  for (const fault of messageFaultNames) expect(named(fault).length, fault).toBeGreaterThanOrEqual(2)
}

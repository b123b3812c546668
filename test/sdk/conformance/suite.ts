import { afterAll, beforeAll, describe } from 'vitest'
import { acquireCases } from './acquire-cases'
import { bodyCases } from './body-cases'
import { capabilityCases } from './capability-cases'
import { effectCases } from './effect-cases'
import { endingCases } from './ending-cases'
import type { Harness } from './harness'
import { holdCases } from './hold-cases'
import { lostReplyCases } from './lost-reply-cases'
import { providerKeyCases } from './provider-key-cases'
import { raceCases } from './race-cases'
import { zombieCases } from './zombie-cases'

/** By topic; each is given what opens the harness of this file, once it is open. */
const TOPICS = {
  'acquire, replay, mismatch': acquireCases,
  'takeover and zombies': zombieCases,
  effects: effectCases,
  'provider keys': providerKeyCases,
  endings: endingCases,
  bodies: bodyCases,
  holds: holdCases,
  races: raceCases,
  'lost replies': lostReplyCases,
  capabilities: capabilityCases,
} satisfies Record<string, (harness: () => Harness) => void>

type Topic = keyof typeof TOPICS
export const ALL = Object.keys(TOPICS) as Topic[]

/** The store contract, which every store keeps alike. What a store cannot do is a capability, and is tested as that. */
export function describeStore(
  name: string,
  openHarness: () => Promise<Harness>,
  topics: readonly Topic[] = ALL,
): void {
  describe(name, () => {
    let harness: Harness
    beforeAll(async () => {
      harness = await openHarness()
    })
    afterAll(() => harness?.close())
    for (const topic of topics) describe(topic, () => TOPICS[topic](() => harness))
  })
}

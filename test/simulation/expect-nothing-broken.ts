import { expect, test } from 'vitest'
import { createEnvironment } from './environment/environment'
import { playSeeds, range } from './play-seeds'

/** Each fifth seed has two histories: two files of this play 201. */
const SEEDS = 84

/** Two files of this, so that two cores share the histories. */
export function expectNothingBroken(from: number, adminUrl: () => string): void {
  test(`nothing breaks in the histories of the seeds ${from} to ${from + SEEDS - 1}`, {
    timeout: 1_200_000,
  }, async () => {
    const env = await createEnvironment(adminUrl(), 'idemscope_template')
    try {
      const found = await playSeeds(env, range(from, SEEDS))
      expect(found.map(({ story }) => story).join('\n\n')).toBe('')
    } finally {
      await env.close()
    }
  })
}

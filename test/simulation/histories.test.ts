import { expect, inject, test } from 'vitest'
import { createEnvironment } from './environment/environment'
import { playSeeds, range } from './play-seeds'

/** The first of the 10,000 that `npm run test:deep` plays. */
const HISTORIES = 40

test(`nothing breaks in the histories 1 to ${HISTORIES}`, { timeout: 1_200_000 }, async () => {
  const env = await createEnvironment(inject('postgresUrl'), 'idemscope_template')
  try {
    const found = await playSeeds(env, range(1, HISTORIES))
    expect(found.map(({ story }) => story).join('\n\n')).toBe('')
  } finally {
    await env.close()
  }
})

import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createEnvironment, type Environment } from './environment/environment'
import { SDK_MUTATIONS } from './mutations/sdk'
import { type Found, playSeeds, range } from './play-seeds'
import { writeScript } from './scripts/write-script'

let env: Environment
beforeAll(async () => {
  env = await createEnvironment(inject('postgresUrl'), 'idemscope_template')
})
afterAll(() => env.close())

test('a broken guard is found, shrunk to few moves, and told', { timeout: 1_200_000 }, async () => {
  await breakFunction('a live lease is taken over')
  const found = await firstFound()
  expect(found).toMatchObject({ invariant: 'one execution at a time' })
  expect(found.script.moves.length).toBeLessThanOrEqual(3)
  expect(found.story).toMatch(/^seed \d+ \(keys\): a service that /)
  expect(found.story).toMatch(/1\. service \d is asked to pay key (\d).*\n.*asked to pay key \1/s)
  expect(found.story).toMatch(
    /→ one execution at a time: k\d+-\d is executed again while service \d works on it$/,
  )
})

async function firstFound(): Promise<Found> {
  for (const seed of range(1, 100)) {
    if (writeScript(seed).about !== 'keys') continue
    const [found] = await playSeeds(env, [seed])
    if (found !== undefined) return found
  }
  throw new Error('nothing was found')
}

/** A function of the store is made anew, without a guard. */
async function breakFunction(name: string): Promise<void> {
  const mutation = SDK_MUTATIONS.find((each) => each.name === name)
  const { rows } = await env.admin.query(
    'SELECT pg_get_functiondef(oid) AS sql FROM pg_proc WHERE proname = $1',
    [mutation?.within],
  )
  const { sql } = rows[0]
  const broken = sql.replace(mutation?.find, () => mutation?.replace)
  expect(broken).not.toBe(sql)
  await env.admin.query(broken)
}

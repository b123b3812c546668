import type { Environment } from './environment/environment'
import { playHistory, shrink } from './history'
import { describeScript } from './scripts/describe'
import type { Script } from './scripts/script'
import { writeScripts } from './scripts/write-script'

export type Found = { seed: number; invariant: string; message: string; script: Script; story: string }

/** Plays the histories of these seeds; what breaks is shrunk to the fewest moves and told. */
export async function playSeeds(
  env: Environment,
  seeds: Iterable<number>,
  { shrinks = true, tell = () => {} }: { shrinks?: boolean; tell?: (story: string) => void } = {},
): Promise<Found[]> {
  const found: Found[] = []
  for (const script of [...seeds].flatMap(writeScripts)) {
    const { seed } = script
    const { violation } = await playHistory(env, script).catch((cause: unknown) => {
      throw new Error(`the simulation could not play ${describeScript(script)}`, { cause })
    })
    if (violation === null) continue
    const { invariant } = violation
    const least = shrinks ? await shrink(env, script, invariant) : script
    const again = shrinks ? (await playHistory(env, least)).violation : violation
    const message =
      again?.message ?? `${violation.message} (not again: the simulation is not deterministic here)`
    const story = `${describeScript(least)}\n  → ${message}`
    tell(story)
    found.push({ seed, invariant, message, script: least, story })
  }
  return found
}

export const range = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, place) => from + place)

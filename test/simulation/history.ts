import type { Environment } from './environment/environment'
import { allCalls } from './environment/strands'
import { checkInvariants } from './invariants/invariants'
import { Violation } from './invariants/violation'
import { PLAIN, type Script } from './scripts/script'
import { perform } from './world/perform'
import { World } from './world/world'

export type Outcome = {
  violation: Violation | null
  /** What was called, in order, and what came of it. */
  trace: readonly string[]
  at: number
}

/** Plays one script from an empty world to its end, and says what broke first. */
export async function playHistory(env: Environment, script: Script): Promise<Outcome> {
  await env.reset()
  const world = new World(env, script)
  let at = 0
  const outcome = (violation: Violation | null): Outcome => ({
    ...{ violation, at },
    trace: [...allCalls(), ...world.notes],
  })
  try {
    await world.hands?.look()
    for (const move of script.moves) {
      await perform(world, move)
      await checkInvariants(world)
      at += 1
    }
    await world.finish()
    await checkInvariants(world)
    return outcome(null)
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    return outcome(error)
  } finally {
    world.close()
  }
}

/** The fewest and simplest moves that still break the same invariant. */
export async function shrink(env: Environment, failing: Script, invariant: string): Promise<Script> {
  const breaks = async (script: Script) => (await playHistory(env, script)).violation?.invariant === invariant
  const { at } = await playHistory(env, failing)
  let best: Script = { ...failing, moves: failing.moves.slice(0, at + 1) }
  if (!(await breaks(best))) best = failing
  for (let size = Math.ceil(best.moves.length / 2); size >= 1; ) {
    let shorter = false
    for (let start = 0; start < best.moves.length; ) {
      const moves = [...best.moves.slice(0, start), ...best.moves.slice(start + size)]
      if (moves.length < best.moves.length && (await breaks({ ...best, moves }))) {
        best = { ...best, moves }
        shorter = true
      } else start += size
    }
    if (!shorter || size > 1) size = size === 1 ? 0 : Math.ceil(size / 2)
  }
  return simplify(best, breaks)
}

async function simplify(script: Script, breaks: (script: Script) => Promise<boolean>): Promise<Script> {
  let best = script
  const attempt = async (next: Script) => {
    if (await breaks(next)) best = next
  }
  for (const [place, move] of script.moves.entries()) {
    if (!('fault' in move)) continue
    await attempt(withMove(best, place, { ...move, ...PLAIN }))
    const now = best.moves[place]
    if (now !== undefined && 'fault' in now && now.fault !== null)
      await attempt(withMove(best, place, { ...now, fault: null }))
  }
  return best
}

const withMove = (script: Script, place: number, move: Script['moves'][number]): Script => ({
  ...script,
  moves: script.moves.map((each, at) => (at === place ? move : each)),
})

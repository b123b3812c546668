import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createEnvironment, type Environment } from './environment/environment'
import { playHistory } from './history'
import { range } from './play-seeds'
import { ABOUT, ABOUT_MORE, type Script } from './scripts/script'
import { writeScript, writeSecondScript } from './scripts/write-script'

let env: Environment
beforeAll(async () => {
  env = await createEnvironment(inject('postgresUrl'), 'idemscope_template')
})
afterAll(() => env.close())

/** The shortest of each kind. */
const SCRIPTS = [
  ...ABOUT.map((about) => shortest(about, writeScript)),
  ...ABOUT_MORE.map((about) => shortest(about, writeSecondScript)),
]

test('a seed is the same history whatever was played before it', { timeout: 1_200_000 }, async () => {
  const first = await playAll(SCRIPTS)
  const second = await playAll(SCRIPTS.toReversed())
  expect(second.toReversed()).toEqual(first)
})

async function playAll(scripts: readonly Script[]): Promise<string[][]> {
  const traces: string[][] = []
  for (const script of scripts) {
    const { trace, violation } = await playHistory(env, script)
    expect(violation).toBeNull()
    traces.push(withoutIds(trace))
  }
  return traces
}

/** Ids of the console and of the SDK are random: each is named for where it first occurs. */
function withoutIds(lines: readonly string[]): string[] {
  const names = new Map<string, string>()
  return lines.map((line) =>
    line.replaceAll(
      /\b[a-z]{2,5}_[0-9A-Za-z]{18,}\b|\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b[0-9a-f]{32,64}\b/g,
      (id) => {
        const name = names.get(id) ?? `id ${names.size}`
        names.set(id, name)
        return name
      },
    ),
  )
}

function shortest(about: Script['about'], write: (seed: number) => Script): Script {
  const [script] = range(1, 100)
    .map(write)
    .filter((each) => each.about === about)
    .toSorted((a, b) => a.moves.length - b.moves.length)
  if (script === undefined) throw new Error(`no seed is about ${about}`)
  return script
}

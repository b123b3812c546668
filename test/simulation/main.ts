import { fork } from 'node:child_process'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import pg from 'pg'
import { startEmbeddedPostgres, THROW_AWAY } from '@/jobs/supervisor/embedded/postgres'
import { applyMigrations } from '@/prisma/engine'
import { makeThrowAwayFolder } from '../support/throw-away-folder'
import { createEnvironment } from './environment/environment'
import { runMutations } from './mutations/run'
import { playSeeds, range } from './play-seeds'
import { stopFirst } from './stop-first'

/*
 * npm run test:deep -- [--from 1] [--seeds 10000] [--processes 2] [--as-found]
 * Plays histories, tells every one that breaks, shrunk to the fewest moves (unless --as-found), and ends with how many
 * there were. One seed: --from 91 --seeds 1.
 */

const arg = (name: string, otherwise: number): number => {
  const place = process.argv.indexOf(`--${name}`)
  return place < 0 ? otherwise : Number(process.argv[place + 1])
}
const BATCH = 50

async function work(): Promise<number> {
  const folder = makeThrowAwayFolder('simulation')
  const settings = [...THROW_AWAY, 'max_prepared_transactions=10', `unix_socket_directories=${tmpdir()}`]
  let starting: ReturnType<typeof startEmbeddedPostgres> | undefined
  const stop = async () => {
    await starting?.then(
      (postgres) => postgres.stop(),
      () => {},
    )
    rmSync(folder, { recursive: true, force: true })
  }
  return stopFirst(stop, async () => {
    try {
      // Trees from before the option existed took the settings as they are.
      starting = startEmbeddedPostgres(folder, Object.assign([...settings], { settings }))
      const postgres = await starting
      await createTemplate(postgres.url('postgres'), postgres.url('idemscope_template'))
      return await play(postgres.url('postgres'))
    } catch (error) {
      // Before the cluster stops, on which others still wait.
      console.error(error)
      throw error
    } finally {
      await stop()
    }
  })
}

async function createTemplate(adminUrl: string, url: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  await client.query('CREATE DATABASE idemscope_template')
  await client.end()
  await applyMigrations(url)
}

/** A new environment now and then: emptied tables grow slow. */
async function play(adminUrl: string): Promise<number> {
  const [from, seeds] = [arg('from', 1), arg('seeds', 10_000)]
  const startedMs = performance.now()
  const counts = new Map<string, number>()
  for (let start = from; start < from + seeds; start += BATCH) {
    const env = await createEnvironment(adminUrl, 'idemscope_template')
    const shrinks = !process.argv.includes('--as-found')
    const found = await playSeeds(env, range(start, Math.min(BATCH, from + seeds - start)), {
      shrinks,
      tell: (story) => console.log(`${story}\n`),
    })
    for (const { invariant } of found) {
      counts.set(invariant, (counts.get(invariant) ?? 0) + 1)
    }
    await env.close()
    console.error(`up to seed ${Math.min(start + BATCH, from + seeds) - 1}: ${counted(counts)} broken`)
  }
  const broken = counted(counts)
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0)
  console.log(
    `${seeds} histories from seed ${from} in ${seconds} s: ${broken} broken`,
    Object.fromEntries(counts),
  )
  return broken
}

const counted = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0)

/** The same program in several processes, each with its share of the seeds. */
async function share(processes: number): Promise<number> {
  const [from, seeds] = [arg('from', 1), arg('seeds', 10_000)]
  const each = Math.ceil(seeds / processes)
  const flags = process.argv.filter((word) => word === '--as-found')
  const children = range(0, processes).map((place) => {
    const own = [
      '--from',
      from + place * each,
      '--seeds',
      Math.min(each, seeds - place * each),
      '--processes',
      1,
      ...flags,
    ]
    return fork(import.meta.filename, own.map(String))
  })
  const ended = Promise.all(
    children.map((child) => new Promise<number>((done) => child.once('exit', (code) => done(code ?? 1)))),
  )
  const stop = () => {
    for (const child of children) child.kill()
    return ended
  }
  return stopFirst(stop, async () => Math.max(...(await ended)))
}

if (process.argv.includes('mutations')) {
  const missed = await runMutations({ skip: arg('skip', 0), take: arg('take', 1_000) })
  process.exit(missed > 0 ? 1 : 0)
}
const processes = arg('processes', arg('seeds', 10_000) > 200 ? 2 : 1)
const broken = processes > 1 ? await share(processes) : await work()
process.exit(broken > 0 ? 1 : 0)

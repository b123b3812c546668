import { fork } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keepEmbeddedPostgres } from '@/jobs/supervisor/embedded/keep-running'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@/jobs/supervisor/embedded/postgres'
import { silentLog } from '@/lib/log'
import { processesOf } from '../support/processes'
import { makeThrowAwayFolder } from '../support/throw-away-folder'

let folder: string
let running: EmbeddedPostgres | undefined

beforeEach(() => {
  folder = makeThrowAwayFolder('embedded')
})
afterEach(async () => {
  await running?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function query(postgres: Pick<EmbeddedPostgres, 'url'>, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: postgres.url('postgres') })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

test('what was committed survives kill -9 of the server', async () => {
  const first = await startEmbeddedPostgres(folder)
  await query(first, 'CREATE TABLE kept AS SELECT 42 AS answer')
  process.kill(first.pid, 'SIGKILL')
  await first.exited
  running = await startEmbeddedPostgres(folder)
  expect(await query(running, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
})

test('a server whose supervisor was killed is ended before the next start', async () => {
  const orphan = await startEmbeddedPostgres(folder)
  running = await startEmbeddedPostgres(folder)
  await orphan.exited
  expect(running.port).not.toBe(orphan.port)
  expect(await query(running, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
})

test('a kept server that is killed comes back on its port with its data; one that keeps ending is given up', async () => {
  const kept = await keepEmbeddedPostgres(folder, silentLog, { failuresMax: 2 })
  try {
    const url = kept.url('postgres')
    await query(kept, 'CREATE TABLE kept AS SELECT 42 AS answer')
    for (let kills = 0; kills < 2; kills += 1) {
      kill()
      await expect.poll(() => answers(url), { interval: 100 }).toBe(42)
    }
    kill()
    expect(await kept.lost).toBeInstanceOf(Error)
  } finally {
    await kept.stop()
  }
})

/** Processes of the cluster whose command line has this. */
const processesWith = (what: string) => processesOf(folder).filter(({ name }) => name.includes(what))

function kill(): void {
  const [pid] = readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')
  process.kill(Number(pid), 'SIGKILL')
}

async function answers(url: string): Promise<number | null> {
  const pool = new pg.Pool({ connectionString: url, max: 1, connectionTimeoutMillis: 1_000 })
  pool.on('error', () => undefined)
  try {
    return (await pool.query('SELECT answer FROM kept')).rows[0].answer
  } catch {
    return null
  } finally {
    await pool.end()
  }
}

test('it stops within seconds', async () => {
  const postgres = await startEmbeddedPostgres(folder)
  const startedAt = performance.now()
  await postgres.stop()
  expect(performance.now() - startedAt).toBeLessThan(20_000)
})

test.runIf(process.getuid?.() === 0)(
  'as root in a folder that other users cannot enter, it runs elsewhere',
  async () => {
    chmodSync(folder, 0o700)
    running = await startEmbeddedPostgres(folder)
    const [row] = (await query(running, 'SHOW data_directory')) as [{ data_directory: string }]
    expect(row.data_directory).toMatch(/^\/var\/lib\/idemscope\//)
    rmSync(row.data_directory.replace(/\/data$/, ''), { recursive: true, force: true })
  },
)

describe('a start that is told to stop', () => {
  test.each(['initdb', 'bin/postgres'])('leaves nothing running while %s is', async (program) => {
    const stopping = new AbortController()
    const start = startEmbeddedPostgres(folder, { signal: stopping.signal })
    const failed = expect(start).rejects.toThrow('enough')
    await expect.poll(() => processesWith(program).length, { interval: 1 }).toBeGreaterThan(0)
    stopping.abort(new Error('enough'))
    await failed
    expect(processesOf(folder)).toEqual([])
    // What was half made is no obstacle.
    running = await startEmbeddedPostgres(folder)
    expect(await query(running, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('ends a server that is not ready in time', async () => {
    await expect(startEmbeddedPostgres(folder, { startWithinMs: 1 })).rejects.toThrow('did not start')
    expect(processesOf(folder)).toEqual([])
  })

  test('leaves nothing running while a server that was killed is started again', async () => {
    const kept = await keepEmbeddedPostgres(folder, silentLog)
    for (const { pid } of processesWith('bin/postgres')) process.kill(pid, 'SIGKILL')
    await expect.poll(() => processesWith('bin/postgres').length, { interval: 1 }).toBe(0)
    await expect.poll(() => processesWith('bin/postgres').length, { interval: 1 }).toBe(1)
    await kept.stop()
    expect(processesOf(folder)).toEqual([])
  })
})

test.each(['exit', 'SIGTERM'])(
  'a server ends with a process that ends by %s and stops nothing itself',
  async (how) => {
    const program = fork('test/supervisor/keeps-a-server-child.ts', [folder, how], {
      execArgv: ['--import', 'tsx'],
    })
    const ended = once(program, 'exit')
    const [started] = await once(program, 'message')
    expect(started).toBe('started')
    expect(processesWith('bin/postgres').length).toBeGreaterThan(0)
    if (how === 'exit') program.send('exit')
    else program.kill('SIGTERM')
    await ended
    expect(processesOf(folder)).toEqual([])
  },
)

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Api, apiClient } from '../support/api'
import { endDemo, spawnDemo, startDemo, until } from '../support/demo'
import { processesOf } from '../support/processes'
import { makeThrowAwayFolder } from '../support/throw-away-folder'
import { wholeOrSample } from '../support/whole-or-sample'

let folder: string

beforeEach(() => {
  folder = makeThrowAwayFolder('lifecycle')
})
afterEach(() => {
  for (const { pid } of processesOf(folder)) process.kill(pid, 'SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** What only compiled for a process ends a moment after it. */
const expectNothingLeft = () => expect.poll(() => processesOf(folder), { timeout: 60_000 }).toEqual([])

const start = () => startDemo({ seed: '3', durationS: 0, rate: 5, faultRate: 0.2, folder })

test('SIGTERM ends every process within seconds, leaving none', async () => {
  const demo = await start()
  expect(processesOf(folder).length).toBeGreaterThan(6)
  const startedAt = performance.now()
  await demo.stop()
  expect(performance.now() - startedAt).toBeLessThan(30_000)
  await expectNothingLeft()
})

const whole = test.runIf(wholeOrSample(true, false))

type Moment = (start: { output: string; runs: (program: string) => boolean }) => boolean

const MOMENTS: [string, Moment][] = [
  ['its cluster is made', ({ runs }) => runs('initdb')],
  ['its PostgreSQL starts', ({ runs }) => runs('bin/postgres')],
  ['its database is migrated', () => logOf('postgres.log').includes('ready to accept connections')],
  ['its database is filled', ({ output }) => output.includes('✓ Preparing the database')],
  ['its first process starts', ({ runs }) => runs('jobs/receiver')],
  ['its last process starts', ({ runs }) => runs('jobs/web.mjs')],
]

const logOf = (name: string): string => {
  const path = join(folder, name)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

test.each(wholeOrSample(MOMENTS, MOMENTS.slice(4, 5)))(
  'a start that is told to stop while %s leaves nothing running',
  async (_, isNow) => {
    const { child, output } = await spawnDemo({ seed: '3', durationS: 0, folder })
    const runs = (program: string) => processesOf(folder).some(({ name }) => name.includes(program))
    await expect.poll(() => isNow({ output: output(), runs }), { interval: 3, timeout: 90_000 }).toBe(true)
    await endDemo(child)
    await expectNothingLeft()
  },
)

test.each(wholeOrSample([0, 1_000], [0]))(
  'SIGTERM %i ms after its PostgreSQL was killed leaves nothing running',
  async (delayMs) => {
    const demo = await start()
    const [postmaster] = processesOf(folder).filter(({ name }) => name.includes('bin/postgres'))
    process.kill(postmaster?.pid ?? 0, 'SIGKILL')
    await new Promise((done) => setTimeout(done, delayMs))
    await demo.stop()
    await expectNothingLeft()
  },
)

whole('Ctrl-C that npm passes on once more leaves nothing running', async () => {
  const demo = await start()
  for (const pid of demo.pids()) for (let times = 0; times < 3; times += 1) process.kill(pid, 'SIGINT')
  await demo.stop()
  await expectNothingLeft()
})

test('kill -9 of everything, and the next start goes on with the same data', async () => {
  const first = await start()
  const api = apiClient(first.url, { token: await first.token('viewer') })
  await until(
    async () => (await api.get('keys?limit=1')).items.length > 0,
    60_000,
    () => 'no key was staged',
  )
  const { items } = await api.get('sources')
  for (const { pid } of processesOf(folder)) process.kill(pid, 'SIGKILL')

  const second = await start()
  const again = apiClient(second.url, { token: await second.token('viewer') })
  expect((await again.get('sources')).items.map((source: { id: string }) => source.id)).toEqual(
    items.map((source: { id: string }) => source.id),
  )
  expect((await again.get('keys?limit=1')).items).toHaveLength(1)
  await second.stop()
  await expectNothingLeft()
})

whole('kill -9 of the supervisor alone takes the others along, but for the database', async () => {
  const demo = await start()
  for (const pid of demo.pids()) process.kill(pid, 'SIGKILL')
  await until(
    async () => processesOf(folder).every(({ name }) => name.includes('postgres')),
    60_000,
    () => `left: ${JSON.stringify(processesOf(folder), null, 1)}`,
  )
})

whole('a crash of one process does not take the others, and it comes back', async () => {
  const demo = await start()
  const worker = processesOf(folder).find(({ name }) => name.includes('jobs/worker/main.ts'))
  process.kill(worker?.pid ?? 0, 'SIGKILL')
  expect((await fetch(`${demo.url}/healthz`)).status).toBe(200)
  await until(
    async () =>
      processesOf(folder).some(
        ({ name, pid }) => name.includes('jobs/worker/main.ts') && pid !== worker?.pid,
      ),
    60_000,
    () => 'the worker did not come back',
  )
  await demo.stop()
})

test('a killed PostgreSQL comes back, and with it all that rests on it; one that keeps dying ends the start', async () => {
  const demo = await startDemo({ seed: '3', durationS: 0, folder, empty: true })
  const api = apiClient(demo.url, { token: await demo.token('viewer') })
  const postmaster = () => processesOf(folder).find(({ name }) => name.includes('bin/postgres'))?.pid
  const first = postmaster()
  process.kill(first ?? 0, 'SIGKILL')
  const killedAt = new Date().toISOString()
  await until(
    async () => ![first, undefined].includes(postmaster()),
    60_000,
    () => 'PostgreSQL did not come back',
  )
  await expect.poll(() => storeSpan(demo.runtime.otlpUrl), { timeout: 60_000 }).toBe(200)
  await expect.poll(() => runsDoneSince(api, killedAt), { timeout: 60_000 }).not.toEqual([])
  await expect.poll(async () => (await fetch(`${demo.url}/readyz`)).status, { timeout: 60_000 }).toBe(200)

  await until(
    async () => {
      const running = postmaster()
      // It may have ended since that look.
      if (running !== undefined) spawnSync('kill', ['-9', String(running)])
      return demo.exitCode() !== null
    },
    120_000,
    () => 'the supervisor lives on without a database',
  )
  expect(demo.exitCode()).toBe(1)
  await expectNothingLeft()
})

async function storeSpan(otlpUrl: string): Promise<number> {
  const atNs = `${Date.now()}000000`
  const ids = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') }
  const span = { ...ids, name: 'after', kind: 1, startTimeUnixNano: atNs, endTimeUnixNano: atNs }
  const answer = await fetch(`${otlpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
  })
  return answer.status
}

const runsDoneSince = async (api: Api, since: string): Promise<string[]> =>
  (await api.all('runs?state=done')).filter(({ createdAt }) => createdAt > since).map(({ id }) => id)

test('a second start on the same data says who holds it', async () => {
  const demo = await start()
  const env = { ...process.env, IDEMSCOPE_DATA_DIR: folder, PORT: '0' }
  const second = spawnSync(process.execPath, ['--import', 'tsx', 'jobs/supervisor/start.ts', '--demo'], {
    env,
    encoding: 'utf8',
  })
  expect(second.status).toBe(1)
  expect(second.stderr).toContain(`in use by process ${demo.pids()[0]}`)
  await demo.stop()
})

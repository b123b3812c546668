import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createEmptyDatabase } from '../support/database'
import { createRole, keys } from './demo-fixture'

/** 3 s are promised on a quiet machine; the rest is for one that others share. */
const END_MS = 60_000

/** The demo as the supervisor runs it. Its service processes are found by the path of their bundle. */
interface Demo {
  child: ChildProcess
  messages: { type: string; url?: string; faults?: number; failures?: number }[]
}

let database: Awaited<ReturnType<typeof createEmptyDatabase>>
let role: Awaited<ReturnType<typeof createRole>>
let dataDir: string
let demos: Demo[]
const ready = createServer((_, response) => response.end())

beforeEach(async () => {
  database = await createEmptyDatabase()
  role = await createRole(database.adminUrl)
  dataDir = await mkdtemp(join(tmpdir(), 'idemscope-demo-'))
  demos = []
  if (!ready.listening) await new Promise<void>((resolve) => ready.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  ready.close()
  for (const { child } of demos) child.kill('SIGKILL')
  for (const pid of servicePids()) process.kill(pid, 'SIGKILL')
  await database.close()
  await role.drop()
  await rm(dataDir, { recursive: true })
})

function start(options: { durationS: number; rate: number; faultRate: number }): Demo {
  const { port } = ready.address() as AddressInfo
  const child = spawn(process.execPath, ['--import', 'tsx', 'demo/main.ts'], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {
      ...process.env,
      DEMO_DATABASE_URL: database.url,
      DEMO_CONSOLE_ROLE: role.name,
      DEMO_DATA_DIR: dataDir,
      DEMO_OTLP_URL: 'http://127.0.0.1:9',
      DEMO_READY_URL: `http://127.0.0.1:${port}/readyz`,
      IDEMSCOPE_KEY_SECRET: 'a secret of the tests',
      DEMO_SEED: '1',
      DEMO_RATE: String(options.rate),
      DEMO_DURATION_S: String(options.durationS),
      DEMO_FAULT_RATE: String(options.faultRate),
      DEMO_PROVIDER_READ_KEY: keys.readKey,
      DEMO_PROVIDER_WRITE_KEY: keys.writeKey,
    },
  })
  const demo: Demo = { child, messages: [] }
  child.on('message', (message) => demo.messages.push(message as Demo['messages'][number]))
  demos.push(demo)
  return demo
}

/** Service processes of this test's data, with their state (`T` = stopped). */
function servicePids(state?: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => read(`/proc/${pid}/cmdline`).includes(join(dataDir, 'build')))
    .filter(
      (pid) => state === undefined || read(`/proc/${pid}/stat`).split(') ')[1]?.startsWith(state) === true,
    )
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

async function until(what: string, holds: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not in ${timeoutMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

const has = (demo: Demo, type: string) => demo.messages.some((message) => message.type === type)
const exited = (demo: Demo) => demo.child.exitCode !== null || demo.child.signalCode !== null

const linuxTest = test.skipIf(!existsSync('/proc/self/stat'))

linuxTest('tells what it does, stops traffic in time, and SIGTERM ends all', async () => {
  const demo = start({ durationS: 1, rate: 10, faultRate: 0 })
  await until('traffic ends', () => has(demo, 'traffic-ended'), 80_000)
  expect(demo.messages.map((message) => message.type)).toEqual([
    'provider-ready',
    'service-ready',
    'traffic-began',
    'traffic-ended',
  ])
  expect(demo.messages.at(-1)).toMatchObject({ faults: 0, failures: 0 })
  const [service] = servicePids()
  expect(service).toBeDefined()
  demo.child.kill('SIGTERM')
  await until('all end', () => exited(demo) && servicePids().length === 0, END_MS)
  expect(demo.child.exitCode).toBe(0)
})

linuxTest('SIGTERM while it starts leaves nothing', async () => {
  const demo = start({ durationS: 0, rate: 1, faultRate: 0 })
  await until(
    'its first process is there',
    () => has(demo, 'provider-ready') && servicePids().length > 0,
    40_000,
  )
  demo.child.kill('SIGTERM')
  await until('all end', () => exited(demo) && servicePids().length === 0, END_MS)
})

linuxTest('SIGTERM in the middle of faults ends stopped processes too', async () => {
  // Every operation is a fault: the third and fourth stop a process.
  const demo = start({ durationS: 0, rate: 4, faultRate: 1 })
  await until('a process is stopped', () => servicePids('T').length > 0, 80_000)
  demo.child.kill('SIGTERM')
  await until('all end', () => exited(demo) && servicePids().length === 0, END_MS)
})

linuxTest('kill -9 leaves only stopped processes, and the next start ends those', async () => {
  const demo = start({ durationS: 0, rate: 4, faultRate: 1 })
  await until('a process is stopped', () => servicePids('T').length > 0, 80_000)
  const victims = await readFile(join(dataDir, 'victims.json'), 'utf8')
  const stopped = servicePids('T')
  expect(JSON.parse(victims)).toEqual(expect.arrayContaining(stopped))
  demo.child.kill('SIGKILL')
  await until('the others see it', () => servicePids().every((pid) => servicePids('T').includes(pid)), 80_000)
  const left = servicePids()

  const next = start({ durationS: 0, rate: 1, faultRate: 0 })
  await until('the next one runs', () => has(next, 'traffic-began'), 80_000)
  expect(servicePids().filter((pid) => left.includes(pid))).toEqual([])
  next.child.kill('SIGTERM')
  await until('all end', () => exited(next) && servicePids().length === 0, END_MS)
})

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import Stripe from 'stripe'
import { apiVersion } from '@/demo/provider/api-version'
import { type RunningProvider, startProvider } from '@/demo/provider/server'
import { LEDGER_CONFIG } from '@/jobs/supervisor/demo/demo-sources'
import type { Context, SystemContext } from '@/lib/context'
import type { Actor } from '@/lib/core/actor'
import { newId } from '@/lib/core/ids'
import type { Role } from '@/lib/core/permissions'
import { silentLog } from '@/lib/log'
import { reconcile } from '@/lib/reconcile/run'
import type { ReconcileSettings } from '@/lib/reconcile/settings'
import { claimRun } from '@/lib/runs/claim'
import { finishRun } from '@/lib/runs/finish'
import type { RunHandle, RunResult } from '@/lib/runs/handle'
import { startRun } from '@/lib/runs/start'
import { closeSources } from '@/lib/sources/registry'
import { saveSource } from '@/lib/sources/save'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'
import { setSettings } from '../support/settings'

export const SCOPE = 'web/POST /v1/payments'
export const REASON = 'checked with the provider by hand'
export const KEYS = { readKey: 'rk_test_read', writeKey: 'sk_test_write' }

export const SETTINGS: ReconcileSettings = {
  keySecret: 'k'.repeat(32),
  settleDelayMs: 3_000,
  callMs: 0,
  clockSkewMs: 1_000,
  breakOnMs: 15_000,
  leaseGraceMs: 1_000,
  floodCap: 200,
  backfillMs: 3_600_000,
}

export type World = Awaited<ReturnType<typeof createWorld>>

/** A service's store and ledger, a provider that speaks HTTP, and a console: all real. Time is moved, never waited for. */
export async function createWorld() {
  setSettings({
    IDEMSCOPE_CREDENTIALS_KEY: 'ab'.repeat(32),
    IDEMSCOPE_DEMO: '1',
    // Calls of these tests are over when they return.
    IDEMSCOPE_PROVIDER_CALL_MS: '0',
  })
  const [console, database] = await Promise.all([createTestDatabase(), createEmptyDatabase()])
  const service = new pg.Pool({ connectionString: database.url, max: 6 })
  service.on('error', () => undefined)
  const store = createPostgresStore({ pool: service })
  await store.migrate()
  await store.registerTier('standard', 86_400_000)
  await store.registerTier('short', 20_000)
  await service.query(await readFile(new URL('../../demo/service/schema.sql', import.meta.url), 'utf8'))
  const dataDir = await mkdtemp(join(tmpdir(), 'idemscope-world-'))
  let aheadMs = 0
  let consoleAheadMs = 0
  const nowMs = () => Date.now() + aheadMs
  const provider = await startProvider({ port: 0, dataDir, seed: 'world', clock: nowMs, ...KEYS })
  const system: SystemContext = {
    db: console.db,
    clock: { now: () => new Date(nowMs() + consoleAheadMs) },
    log: silentLog,
    queue: noQueue,
  }
  const ids = await saveSources(system, database.url, provider)
  return {
    console,
    service,
    store,
    provider,
    system,
    ids,
    stripe: connect(provider),
    advance: (ms: number) => {
      aheadMs += ms
    },
    /** The console's own clock against that of the provider. */
    skewConsole: (ms: number) => {
      consoleAheadMs = ms
    },
    as: (role: Role, name: string = role) => as(system, console, role, name),
    async close() {
      await closeSources()
      store.close()
      await provider.close()
      await service.end()
      await Promise.all([console.close(), database.close()])
      await rm(dataDir, { recursive: true })
    },
  }
}

const connect = (provider: RunningProvider) =>
  new Stripe(KEYS.writeKey, {
    apiVersion,
    host: '127.0.0.1',
    port: provider.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  })

async function saveSources(system: SystemContext, url: string, provider: RunningProvider) {
  const options = { credentialsKey: process.env.IDEMSCOPE_CREDENTIALS_KEY, demo: true }
  const save = (input: Omit<Parameters<typeof saveSource>[1], 'system'>) =>
    saveSource(system, { system: 'payments', ...input }, options)
  const payment = {
    status: 201,
    headers: { 'content-type': 'application/json' },
    body: { charge: '{{effect.reference}}' },
  }
  return {
    store: await save({
      adapter: 'native',
      name: 'store',
      config: { responses: { 'POST /v1/payments': payment } },
      secret: { url },
    }),
    ledger: await save({
      adapter: 'ledger-postgres',
      name: 'ledger',
      config: LEDGER_CONFIG,
      secret: { url },
    }),
    provider: await save({
      adapter: 'stripe',
      name: 'provider',
      config: { mode: 'test', baseUrl: provider.url, requestsPerSecond: 100, attemptsMax: 2 },
      secret: KEYS,
    }),
  }
}

async function as(system: SystemContext, console: TestDatabase, role: Role, name: string): Promise<Context> {
  const user = await console.db.prisma.user.upsert({
    where: { email: `${name}@example.test` },
    create: { id: `user-${name}`, name, email: `${name}@example.test`, role },
    update: {},
  })
  const actor: Actor = { kind: 'user', userId: user.id, name, role, via: 'session' }
  return { ...system, actor, requestId: newId('req') }
}

export const asJob = (world: World): Context => ({
  ...world.system,
  actor: { kind: 'system', job: 'test' },
  requestId: newId('req'),
})

export type RunOptions = {
  params?: Record<string, unknown>
  dryRun?: boolean
  settings?: Partial<ReconcileSettings>
  /** Called around the handle: to stop a run at a point of its way. */
  wrap?: (handle: RunHandle) => RunHandle
  runId?: string
}

/** Starts (or takes over) a run and carries it out. */
export async function reconcileNow(
  world: World,
  options: RunOptions = {},
): Promise<RunResult & { runId: string }> {
  const { params = {}, dryRun = false, wrap = (handle) => handle } = options
  const runId = options.runId ?? (await startRun(asJob(world), { kind: 'reconciliation', params, dryRun })).id
  const handle = await claimRun(world.system, runId, newId('prc'), 60_000)
  if (handle === null) throw new Error(`${runId} cannot be claimed`)
  const result = await reconcile(world.system, wrap(handle), handle.params, {
    ...SETTINGS,
    ...options.settings,
  })
  await finishRun(world.system, handle, result)
  return { ...result, runId }
}

/** Lets staging see what was just made, then lets its grace pass. */
export async function ripen(world: World): Promise<RunResult> {
  world.advance(6_000)
  await reconcileNow(world)
  world.advance(20_000)
  return reconcileNow(world)
}

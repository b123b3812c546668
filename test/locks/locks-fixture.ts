import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import Stripe from 'stripe'
import { apiVersion } from '@/demo/provider/api-version'
import { type RunningProvider, startProvider } from '@/demo/provider/server'
import type { Context, SystemContext } from '@/lib/context'
import type { Actor } from '@/lib/core/actor'
import { systemClock } from '@/lib/core/clock'
import type { Role } from '@/lib/core/permissions'
import type { KeySettings } from '@/lib/locks/settings'
import { silentLog } from '@/lib/log'
import { saveSource } from '@/lib/sources/save'
import { createPostgresStore, type PostgresStore } from '@/sdk/stores/postgres'
import type { Holder } from '@/sdk/stores/store'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'
import { setSettings } from '../support/settings'

export const CREDENTIALS_KEY = 'ab'.repeat(32)
export const SCOPE = 'web/POST /v1/payments'
export const REASON = 'worker killed, provider checked'

/** A console, a service's store (the SDK's own), and a provider that speaks HTTP: all real. */
export type Fixture = {
  console: TestDatabase
  service: pg.Pool
  store: PostgresStore
  provider: RunningProvider
  stripe: Stripe
  sourceId: string
  providerSourceId: string
  system: SystemContext
  as(role: Role, name?: string): Promise<Context>
  close(): Promise<void>
}

/** Nothing has to settle: what the provider made a moment ago is in its listing. */
export const SETTINGS: KeySettings = {
  graceMs: 0,
  skewMs: 60_000,
  settleDelayMs: -120_000,
  callMs: 0,
  providerWindowMs: 86_400_000,
  askAgainMs: 0,
}

export async function createFixture(): Promise<Fixture> {
  setSettings({ IDEMSCOPE_CREDENTIALS_KEY: CREDENTIALS_KEY, IDEMSCOPE_DEMO: '1' })
  const [console, database] = await Promise.all([createTestDatabase(), createEmptyDatabase()])
  const service = new pg.Pool({ connectionString: database.url, max: 10 })
  service.on('error', () => undefined)
  const store = createPostgresStore({ pool: service })
  await store.migrate()
  await store.registerTier('standard', 86_400_000)
  const dataDir = await mkdtemp(join(tmpdir(), 'idemscope-keys-'))
  const keys = { readKey: 'rk_test_read', writeKey: 'sk_test_write' }
  const provider = await startProvider({ port: 0, dataDir, seed: 'keys', ...keys })
  const stripe = new Stripe(keys.writeKey, {
    apiVersion,
    host: '127.0.0.1',
    port: provider.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  })
  const system: SystemContext = { db: console.db, clock: systemClock, log: silentLog, queue: noQueue }

  const body = {
    id: 'pay_{{effect.referenceSuffix}}',
    reference: '{{reference}}',
    charge: '{{effect.reference}}',
    paymentIntent: '{{effect.paymentIntent}}',
    amountMinor: '{{amountMinor}}',
    currency: '{{currency}}',
    status: '{{effect.status}}',
  }
  const responses = {
    'POST /v1/payments': {
      status: 201,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    },
  }
  const save = { credentialsKey: CREDENTIALS_KEY, demo: true }
  const sourceId = await saveSource(
    system,
    {
      adapter: 'native',
      name: 'store',
      system: 'payments',
      config: { responses },
      secret: { url: database.url },
    },
    save,
  )
  const providerSourceId = await saveSource(
    system,
    {
      adapter: 'stripe',
      name: 'provider',
      system: 'payments',
      config: { mode: 'live', baseUrl: provider.url, attemptsMax: 1, requestsPerSecond: 100 },
      secret: keys,
    },
    save,
  )

  return {
    console,
    service,
    store,
    provider,
    stripe,
    sourceId,
    providerSourceId,
    system,
    as: (role, name = role) => actAs(system, role, name),
    async close() {
      const { closeSources } = await import('@/lib/sources/registry')
      await closeSources()
      store.close()
      await service.end()
      await provider.close()
      await Promise.all([console.close(), database.close()])
      await rm(dataDir, { recursive: true })
    },
  }
}

export async function actAs(system: SystemContext, role: Role, name: string): Promise<Context> {
  const id = `user-${name}`
  const now = systemClock.now()
  await system.db.prisma.user.upsert({
    where: { id },
    create: { id, name, email: `${name}@test.local`, role, createdAt: now, updatedAt: now },
    update: { role },
  })
  const actor: Actor = { kind: 'user', userId: id, name, role, via: 'session' }
  return { ...system, actor, requestId: `req-${name}` }
}

/** A request's holder, as the SDK makes it. */
export async function acquire(fixture: Fixture, key: string, leaseMs = 60_000): Promise<Holder> {
  const owner = `owner-${key}`
  const acquired = await fixture.store.acquire({
    scope: SCOPE,
    key,
    tier: 'standard',
    fingerprint: new Uint8Array(16),
    owner,
    leaseMs,
    traceId: null,
  })
  if (acquired.kind !== 'acquired' && acquired.kind !== 'takeover')
    throw new Error(`not acquired: ${acquired.kind}`)
  return { scope: SCOPE, key, fence: acquired.fence, owner, tier: 'standard' }
}

/** Its holder dies: the lease passed a minute ago, on the store's clock. */
export async function killHolder(fixture: Fixture, holder: Holder): Promise<void> {
  await fixture.service.query(
    `UPDATE idem_lease SET lease_until = clock_timestamp() - interval '60 s' - interval '7 microseconds'
     WHERE key = idem_key_bytes($1)`,
    [holder.key],
  )
}

export async function beginCharge(
  fixture: Fixture,
  holder: Holder,
  providerKey: string | null = `pk-${holder.key}`,
): Promise<void> {
  const begun = await fixture.store.beginEffect(holder, {
    step: 'charge',
    name: 'stripe.charge',
    kind: 'http',
    providerKey,
    leaseMs: 60_000,
  })
  if (begun.kind !== 'begun') throw new Error(`not begun: ${begun.kind}`)
}

/** The provider's charge, made as the service makes it. */
export async function charge(
  fixture: Fixture,
  key: string,
  reference: string,
  idempotencyKey = `pk-${key}`,
): Promise<string> {
  const intent = await fixture.stripe.paymentIntents.create(
    {
      amount: 1050,
      currency: 'usd',
      confirm: true,
      payment_method: 'pm_card_visa',
      metadata: { idempotency_scope: SCOPE, idempotency_key: key, idempotency_step: 'charge', reference },
    },
    { idempotencyKey },
  )
  if (typeof intent.latest_charge !== 'string') throw new Error('no charge')
  return intent.latest_charge
}

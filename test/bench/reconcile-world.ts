import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import Stripe from 'stripe'
import { apiVersion } from '@/demo/provider/api-version'
import { type RunningProvider, startProvider } from '@/demo/provider/server'
import { LEDGER_CONFIG } from '@/jobs/supervisor/demo/demo-sources'
import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { newId } from '@/lib/core/ids'
import { closeDatabase, openDatabase } from '@/lib/db'
import { silentLog } from '@/lib/log'
import { closeSources } from '@/lib/sources/registry'
import { saveSource } from '@/lib/sources/save'
import { noQueue } from '../support/no-queue'
import type { BenchCluster } from './cluster'

export const SYSTEM = 'bench'
export const ENVIRONMENT = {
  IDEMSCOPE_CREDENTIALS_KEY: 'ab'.repeat(32),
  IDEMSCOPE_KEY_SECRET: 'k'.repeat(32),
  IDEMSCOPE_DEMO: '1',
}
const KEYS = { readKey: 'rk_bench_read', writeKey: 'sk_bench_write' }

/** One in so many payments is booked wrongly, and one is not booked. */
const EXCEPTION_EVERY = 5_000

export type BenchWorld = Awaited<ReturnType<typeof createBenchWorld>>

/** A console, a service's ledger and a provider that speaks HTTP; the rows are made by the servers themselves. */
export async function createBenchWorld(cluster: BenchCluster, name: string) {
  Object.assign(process.env, ENVIRONMENT)
  const [url, serviceUrl] = [
    await cluster.createDatabase(name),
    await cluster.createDatabase(`${name}_service`),
  ]
  const db = openDatabase(url, 6)
  const service = new pg.Pool({ connectionString: serviceUrl, max: 2 })
  for (const pool of [service, db.pool]) pool.on('error', () => undefined)
  const dataDir = await mkdtemp(join(tmpdir(), 'idemscope-bench-provider-'))
  const provider = await startProvider({ port: 0, dataDir, seed: name, ...KEYS })
  const ctx: Context = {
    db,
    clock: systemClock,
    log: silentLog,
    queue: noQueue,
    actor: { kind: 'system', job: 'bench' },
    requestId: newId('req'),
  }
  await service.query(LEDGER)
  const ids = await saveSources(ctx, serviceUrl, provider)
  return {
    ctx,
    url,
    service,
    provider,
    ids,
    async close() {
      await closeSources()
      await provider.close()
      await service.end()
      await closeDatabase(db)
      await rm(dataDir, { recursive: true })
    },
  }
}

const LEDGER = `
  CREATE TABLE ledger_entry (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, entry_kind text NOT NULL, provider_ref text,
    charge_ref text, reference text, amount_minor bigint NOT NULL, currency text NOT NULL,
    booked_at timestamptz NOT NULL, reversed_at timestamptz, correction_id text UNIQUE);
  CREATE INDEX ledger_entry_provider_ref ON ledger_entry (provider_ref);
  CREATE INDEX ledger_entry_booked_at ON ledger_entry (booked_at)`

async function saveSources(ctx: Context, url: string, provider: RunningProvider) {
  const options = { credentialsKey: ENVIRONMENT.IDEMSCOPE_CREDENTIALS_KEY, demo: true }
  const { correction: _, ...ledger } = LEDGER_CONFIG
  return {
    ledger: await saveSource(
      ctx,
      { system: SYSTEM, adapter: 'ledger-postgres', name: 'ledger', config: ledger, secret: { url } },
      options,
    ),
    provider: await saveSource(
      ctx,
      {
        system: SYSTEM,
        adapter: 'stripe',
        name: 'provider',
        config: { mode: 'test', baseUrl: provider.url, requestsPerSecond: 100 },
        secret: KEYS,
      },
      options,
    ),
  }
}

/** Charges at the provider itself, spread over seconds of its time. Returns the span that holds them. */
export async function charge(world: BenchWorld, count: number): Promise<{ from: Date; to: Date }> {
  const startMs = Math.floor((Date.now() - 3_600_000) / 1000) * 1000
  const seconds = 80
  const client = new Stripe(KEYS.writeKey, {
    apiVersion,
    host: '127.0.0.1',
    port: world.provider.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  })
  for (let second = 0; second < seconds; second++) {
    world.provider.control.setSwitches({ clock: { frozenAtMs: startMs + second * 1000 } })
    await Promise.all(
      Array.from({ length: count / seconds }, (_, n) =>
        client.paymentIntents.create({
          amount: 1050,
          currency: 'usd',
          confirm: true,
          payment_method: 'pm_card_visa',
          metadata: { reference: `order-${second}-${n}` },
        }),
      ),
    )
  }
  world.provider.control.setSwitches({ clock: {} })
  return { from: new Date(startMs), to: new Date(startMs + seconds * 1000) }
}

/** Payments from..to (their numbers), one every few ms before `end`. */
export type Payments = { from: number; to: number; end: Date; spanMs: number }

const NUMBERED = `SELECT i, 'ch_' || left(md5(i::text), 24) AS ref, 'order-' || i AS reference,
    100 + (i * 7919) % 100000 AS amount, $3::timestamptz - (($2 - i) * $4::float8) * interval '1 millisecond' AS at
  FROM generate_series($1::bigint, $2::bigint) AS i`

const values = ({ from, to, end, spanMs }: Payments) => [from, to, end, spanMs / Math.max(1, to - from)]

/** Books payments in the service's ledger. */
export async function book(world: BenchWorld, payments: Payments): Promise<void> {
  await world.service.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency, booked_at)
     SELECT 'charge', ref, ref, reference, CASE WHEN i % ${EXCEPTION_EVERY} = 1 THEN amount + 1 ELSE amount END,
       'USD', at
     FROM (${NUMBERED}) p WHERE i % ${EXCEPTION_EVERY} <> 0 ORDER BY i`,
    values(payments),
  )
  await world.service.query('ANALYZE ledger_entry')
}

/** The provider's side, staged as its adapter stages it: over HTTP the pages alone would take an hour. */
export async function stageCharges(world: BenchWorld, payments: Payments): Promise<void> {
  const { pool } = world.ctx.db
  await pool.query(
    `INSERT INTO mirror.object (version, seq, born_seq, occurred_at, staged_at, observed_at, amount_minor, captured_minor,
       refunded_minor, source_id, object_id, system, side, kind, status, reference, provider_ref, parent_ref, currency,
       content_hash, data)
     SELECT (extract(epoch FROM now()) * 1000000)::bigint, s.seq, s.seq, s.at, now(), now(), s.amount, s.amount, 0, '${world.ids.provider}',
       s.ref, '${SYSTEM}', 'provider', 'charge', 'succeeded', s.reference, s.ref, 'pi' || substr(s.ref, 3), 'USD', decode(md5(s.ref), 'hex'),
       '{"captured": true, "rawStatus": "succeeded", "customer": null, "modeMix": false}'
     FROM (SELECT p.*, nextval('mirror.seq') AS seq FROM (${NUMBERED}) p) s`,
    values(payments),
  )
}

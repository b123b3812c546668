import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { LEDGER_CONFIG } from '@/jobs/supervisor/demo/demo-sources'
import type { SystemContext } from '@/lib/context'
import { closeDatabase, type Db, openDatabase } from '@/lib/db'
import { silentLog } from '@/lib/log'
import { closeSources } from '@/lib/sources/registry'
import { type SaveSource, saveSource } from '@/lib/sources/save'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { noQueue } from '../../support/no-queue'
import { RIDES_SCHEMA } from '../world/rides'
import { type AccountIds, keepAccounts, makeAccounts } from './accounts'
import type { ReadBackends } from './in-order'
import { interposeProvider, PROVIDER_KEYS } from './provider'
import { interposeStatements } from './statements'
import { breakConnection, outside } from './strands'
import { SimulatedTime } from './time'

process.env.IDEMSCOPE_CREDENTIALS_KEY ??= 'ab'.repeat(32)
process.env.IDEMSCOPE_KEY_SECRET ??= 'k'.repeat(32)
process.env.IDEMSCOPE_DEMO ??= '1'

/** Records of the one live longer than any history; those of the other can expire and be collected in one. */
export const TIERS = { standard: 86_400_000, short: 1_800_000 } as const

/**
 * What the histories of one process of ours share: a console's database and a service's, both on the simulated clock,
 * emptied between histories. Making them takes a second, emptying them some milliseconds.
 */
export type Environment = {
  /** Of the service's database. */
  name: string
  time: SimulatedTime
  system: SystemContext
  db: Db
  /** The service's database, outside the story: for set-up and for what the invariants read. */
  admin: pg.Pool
  /** Connections to the service's database: those of a process that was never killed serve the next history. */
  pools: { take(): pg.Pool; give(pool: pg.Pool): void }
  sources: { store: string; ledger: string; provider: string; rides: string }
  accounts: AccountIds
  /** The time has changed: both databases are told before the next statement. */
  tellTime(): void
  /** A copy of the service's database, for the time when it fails over. */
  copyStore(): Promise<void>
  /**
   * Every connection to the service's database ends. `toCopy` = whatever was committed since it was copied is lost, with
   * `sequences` the numbers that were drawn too.
   */
  failOver(clients: Iterable<pg.Client>, toCopy: boolean, options: { sequences: boolean }): Promise<void>
  reset(): Promise<void>
  close(): Promise<void>
}

const CLOCK = `
  CREATE SEQUENCE public.simulated_ms;
  CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT to_timestamp(last_value / 1000.0) FROM public.simulated_ms $$;
  CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT public.clock_timestamp() $$;
  CREATE FUNCTION public.statement_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT public.clock_timestamp() $$;
  -- When a transaction began is real time: hidden, as from a role without pg_read_all_stats.
  DO $$ BEGIN
    EXECUTE (SELECT 'CREATE VIEW public.pg_stat_activity AS SELECT '
      || string_agg(CASE attname WHEN 'xact_start' THEN 'NULL::timestamptz AS xact_start' ELSE attname END, ', ' ORDER BY attnum)
      || ' FROM pg_catalog.pg_stat_activity'
      FROM pg_attribute WHERE attrelid = 'pg_catalog.pg_stat_activity'::regclass AND attnum > 0);
  END $$;`

/** Functions and defaults that were made with a path of their own read the simulated clock too. */
const ADOPT_CLOCK = `
  DO $$ DECLARE r record; BEGIN
    FOR r IN SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname = 'public' AND array_to_string(p.proconfig, ' ') LIKE '%search_path%' LOOP
      EXECUTE format('ALTER FUNCTION %s SET search_path = public, pg_catalog, pg_temp', r.name);
    END LOOP;
    FOR r IN SELECT c.oid::regclass AS tab, a.attname AS col FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname IN ('public', 'mirror') AND NOT c.relispartition
        AND pg_get_expr(d.adbin, d.adrelid) ~ '(clock_timestamp|now)\\(\\)|CURRENT_TIMESTAMP' LOOP
      EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT public.clock_timestamp()', r.tab, r.col);
    END LOOP;
  END $$`

/** `template` is a migrated console database on the cluster of `adminUrl`. */
export async function createEnvironment(adminUrl: string, template: string): Promise<Environment> {
  const names = {
    console: `sim_${randomUUID().slice(0, 8)}_console`,
    service: `sim_${randomUUID().slice(0, 8)}`,
  }
  const cluster = new pg.Pool({ connectionString: adminUrl, max: 1 })
  cluster.on('error', () => {})
  // A password that is checked fast: a history opens some twenty connections.
  await cluster.query(
    `SET scram_iterations = 1; CREATE ROLE ${names.service} SUPERUSER LOGIN PASSWORD 'simulated'`,
  )
  const login = { username: names.service, password: 'simulated' }
  const host = await socketFolder(cluster)
  const urlOf = (name: string) => {
    const url = Object.assign(new URL(adminUrl), { ...login, pathname: `/${name}` })
    if (host !== '') url.searchParams.set('host', host)
    return url.href
  }
  await cluster.query(`CREATE DATABASE ${names.console} TEMPLATE ${template}`)
  await cluster.query(`CREATE DATABASE ${names.service} TEMPLATE template0`)
  const time = new SimulatedTime()
  const consoleAdmin = await prepare(urlOf(names.console))
  const admin = await prepare(urlOf(names.service))
  await prepareService(admin, time)
  await consoleAdmin.query(ADOPT_CLOCK)
  await admin.query(ADOPT_CLOCK)

  let told: Promise<unknown> | null = null
  const tellTime = async () => {
    const set = `SELECT setval('public.simulated_ms', $1)`
    told ??= Promise.all([
      admin.query(set, [time.storeMs]),
      consoleAdmin.query(set, [time.nowMs + time.consoleAheadMs]),
    ])
    await told
  }
  const restore = [
    interposeStatements({
      tellTime: () => outside(tellTime),
      storeMs: () => time.storeMs,
      readBackends: (pids) => outside(() => readBackends(cluster, pids)),
      describeBackends: (pids) => describeBackends(cluster, pids),
    }),
    interposeProvider(),
  ]
  const db = openDatabase(urlOf(names.console), 30)
  const system: SystemContext = {
    db,
    clock: { now: () => new Date(time.nowMs + time.consoleAheadMs) },
    log: silentLog,
    queue: noQueue,
  }
  const sources = await saveSources(system, urlOf(names.service))
  const accounts = await makeAccounts({ db, system })
  const restoreAccounts = await keepAccounts(consoleAdmin)
  const tables = await tablesOf(admin, KEPT_OF_SERVICE)
  const wipes = { console: wipeOf(await tablesOf(consoleAdmin, KEPT)), service: wipeOf(tables) }
  const free: pg.Pool[] = []
  const environment: Environment = {
    name: names.service,
    time,
    system,
    db,
    admin,
    pools: {
      take: () => free.pop() ?? openPool(urlOf(names.service)),
      give: (pool) => void free.push(pool),
    },
    sources,
    accounts,
    tellTime() {
      told = null
    },
    async copyStore() {
      const copies = tables.map((name) => `CREATE TABLE standby.${name} AS TABLE ${name}`)
      await admin.query(
        `DROP SCHEMA IF EXISTS standby CASCADE; CREATE SCHEMA standby; ${copies.join('; ')}; ${COPY_SEQUENCES}`,
      )
    },
    async failOver(clients, toCopy, { sequences }) {
      const lost = [...clients].filter(({ database }) => database === names.service)
      for (const client of lost) breakConnection(client)
      await endBackends(cluster, names.service)
      const restored = tables.map(
        (name) => `DELETE FROM ${name}; INSERT INTO ${name} OVERRIDING SYSTEM VALUE TABLE standby.${name}`,
      )
      if (toCopy) await admin.query(restored.join('; '))
      if (toCopy && sequences) await admin.query(RESTORE_SEQUENCES)
    },
    async reset() {
      time.reset()
      environment.tellTime()
      // What a killed console holds is never handed back: nobody waits for that.
      void closeSources()
      await endPrepared(admin)
      await Promise.all([
        consoleAdmin.query(`${wipes.console}; ${restoreAccounts}`),
        admin.query(wipes.service),
      ])
    },
    async close() {
      for (const undo of restore) undo()
      await endPrepared(admin)
      // What a history that broke still holds is never handed back: its connections end with the databases.
      const pools = [consoleAdmin, admin, ...free].map((pool) => pool.end())
      await Promise.race([Promise.all([closeSources(), closeDatabase(db), ...pools]), setTimeout(2_000)])
      for (const name of Object.values(names)) await cluster.query(`DROP DATABASE ${name} WITH (FORCE)`)
      await cluster.query(`DROP ROLE ${names.service}`)
      await cluster.end()
    },
  }
  return environment
}

/** Superusers without triggers and foreign keys: emptying is not part of any story. */
const KEPT = ['_prisma_migrations', 'source', 'user', 'account', 'principal_link', 'kill_switch', 'setting']
const KEPT_OF_SERVICE = ['idem_tier', 'idem_migration', 'idem_partition']

const RESTART_SEQUENCES = `SELECT setval(seqrelid, seqstart, false) FROM pg_sequence
  WHERE seqrelid <> 'public.simulated_ms'::regclass AND seqrelid::regclass::text NOT LIKE 'idem_tier%'`

const COPY_SEQUENCES = `CREATE TABLE standby.sequences AS
  SELECT s.seqrelid, pg_sequence_last_value(s.seqrelid) AS at, s.seqstart FROM pg_sequence s
  WHERE s.seqrelid <> 'public.simulated_ms'::regclass AND s.seqrelid::regclass::text NOT LIKE 'idem_tier%'`
const RESTORE_SEQUENCES = `SELECT setval(seqrelid, coalesce(at, seqstart), at IS NOT NULL) FROM standby.sequences`

const wipeOf = (tables: readonly string[]): string =>
  [...tables.map((name) => `DELETE FROM ${name}`), RESTART_SEQUENCES].join('; ')

/** What a history that broke has left prepared. */
async function endPrepared(admin: pg.Pool): Promise<void> {
  const { rows } = await admin.query('SELECT gid FROM pg_prepared_xacts WHERE database = current_database()')
  for (const { gid } of rows) await admin.query(`ROLLBACK PREPARED '${gid}'`)
}

/** Whoever waits for a lock would else go on with nobody to hear of it. */
async function endBackends(cluster: pg.Pool, database: string): Promise<void> {
  await cluster.query(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`,
    [database],
  )
}

async function tablesOf(pool: pg.Pool, kept: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('public', 'mirror', 'telemetry') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND NOT c.relname = ANY ($1) ORDER BY 1`,
    [kept],
  )
  return rows.map(({ name }) => name)
}

async function readBackends(cluster: pg.Pool, pids: readonly number[]): ReturnType<ReadBackends> {
  const { rows } = await cluster.query({
    // Prepared, and not of pg_stat_activity, which adds names to every process: it is asked thousands of times.
    name: 'read-backends',
    text: `SELECT p.pid, p.pid = ANY (ARRAY(SELECT pid FROM pg_locks WHERE NOT granted)) AS waits
      FROM unnest($1::integer[]) AS p(pid) WHERE EXISTS (SELECT FROM pg_stat_get_activity(p.pid))`,
    values: [pids],
  })
  return new Map(rows.map(({ pid, waits }) => [pid, { waits }]))
}

async function describeBackends(cluster: pg.Pool, pids: readonly number[]): Promise<string[]> {
  const { rows } = await cluster.query<{ text: string }>(
    `WITH waiting AS (SELECT unnest(pg_blocking_pids(pid)) AS by, pid FROM pg_stat_activity)
     SELECT concat_ws(' ', pid, datname, state, wait_event_type, wait_event, 'blocked by', pg_blocking_pids(pid)::text,
       left(regexp_replace(query, '[[:space:]]+', ' ', 'g'), 200)) AS text
     FROM pg_stat_activity WHERE pid = ANY ($1::integer[]) OR pid IN (SELECT by FROM waiting UNION SELECT pid FROM waiting)`,
    [pids],
  )
  return rows.map(({ text }) => text)
}

/** Thousands of short statements take a socket of the file system rather than one of the network. '' = there is none. */
async function socketFolder(cluster: pg.Pool): Promise<string> {
  const { rows } = await cluster.query<{ folder: string }>(
    `SELECT current_setting('unix_socket_directories') AS folder`,
  )
  return rows[0]?.folder ?? ''
}

function openPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, max: 24 })
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

async function prepare(connectionString: string): Promise<pg.Pool> {
  const pool = new pg.Pool({
    connectionString,
    max: 2,
    options: '-c search_path=public,pg_catalog -c session_replication_role=replica',
  })
  pool.on('error', () => {})
  await pool.query(CLOCK)
  return pool
}

async function prepareService(admin: pg.Pool, time: SimulatedTime): Promise<void> {
  await admin.query(`SELECT setval('public.simulated_ms', $1)`, [time.nowMs])
  const store = createPostgresStore({ pool: admin, clock: time.sdk })
  await store.migrate()
  await admin.query(await readFile(new URL('../../../demo/service/schema.sql', import.meta.url), 'utf8'))
  await admin.query(RIDES_SCHEMA)
  await admin.query(ADOPT_CLOCK)
  for (const [name, ttlMs] of Object.entries(TIERS)) await store.registerTier(name, ttlMs)
  store.close()
}

async function saveSources(system: SystemContext, url: string): Promise<Environment['sources']> {
  const save = (input: Omit<SaveSource, 'system'> & { system?: string }) =>
    saveSource(system, { system: 'payments', ...input }, { demo: true })
  const payment = {
    status: 201,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reference: '{{reference}}', charge: '{{effect.reference}}' }),
  }
  return {
    store: await save({
      adapter: 'native',
      name: 'store',
      config: { poolMax: 10, responses: { 'POST /v1/payments': payment } },
      secret: { url },
    }),
    ledger: await save({
      adapter: 'ledger-postgres',
      name: 'ledger',
      // Shorter than the product's own: a booking that takes longer than this is soon made.
      config: { ...LEDGER_CONFIG, overlapMs: 5_000, poolMax: 10 },
      secret: { url },
    }),
    provider: await save({
      adapter: 'stripe',
      name: 'provider',
      config: { mode: 'test', baseUrl: 'http://127.0.0.1:9', requestsPerSecond: 100, attemptsMax: 1 },
      secret: PROVIDER_KEYS,
    }),
    rides: await save({
      adapter: 'rocket-rides-atomic',
      name: 'rides',
      system: 'rides',
      config: { collect: true, poolMax: 10 },
      secret: { url },
    }),
  }
}

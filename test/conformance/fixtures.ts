import pg from 'pg'
import { type AdapterName, openAdapter } from '@/lib/sources/adapters'
import type { IntentSource } from '@/lib/sources/contracts'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { createEmptyDatabase } from '../support/database'
import { BRANDUR_SCHEMA } from '../support/rocket-rides-schema'

/** A real table of one layout, with the library's own writes on it. */
export type Layout = {
  name: string
  scope: string
  url: string
  db: pg.Pool
  /** How a console connects it. */
  source: { adapter: AdapterName; config: Record<string, unknown> }
  open(over?: Record<string, unknown>): IntentSource
  /** The table that holds live keys, and the condition of one key's row. */
  live: string
  where(key: string): string
  /** A request takes the key, as the library does. */
  hold(key: string): Promise<void>
  /** Its lease passes: the holder is dead, on the store's clock. */
  kill(key: string): Promise<void>
  /** The holder says that it lives. */
  beat(key: string): Promise<void>
  /** Another holder takes it over. */
  takeOver(key: string): Promise<void>
  /** The holder ends it: true = the store took it. */
  finish(key: string, body?: string): Promise<boolean>
  /** A finished key past its retention. */
  expire(key: string): Promise<void>
  /** Moves one stamp by a microsecond, and nothing else. */
  nudge(key: string): Promise<void>
  close(): Promise<void>
}

const RESPONSES = { 'POST /rides': { status: 201, headers: {}, body: '{}' } }

async function database() {
  const { url, close } = await createEmptyDatabase()
  const db = new pg.Pool({ connectionString: url, max: 6 })
  db.on('error', () => undefined)
  return {
    url,
    db,
    close: async () => {
      await db.end()
      await close()
    },
  }
}

export async function nativeLayout(): Promise<Layout> {
  const { url, db, close } = await database()
  const store = createPostgresStore({ pool: db })
  await store.migrate()
  await store.registerTier('standard', 86_400_000)
  const scope = '7/POST /rides'
  const held = new Map<string, bigint>()
  const take = async (key: string) => {
    const fingerprint = new Uint8Array(16)
    const acquired = await store.acquire({
      scope,
      key,
      tier: 'standard',
      fingerprint,
      owner: 'holder',
      leaseMs: 60_000,
      traceId: null,
    })
    if (!('fence' in acquired)) throw new Error(acquired.kind)
    held.set(key, acquired.fence)
  }
  const holder = (key: string) => ({
    scope,
    key,
    fence: held.get(key) ?? 0n,
    owner: 'holder',
    tier: 'standard',
  })
  const where = (key: string) => `key = idem_key_bytes('${key}')`
  return {
    name: 'native',
    scope,
    url,
    db,
    live: 'idem_lease',
    where,
    source: { adapter: 'native', config: { responses: RESPONSES } },
    open: (over = {}) =>
      openAdapter('native', { responses: RESPONSES, ...over }, { url }, { demo: false }) as IntentSource,
    hold: take,
    async kill(key) {
      await db.query(
        `UPDATE idem_lease SET lease_until = clock_timestamp() - interval '60.000007 s' WHERE ${where(key)}`,
      )
    },
    async beat(key) {
      await store.heartbeat(holder(key), 60_000)
    },
    takeOver: take,
    async finish(key, body = '{"id":"ride_1"}') {
      const done = await store.complete(holder(key), { status: 201, headers: [], body: Buffer.from(body) })
      return done !== 'stale'
    },
    expire: async () => undefined,
    async nudge(key) {
      await db.query(
        `UPDATE idem_lease SET heartbeat_at = heartbeat_at + interval '1 microsecond' WHERE ${where(key)}`,
      )
    },
    async close() {
      store.close()
      await close()
    },
  }
}

export async function brandurLayout(): Promise<Layout> {
  const { url, db, close } = await database()
  await db.query(BRANDUR_SCHEMA)
  const where = (key: string) => `user_id = 7 AND idempotency_key = '${key}'`
  const change = async (key: string, set: string, and = 'true') => {
    const { rowCount } = await db.query(`UPDATE idempotency_keys SET ${set} WHERE ${where(key)} AND ${and}`)
    return rowCount === 1
  }
  return {
    name: 'rocket-rides-atomic',
    scope: '7/POST /rides',
    url,
    db,
    live: 'idempotency_keys',
    where,
    source: {
      adapter: 'rocket-rides-atomic',
      config: { responses: RESPONSES, providerKeyed: true, collect: true },
    },
    open: (over = {}) =>
      openAdapter(
        'rocket-rides-atomic',
        { responses: RESPONSES, providerKeyed: true, collect: true, ...over },
        { url },
        { demo: false },
      ) as IntentSource,
    async hold(key) {
      await db.query(
        `INSERT INTO idempotency_keys (idempotency_key, request_method, request_params, request_path, recovery_point, user_id)
         VALUES ($1, 'POST', '{}', '/rides', 'started', 7)`,
        [key],
      )
    },
    async kill(key) {
      await change(key, `locked_at = clock_timestamp() - interval '5 minutes 0.000007 s'`)
    },
    async beat(key) {
      await change(key, 'locked_at = clock_timestamp()')
    },
    async takeOver(key) {
      await change(key, 'locked_at = clock_timestamp(), last_run_at = clock_timestamp()')
    },
    finish: (key, body = '{"id":"ride_1"}') =>
      change(
        key,
        `recovery_point = 'finished', locked_at = NULL, response_code = 201, response_body = '${body}'`,
        'locked_at IS NOT NULL',
      ),
    async expire(key) {
      await change(
        key,
        `created_at = created_at - interval '80 hours', last_run_at = last_run_at - interval '80 hours'`,
      )
    },
    async nudge(key) {
      await change(key, `locked_at = locked_at + interval '1 microsecond'`)
    },
    close,
  }
}

export async function recipeLayout(): Promise<Layout> {
  const { url, db, close } = await database()
  await db.query(`
    CREATE TABLE idempotency_requests (
      id BIGSERIAL PRIMARY KEY, user_id TEXT NOT NULL, idempotency_key TEXT NOT NULL, request_hash TEXT NOT NULL,
      response_status INT NOT NULL, response_body JSONB NOT NULL, created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
      expires_at TIMESTAMPTZ NOT NULL DEFAULT now() + interval '24 hours', UNIQUE (user_id, idempotency_key));
    CREATE INDEX ON idempotency_requests (created_at)`)
  const where = (key: string) => `user_id = '7' AND idempotency_key = '${key}'`
  const nothing = async () => undefined
  return {
    name: 'guide-recipe',
    scope: '7/POST /rides',
    url,
    db,
    live: 'idempotency_requests',
    where,
    source: { adapter: 'guide-recipe', config: { endpoint: 'POST /rides', collect: true } },
    open: (over = {}) =>
      openAdapter(
        'guide-recipe',
        { endpoint: 'POST /rides', collect: true, ...over },
        { url },
        { demo: false },
      ) as IntentSource,
    hold: nothing,
    kill: nothing,
    beat: nothing,
    takeOver: nothing,
    nudge: nothing,
    async finish(key, body = '{"id":"ride_1"}') {
      await db.query(
        `INSERT INTO idempotency_requests (user_id, idempotency_key, request_hash, response_status, response_body)
         VALUES ('7', $1, 'abc', 201, $2)`,
        [key, body],
      )
      return true
    },
    async expire(key) {
      await db.query(
        `UPDATE idempotency_requests SET created_at = created_at - interval '3 days', expires_at = expires_at - interval '3 days' WHERE ${where(key)}`,
      )
    },
    close,
  }
}

/** idempotency4j, by a mapping: one status column, a lease of its own, quoted names, times as they come. */
export async function mappedLayout(): Promise<Layout> {
  const { url, db, close } = await database()
  await db.query(`
    CREATE SCHEMA "Pay";
    CREATE TABLE "Pay"."Idempotency Records" (
      "id" BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, idempotency_key VARCHAR(255) NOT NULL UNIQUE, status TEXT NOT NULL,
      "lockedAt" TIMESTAMP, lock_expires_at TIMESTAMPTZ, beat_at TIMESTAMPTZ, expires_ms BIGINT NOT NULL,
      created_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(), response_status SMALLINT, response_headers JSON,
      response_body BYTEA, owner TEXT)`)
  const table = '"Pay"."Idempotency Records"'
  const where = (key: string) => `idempotency_key = '${key}'`
  const change = async (key: string, set: string, and = 'true') => {
    const { rowCount } = await db.query(`UPDATE ${table} SET ${set} WHERE ${where(key)} AND ${and}`)
    return rowCount === 1
  }
  const config = {
    relation: { schema: 'Pay', name: 'Idempotency Records' },
    columns: {
      key: 'idempotency_key',
      createdAt: 'created_at',
      holderSince: 'lockedAt',
      heartbeatAt: 'beat_at',
      owner: 'owner',
      status: 'response_status',
      headers: 'response_headers',
      body: 'response_body',
    },
    scope: { caller: { literal: '7' }, method: { literal: 'POST' }, route: { literal: '/rides' } },
    state: {
      kind: 'values',
      column: 'status',
      leased: ['IN_PROGRESS'],
      completed: ['COMPLETE'],
      failed: ['DEAD'],
      retryable: ['FAILED'],
    },
    lease: { until: 'lock_expires_at' },
    expiry: { column: 'expires_ms' },
    order: 'id',
    release: { set: { status: 'FAILED' } },
    complete: { set: { status: 'COMPLETE', lock_expires_at: null } },
    fail: { set: { status: 'DEAD', lock_expires_at: { now: true } } },
    collect: true,
    providerKeyed: true,
    responses: RESPONSES,
  }
  return {
    name: 'mapped-postgres',
    scope: '7/POST /rides',
    url,
    db,
    live: table,
    where,
    source: { adapter: 'mapped-postgres', config },
    open: (over = {}) =>
      openAdapter('mapped-postgres', { ...config, ...over }, { url }, { demo: false }) as IntentSource,
    async hold(key) {
      await db.query(
        `INSERT INTO ${table} (idempotency_key, status, "lockedAt", lock_expires_at, beat_at, expires_ms, owner)
         VALUES ($1, 'IN_PROGRESS', clock_timestamp() AT TIME ZONE 'UTC', clock_timestamp() + interval '1 minute', clock_timestamp(),
           (extract(epoch FROM clock_timestamp()) * 1000)::bigint + 86400000, 'worker-1')`,
        [key],
      )
    },
    async kill(key) {
      await change(key, `lock_expires_at = clock_timestamp() - interval '60.000007 s'`)
    },
    async beat(key) {
      await change(
        key,
        `beat_at = clock_timestamp(), lock_expires_at = clock_timestamp() + interval '1 minute'`,
        `status = 'IN_PROGRESS'`,
      )
    },
    async takeOver(key) {
      await change(
        key,
        `status = 'IN_PROGRESS', "lockedAt" = clock_timestamp() AT TIME ZONE 'UTC', lock_expires_at = clock_timestamp() + interval '1 minute'`,
      )
    },
    finish: (key, body = '{"id":"ride_1"}') =>
      change(
        key,
        `status = 'COMPLETE', response_status = 201, response_body = '${body}'::bytea`,
        `status = 'IN_PROGRESS'`,
      ),
    async expire(key) {
      await change(
        key,
        `created_at = created_at - interval '3 days', "lockedAt" = "lockedAt" - interval '3 days',
          beat_at = beat_at - interval '3 days', expires_ms = expires_ms - 3 * 86400000`,
      )
    },
    async nudge(key) {
      await change(key, `beat_at = beat_at + interval '1 microsecond'`)
    },
    close,
  }
}

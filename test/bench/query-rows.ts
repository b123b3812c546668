import pg from 'pg'
import { manualClock } from '@/lib/core/clock'
import { closeDatabase, openDatabase } from '@/lib/db'
import { ensureDays } from '@/lib/telemetry/partitions'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'

export const DAYS = 7
const DAY_MS = 86_400_000
/** The same at every size, so that what a page lists is the same: only the rest grows. */
const DUPLICATES = 400
const ORPHANS = 100
/** Of so many keyed requests one has its spans; of so many one is a key of the mirror. */
const SPANS_EVERY = 20
const KEYS_EVERY = 10

/** $1 = rows, $2 = start, $3 = length in seconds. Row i has its place in time, so that partitions fill in order. */
const FACTS = `
  SELECT i, $2::timestamptz + make_interval(secs => $3::float8 * i / $1::float8) AS time,
    make_interval(secs => 0.005 + 0.04 * -ln(1 - random())) AS duration,
    CASE WHEN p < 0.979 THEN 'executed' WHEN p < 0.989 THEN 'replayed' WHEN p < 0.992 THEN 'in_progress'
         WHEN p < 0.994 THEN 'mismatch' WHEN p < 0.996 THEN 'waited' WHEN p < 0.997 THEN 'takeover'
         WHEN p < 0.998 THEN 'stale' WHEN p < 0.999 THEN 'bypassed' ELSE 'store_error' END AS outcome,
    i % 4 AS s, (i / 4) % 3 AS r, (i / 12) % 5 AS c, random() < 0.002 AS failed
  FROM (SELECT i, random() AS p FROM generate_series(1, $1::bigint) AS i) drawn`

const key = (i: string) => `decode(md5('key ' || ${i}), 'hex')`
const trace = (i: string) => `decode(md5('trace ' || ${i}), 'hex')`
const span = (i: string) => `substr(${trace(i)}, 1, 8)`
const service = `(ARRAY['payments', 'refunds', 'orders', 'payouts'])[s + 1]`
const endpoint = `'POST /v1/' || ${service} || (ARRAY['', '/capture', '/cancel'])[r + 1]`
const client = `(ARRAY['web', 'mobile', 'partner', 'batch', 'admin'])[c + 1]`
const version = `CASE WHEN i * 2 < $1::bigint THEN '1.4.2' ELSE '1.5.0' END`

/** Of a request that was no execution the key is one of lately. */
const KEYED_REQUESTS = `
  INSERT INTO telemetry.keyed_request (time, end_time, record_created_at, record_expires_at, fence, attempt, store_operations,
    store_errors, status_code, first_seen, duplicate, expired_retry, effect_twice, final, trace_id, span_id, key_hash,
    service, version, instance, environment, region, scope, endpoint, client, outcome, record_state)
  SELECT time, time + duration, time, time + interval '1 day', i, 1, 2, (outcome = 'store_error')::int,
    CASE WHEN failed THEN 502 ELSE 201 END, outcome = 'executed', outcome NOT IN ('executed', 'stale', 'bypassed', 'store_error'),
    false, false, outcome = 'executed', ${trace('i')}, ${span('i')},
    ${key("CASE WHEN outcome = 'executed' THEN i ELSE greatest(1, i - 60) END")},
    ${service}, ${version}, ${service} || '-1', 'production', 'eu-central-1', ${client} || '/' || ${endpoint}, ${endpoint},
    ${client}, outcome, 'completed'
  FROM (${FACTS}) facts`

const KEYS = `
  INSERT INTO telemetry.key (first_seen_at, last_seen_at, first_request_at, first_expiry_at, terminal_at, terminal_until,
    key_hash, scope)
  SELECT min(time), max(time), min(time), min(record_expires_at), min(end_time), max(record_expires_at), key_hash, scope
  FROM telemetry.keyed_request GROUP BY key_hash, scope`

const EFFECTS = `
  INSERT INTO telemetry.effect (time, orphan_at, amount_minor, time_rank, outcome, seen_by_span, seen_by_store,
    seen_by_provider, duplicate, settled, key_hash, name, step, scope, effect_id, kind, currency, service, version, trace_ids)
  SELECT time, CASE WHEN i % ($1::bigint / ${ORPHANS}) = 0 THEN time + interval '10 minutes' END, 1050, 1, 'committed', true,
    true, true, i % ($1::bigint / ${DUPLICATES}) = 2, i % ($1::bigint / ${ORPHANS}) <> 0, ${key('i')}, 'stripe.charge', 'charge',
    ${client} || '/' || ${endpoint}, 'ch_' || i, 'http', 'USD', ${service}, ${version}, ARRAY[${trace('i')}]
  FROM (${FACTS}) facts WHERE i % 2 = 0`

const SPANS = `
  INSERT INTO telemetry.span (start_time, end_time, received_at, duration_ns, start_nanos, kind, status_code, trace_id,
    span_id, name, service, version, instance, environment, region, attributes)
  SELECT time, time + duration, time, 1, 0, 2, 1, ${trace('i')}, ${span('i')}, ${endpoint}, ${service}, ${version}, 'a',
    'production', 'eu-central-1', '{"http.route": "/v1/payments", "http.request.method": "POST"}'
  FROM (${FACTS}) facts WHERE i % ${SPANS_EVERY} = 0`

const MIRROR = `
  INSERT INTO mirror.object (version, seq, born_seq, operation_id, occurred_at, staged_at, lease_until, expires_at,
    http_status, source_id, object_id, system, side, kind, status, scope, key, reference, provider_ref, key_hash,
    content_hash, data)
  SELECT i, i, i, i, time, time, CASE WHEN i % 100000 = 0 THEN time + interval '30 seconds' END, time + interval '2 days',
    201, 'src_bench', 'key ' || i, 'payments', 'intent', 'key', CASE WHEN i % 100000 = 0 THEN 'leased' ELSE 'completed' END,
    ${client} || '/' || ${endpoint}, md5('raw ' || i), 'order-' || i, 'ch_' || i, ${key('i')}, ${key('i')},
    jsonb_build_object('attempts', 1, 'traceId', encode(${trace('i')}, 'hex'))
  FROM (${FACTS}) facts WHERE i % ${KEYS_EVERY} = 0`

const ARRIVED = `
  INSERT INTO telemetry.minute_intake (minute, last_received_at, spans, service)
  SELECT date_bin('1 minute', time, 'epoch'), max(time), count(*), service FROM telemetry.keyed_request GROUP BY 1, service`
const SERVICES = `
  INSERT INTO telemetry.service (service, first_span_at, last_span_at, last_received_at, environment)
  SELECT service, min(time), max(time), max(time), 'production' FROM telemetry.keyed_request GROUP BY service`
const DEPLOYS = `
  INSERT INTO telemetry.deploy (first_seen_at, service, version, environment)
  SELECT min(time), service, version, 'production' FROM telemetry.keyed_request GROUP BY service, version`
const DIRTY =
  'INSERT INTO telemetry.dirty_minute (minute) SELECT DISTINCT minute FROM telemetry.minute_intake'
const SOURCE = `
  INSERT INTO source (id, kind, adapter, name, system, config, created_at)
  VALUES ('src_bench', 'intent', 'native', 'bench', 'payments', '{}', now())`

const EVENT_TABLES = ['telemetry.keyed_request', 'telemetry.effect', 'telemetry.span', 'mirror.object']

/**
 * A database of `rows` keyed requests over seven days up to `now`, made in the server in a few statements, with what
 * follows from them; the roll-ups are computed by the worker's own code.
 */
export async function fillDatabase(url: string, rows: number, now: Date): Promise<void> {
  const db = openDatabase(url, 2)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const start = new Date(now.getTime() - DAYS * DAY_MS)
    await ensureDays(db, ['span', 'keyed_request', 'effect', 'delivery', 'log'], start, now)
    await client.query(
      "SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'",
    )
    // Rows first, then their indexes: a sort instead of a look-up a row.
    const indexes = await dropIndexes(client)
    await client.query(SOURCE)
    for (const statement of [KEYED_REQUESTS, EFFECTS, SPANS, MIRROR])
      await client.query(statement, [rows, start, (DAYS * DAY_MS) / 1000])
    for (const index of indexes) await client.query(index)
    for (const statement of [KEYS, ARRIVED, SERVICES, DEPLOYS, DIRTY]) await client.query(statement)
    await client.query('VACUUM ANALYZE')
    await rollUpDirtyMinutes(db, manualClock(now.toISOString()), { limit: 100_000 })
    await client.query('VACUUM ANALYZE')
  } finally {
    await client.end()
    await closeDatabase(db)
  }
}

/** Returns how to make them again. */
async function dropIndexes(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query(
    `SELECT x.indexrelid::regclass::text AS name, pg_get_indexdef(x.indexrelid) AS definition
     FROM pg_index x WHERE x.indrelid = ANY ($1::regclass[]) AND NOT x.indisprimary`,
    [EVENT_TABLES],
  )
  for (const { name } of rows) await client.query(`DROP INDEX ${name}`)
  return rows.map(({ definition }) => String(definition).replace(' ON ONLY ', ' ON '))
}

import type pg from 'pg'

/** Columns in the order of SPAN_COLUMNS and FACT_COLUMNS of rows.ts. */
const STAGE_COLUMNS = `start_time timestamptz, end_time timestamptz, duration_ns bigint, start_nanos smallint,
  kind smallint, status_code smallint, trace_id bytea, span_id bytea, parent_span_id bytea, name text,
  status_message text, service text, version text, instance text, environment text, region text,
  attributes jsonb, events jsonb, links jsonb,
  outcome text, key_hash bytea, scope text, endpoint text, client text, record_created_at timestamptz,
  record_expires_at timestamptz, record_state text, fence bigint, attempt integer, owner text,
  store_operations integer, store_errors integer, http_status smallint, original_trace_id bytea,
  effect_name text, effect_step text, effect_kind text, effect_id text, effect_key_hash bytea, effect_scope text,
  effect_outcome text, effect_amount bigint, effect_currency text`

/**
 * Temporary tables of one connection, emptied at each commit:
 * stage        one row a span
 * key_stage    what this batch says about a key
 * effect_stage one row a witness of an effect (rank: 1 span, 2 store, 3 provider)
 * touched      the keys of this batch, locked, with their facts after it
 * dirty        minutes whose figures this batch changed
 */
const CREATE = `
  CREATE TEMP TABLE IF NOT EXISTS stage (${STAGE_COLUMNS}) ON COMMIT DELETE ROWS;
  CREATE TEMP TABLE IF NOT EXISTS key_stage (
    key_hash bytea, scope text, seen_at timestamptz, sighting_at timestamptz, expiry_at timestamptz,
    terminal_at timestamptz, terminal_until timestamptz
  ) ON COMMIT DELETE ROWS;
  CREATE TEMP TABLE IF NOT EXISTS effect_stage (
    key_hash bytea, scope text, name text, step text, effect_id text, rank smallint, time timestamptz, outcome text,
    amount_minor bigint, currency text, kind text, service text, version text, trace_id bytea
  ) ON COMMIT DELETE ROWS;
  CREATE TEMP TABLE IF NOT EXISTS touched (
    key_hash bytea, scope text, first_seen_at timestamptz, last_seen_at timestamptz, first_sighting_at timestamptz,
    first_expiry_at timestamptz, terminal_at timestamptz, terminal_until timestamptz, is_new boolean,
    PRIMARY KEY (key_hash, scope)
  ) ON COMMIT DELETE ROWS;
  CREATE TEMP TABLE IF NOT EXISTS dirty (minute timestamptz) ON COMMIT DELETE ROWS`

/** Creating what is there already costs as much as a small batch, so it is asked first. */
const PREPARE = `
  SET LOCAL enable_hashjoin = off;
  SET LOCAL enable_mergejoin = off;
  SET LOCAL enable_seqscan = off;
  SET LOCAL jit = off;
  SELECT to_regclass('pg_temp.dirty') IS NOT NULL AS created`

/**
 * Inside a transaction. Batches are small and their tables large and without statistics on the temporary side:
 * nested loops over indexes are right at every size, and the planner is told so.
 */
export async function openStage(client: pg.PoolClient): Promise<void> {
  // Several statements in one text give several results.
  const results = (await client.query(PREPARE)) as unknown as pg.QueryResult[]
  if (results.at(-1)?.rows[0]?.created !== true) await client.query(CREATE)
}

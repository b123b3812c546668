const COLUMNS = `key_hash, scope, first_seen_at, last_seen_at, first_request_at, first_expiry_at, terminal_at,
      terminal_until`

/** Micros: microseconds since 1970, exact below 2^53. */
const micros = (column: string) => `(extract(epoch FROM ${column}) * 1000000)::float8`

/**
 * Locks every key of the batch, in order, and adds what the batch says about it: by min and max, so that resends and
 * reordering change nothing. Of terminal records the one that lives longest is kept, with the earliest sign of it.
 * Whoever computes flags of a key holds its row: two batches with the same key follow one another, and the second sees
 * what the first stored. $1–$8 = the columns. Returns the keys that were known, with all that is known now, and
 * which flags of theirs may be stale. The values before are those of the statement's snapshot, which may be older than
 * what was merged: as they only ever move one way, what is the same now was the same then.
 */
export const LOCK_KEYS = `
  WITH locked AS (
    INSERT INTO telemetry.key AS k (${COLUMNS})
    SELECT * FROM unnest($1::bytea[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[],
                         $6::timestamptz[], $7::timestamptz[], $8::timestamptz[]) AS given(${COLUMNS})
    ORDER BY key_hash, scope
    ON CONFLICT (key_hash, scope) DO UPDATE SET
      first_seen_at     = least(k.first_seen_at, excluded.first_seen_at),
      last_seen_at      = greatest(k.last_seen_at, excluded.last_seen_at),
      first_request_at = least(k.first_request_at, excluded.first_request_at),
      first_expiry_at   = least(k.first_expiry_at, excluded.first_expiry_at),
      terminal_at = CASE
        WHEN excluded.terminal_until IS NULL OR k.terminal_until > excluded.terminal_until THEN k.terminal_at
        WHEN k.terminal_until = excluded.terminal_until THEN least(k.terminal_at, excluded.terminal_at)
        ELSE excluded.terminal_at END,
      terminal_until = greatest(k.terminal_until, excluded.terminal_until)
    RETURNING k.*, xmax = 0 AS is_new
  )
  SELECT encode(l.key_hash, 'hex') AS "keyHash", l.scope, ${micros('l.first_seen_at')} AS "seenFirst",
         ${micros('l.last_seen_at')} AS "seenLast", ${micros('l.first_request_at')} AS "firstRequestAt",
         ${micros('l.first_expiry_at')} AS "expiryAt", ${micros('l.terminal_at')} AS "terminalAt",
         ${micros('l.terminal_until')} AS "terminalUntil",
         coalesce(l.effect_twice, false) OR (l.first_request_at, l.first_expiry_at)
           IS DISTINCT FROM (before.first_request_at, before.first_expiry_at) AS "keyedRequestsStale",
         (l.terminal_at, l.terminal_until) IS DISTINCT FROM (before.terminal_at, before.terminal_until) AS "effectsStale"
  FROM locked l LEFT JOIN telemetry.key before ON before.key_hash = l.key_hash AND before.scope = l.scope
  WHERE NOT l.is_new`

/** The only scope under which each of the keys $1 (hex) is known. */
export const READ_ONLY_SCOPES = `
  SELECT encode(key_hash, 'hex') AS "keyHash", min(scope) AS scope FROM telemetry.key
  WHERE key_hash IN (SELECT decode(hash, 'hex') FROM unnest($1::text[]) AS hash) AND scope <> ''
  GROUP BY key_hash HAVING count(*) = 1`

/**
 * $1, $2 = bounds of everything known about the keys at hand. Statements that look through or change event tables get
 * them as values and are planned anew, so that only the partitions in between are opened: with hundreds of days kept,
 * opening all would cost more than the work. This is the condition on one table's alias.
 */
export const withinBounds = (alias: string) =>
  `${alias}.time >= $1::timestamptz AND ${alias}.time <= $2::timestamptz`

/** $3 = locked keys as JSON (KeyFacts), as the CTE `key`. */
export const GIVEN_KEYS = `key AS MATERIALIZED (
    SELECT decode("keyHash", 'hex') AS key_hash, scope, "seenFirst" AS first_seen_at, "seenLast" AS last_seen_at,
           "firstRequestAt" AS first_request_at, "expiryAt" AS first_expiry_at, "terminalAt" AS terminal_at,
           "terminalUntil" AS terminal_until, known
    FROM jsonb_to_recordset($3::jsonb) AS given("keyHash" text, scope text, "seenFirst" timestamptz,
      "seenLast" timestamptz, "firstRequestAt" timestamptz, "expiryAt" timestamptz, "terminalAt" timestamptz,
      "terminalUntil" timestamptz, known boolean))`

/** How what is new about a key merges with what is known: by min and max, so resends and reordering change nothing. */
const MERGE = `
    ON CONFLICT (key_hash, scope) DO UPDATE SET
      first_seen_at     = least(k.first_seen_at, excluded.first_seen_at),
      last_seen_at      = greatest(k.last_seen_at, excluded.last_seen_at),
      first_sighting_at = least(k.first_sighting_at, excluded.first_sighting_at),
      first_expiry_at   = least(k.first_expiry_at, excluded.first_expiry_at),
      terminal_at = CASE
        WHEN excluded.terminal_until IS NULL OR k.terminal_until > excluded.terminal_until THEN k.terminal_at
        WHEN k.terminal_until = excluded.terminal_until THEN least(k.terminal_at, excluded.terminal_at)
        ELSE excluded.terminal_at END,
      terminal_until = greatest(k.terminal_until, excluded.terminal_until)
    RETURNING k.key_hash, k.scope, k.first_seen_at, k.last_seen_at, k.first_sighting_at, k.first_expiry_at,
              k.terminal_at, k.terminal_until, xmax = 0 AS is_new`

const COLUMNS = `key_hash, scope, first_seen_at, last_seen_at, first_sighting_at, first_expiry_at, terminal_at,
      terminal_until`

/**
 * Locks every key of the batch, in order, and adds what the batch says about it. Whoever computes flags of a key
 * holds its row: two batches with the same key follow one another, and the second sees what the first stored.
 * Of terminal records the one that lives longest is kept, with the earliest sign of it.
 */
export const LOCK_KEYS = `
  WITH locked AS (
    INSERT INTO telemetry.key AS k (${COLUMNS})
    SELECT key_hash, scope, min(seen_at), max(seen_at), min(sighting_at), min(expiry_at),
           (array_agg(terminal_at ORDER BY terminal_until DESC, terminal_at) FILTER (WHERE terminal_until IS NOT NULL))[1],
           max(terminal_until)
    FROM key_stage GROUP BY key_hash, scope ORDER BY key_hash, scope${MERGE}
  )
  INSERT INTO touched SELECT * FROM locked`

/**
 * The same for keys that the caller has merged (store/key-facts.ts): arrays instead of a staging table, half the
 * time. $1–$8 = the columns; $9 = key hashes to touch although they are new; $10 = touch all. Returns what was touched.
 */
export const LOCK_MERGED_KEYS = `
  WITH locked AS (
    INSERT INTO telemetry.key AS k (${COLUMNS})
    SELECT * FROM unnest($1::bytea[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[],
                         $6::timestamptz[], $7::timestamptz[], $8::timestamptz[]) AS given(${COLUMNS})
    ORDER BY key_hash, scope${MERGE}
  )
  INSERT INTO touched SELECT * FROM locked WHERE $10 OR NOT is_new OR key_hash IN (SELECT unnest($9::bytea[]))
  RETURNING encode(key_hash, 'hex') AS key_hash, scope`

/** The only scope under which each of the keys $1 (hex) is known. */
export const READ_ONLY_SCOPES = `
  SELECT encode(key_hash, 'hex') AS key_hash, min(scope) AS scope FROM telemetry.key
  WHERE key_hash IN (SELECT decode(hash, 'hex') FROM unnest($1::text[]) AS hash) AND scope <> ''
  GROUP BY key_hash HAVING count(*) = 1`

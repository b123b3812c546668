-- The native idempotency store. It lives in the service's database, beside the service's own tables, so that a record
-- can commit in the same transaction as the application's work. migrate() runs this with the schema of the store as the
-- search path, which the functions keep (SET search_path FROM CURRENT).
--
--   1. Tables      idem_lease holds live keys only (leased, retryable, unknown): small, mutable, where stuck keys are
--                  found. idem_record is insert-only and partitioned by tier, then by expiry: collecting is dropping a
--                  partition.
--   2. Keys and scopes
--   3. Partitions  made ahead by the SDK itself, so that nothing else has to run
--   4. Acquire
--   5. Steps       side effects and checkpoints of a live key
--   6. Endings     complete, give back, abandon, heartbeat
--   7. Collection  beside readers that take their time
--   8. Privileges

-- ---- 1. Tables ----------------------------------------------------------------------------------------------

CREATE TABLE idem_scope (
  scope_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- '{caller}/{METHOD} {route}'
  name     text NOT NULL UNIQUE CHECK (octet_length(name) BETWEEN 1 AND 512),
  -- Every tier this scope ever held keys in: when a route changes its tier, its old records are still found.
  tiers    smallint[] NOT NULL DEFAULT '{}'
);

-- A tier is a retention class; a route chooses one. A partition covers ttl/2, so at most 3 hold live records.
CREATE TABLE idem_tier (
  tier    smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name    text    NOT NULL UNIQUE CHECK (name ~ '^[a-z][a-z0-9_]{0,30}$'),
  ttl_ms  bigint  NOT NULL CHECK (ttl_ms >= 1000),
  partition_ms bigint  NOT NULL CHECK (partition_ms >= 500),
  partitions  integer NOT NULL DEFAULT 0,            -- attached when they were last made or counted
  -- After the TTL was shortened: until then partitions may be wider than the TTL, so that a key's expired record and its
  -- next one can meet in one partition.
  wide_until timestamptz
);

-- scope_id has no foreign key: scopes are never deleted, and its check would lock the one hot row of a route's scope for
-- every acquire of every connection (docs/decisions/030-what-an-acquire-costs.md).
CREATE TABLE idem_lease (
  created_at   timestamptz NOT NULL,             -- first acquire of this life of the key
  lease_until  timestamptz NOT NULL,
  heartbeat_at timestamptz NOT NULL,
  fence        bigint      NOT NULL,             -- greatest(old + 1, epoch in µs): never reused, never lower
  scope_id     integer     NOT NULL,
  attempts     integer     NOT NULL DEFAULT 1,
  tier         smallint    NOT NULL,
  -- Given back with nothing but failed effects: nothing has happened, so the next request may say something else.
  reopened     boolean     NOT NULL DEFAULT false,
  state        "char"      NOT NULL DEFAULT 'L' CHECK (state IN ('L', 'R', 'U')),  -- leased, retryable, unknown
  -- Lengths are checked by idem_acquire: each CHECK of this table would be parsed anew for every acquire.
  key          bytea       NOT NULL,             -- 1–255 bytes
  fingerprint  bytea       NOT NULL,             -- 16 bytes
  trace_id     bytea,                            -- 16 bytes
  owner        text        NOT NULL,
  -- Made by the caller before the statement, one for each attempt; null = a caller that makes none. Whoever takes the
  -- lease over writes their own, or null.
  acquire_id   uuid,
  step         text,                             -- the last recovery point reached
  PRIMARY KEY (scope_id, key)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

-- Checkpoints (kind 'checkpoint') and side effects of live keys. At completion the effects move to idem_body.
CREATE TABLE idem_step (
  begun_at     timestamptz NOT NULL,
  settled_at   timestamptz,
  fence        bigint      NOT NULL,             -- the holder that began it
  scope_id     integer     NOT NULL,
  -- Calls that are known to have failed; each gives the next one a provider key of its own.
  failures     integer     NOT NULL DEFAULT 0,
  -- It was begun again while the end of an earlier call was unknown. From then on it keeps its provider key.
  in_doubt     boolean     NOT NULL DEFAULT false,
  state        "char"      NOT NULL CHECK (state IN ('B', 'C', 'F', 'U')),  -- begun, committed, failed, unknown
  key          bytea       NOT NULL,
  step         text        NOT NULL,
  name         text        NOT NULL,             -- effect name, e.g. 'stripe.charge'
  kind         text        NOT NULL CHECK (kind IN ('http', 'db', 'message', 'other', 'checkpoint')),
  provider_key text,                             -- the idempotency key sent to the provider; NULL = not providerKeyed
  reference    text,                             -- the provider's id of what was made
  amount_minor bigint,
  currency     text,
  result       jsonb,                            -- what the handler gets back when the step is replayed
  PRIMARY KEY (scope_id, key, step)
);

CREATE TABLE idem_record (
  expires_at  timestamptz NOT NULL,
  created_at  timestamptz NOT NULL,              -- the lease's created_at
  fence       bigint      NOT NULL,
  scope_id    integer     NOT NULL,
  tier        smallint    NOT NULL,
  status      smallint,                          -- HTTP status of the stored response
  attempts    smallint    NOT NULL,
  state       "char"      NOT NULL CHECK (state IN ('C', 'F')),  -- completed, failed final: both are replayed
  key         bytea       NOT NULL,
  fingerprint bytea       NOT NULL,
  trace_id    bytea
) PARTITION BY LIST (tier);

CREATE TABLE idem_body (
  expires_at timestamptz NOT NULL,
  scope_id   integer     NOT NULL,
  tier       smallint    NOT NULL,
  key        bytea       NOT NULL,
  headers    jsonb,                              -- allow-listed response headers
  body       bytea,
  effects    jsonb                               -- [{step, name, kind, state, providerKey, reference, amountMinor, currency, begunAt, settledAt}]
) PARTITION BY LIST (tier);

-- ---- 2. Keys and scopes -------------------------------------------------------------------------------------

-- Keys are bytes: a canonical lower-case UUID is its 16 bytes, other keys are their text; a text of exactly
-- 16 bytes gets a leading zero byte, which no key can contain, so that the two never meet.
CREATE FUNCTION idem_key_bytes(key text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE
    WHEN key ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
      THEN decode(replace(key, '-', ''), 'hex')
    WHEN octet_length(key) = 16 THEN '\x00'::bytea || convert_to(key, 'UTF8')
    ELSE convert_to(key, 'UTF8')
  END
$$;

-- The key that idem_key_bytes made the bytes of.
CREATE FUNCTION idem_key_text(key bytea) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE
    WHEN octet_length(key) = 16 THEN encode(key, 'hex')::uuid::text
    WHEN octet_length(key) = 17 AND get_byte(key, 0) = 0 THEN convert_from(substr(key, 2), 'UTF8')
    ELSE convert_from(key, 'UTF8')
  END
$$;

-- The scope's id; notes the tier, so that every tier with records of this scope is probed.
CREATE FUNCTION idem_scope_id(p_scope text, p_tier smallint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  v_scope_id integer;
BEGIN
  SELECT s.scope_id INTO v_scope_id FROM idem_scope s WHERE s.name = p_scope AND p_tier = ANY (s.tiers);
  IF v_scope_id IS NULL THEN
    INSERT INTO idem_scope AS s (name, tiers) VALUES (p_scope, ARRAY[p_tier])
    ON CONFLICT (name) DO UPDATE
      SET tiers = CASE WHEN p_tier = ANY (s.tiers) THEN s.tiers ELSE s.tiers || p_tier END
    RETURNING s.scope_id INTO v_scope_id;
  END IF;
  RETURN v_scope_id;
END
$$;

-- A fencing token above `old`. The epoch in µs puts it above those of earlier lives of the key too, whose leases are gone,
-- when it is drawn after them: so acquires of one key take turns before they draw.
CREATE FUNCTION idem_next_fence(old bigint) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
  SELECT greatest(old + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
$$;

-- ---- 3. Partitions: one range of expiry of one tier ---------------------------------------------------------

-- What a partition is called: idem_record_t{tier}_{upper bound, epoch ms}.
CREATE FUNCTION idem_partition_name(parent text, tier smallint, upper_bound timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT format('%s_t%s_%s', parent, tier, (extract(epoch FROM upper_bound) * 1000)::bigint)
$$;

-- Partitions (schema-qualified) with their bounds, newest last. Rows are an estimate, as the planner makes it.
CREATE FUNCTION idem_partitions() RETURNS TABLE (
  partition text, tier smallint, tier_name text, lower_bound timestamptz, upper_bound timestamptz,
  rows_estimate bigint, bytes bigint, expired boolean
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
  SELECT format('%s.%I', c.relnamespace::regnamespace, c.relname), t.tier, t.name, b.lower_bound, b.upper_bound,
    CASE WHEN c.reltuples > 0 AND c.relpages > 0
      THEN (pg_relation_size(c.oid) / 8192.0 * c.reltuples / c.relpages)::bigint
      ELSE pg_relation_size(c.oid) / 8192 * 68  -- never analysed: a page holds about 68 records
    END,
    pg_total_relation_size(c.oid)
      + coalesce(pg_total_relation_size(to_regclass(replace(c.relname, 'idem_record_', 'idem_body_'))), 0),
    b.upper_bound <= clock_timestamp()
  FROM idem_tier t
  JOIN pg_inherits i ON i.inhparent = to_regclass('idem_record_t' || t.tier)
  JOIN pg_class c ON c.oid = i.inhrelid
  CROSS JOIN LATERAL (
    SELECT bound[1]::timestamptz AS lower_bound, bound[2]::timestamptz AS upper_bound
    FROM regexp_match(pg_get_expr(c.relpartbound, c.oid), $re$FROM \('([^']+)'\) TO \('([^']+)'\)$re$) bound
  ) b
  ORDER BY t.tier, b.upper_bound
$$;

-- Makes a tier, or changes its TTL; returns its id. Makers queue up, so two never make one tier twice. Its table is built
-- apart and then attached, as its partitions are: CREATE TABLE … PARTITION OF locks the parent against every request, and
-- behind an idle reader it would hold them all up.
CREATE FUNCTION idem_register_tier(p_name text, p_ttl_ms bigint) RETURNS smallint
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '5s' AS $$
DECLARE
  v_tier smallint;
  v_parent text;
  v_table text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('idem_register_tier', 0));
  SELECT t.tier INTO v_tier FROM idem_tier t WHERE t.name = p_name;
  IF v_tier IS NULL THEN
    INSERT INTO idem_tier (name, ttl_ms, partition_ms) VALUES (p_name, p_ttl_ms, p_ttl_ms / 2)
      RETURNING idem_tier.tier INTO v_tier;
    FOREACH v_parent IN ARRAY ARRAY['idem_record', 'idem_body'] LOOP
      v_table := format('%s_t%s', v_parent, v_tier);
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (expires_at)',
        v_table, v_parent);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', v_parent, v_table, v_tier);
    END LOOP;
  ELSE
    UPDATE idem_tier t SET ttl_ms = p_ttl_ms, partition_ms = p_ttl_ms / 2,
      wide_until = CASE WHEN p_ttl_ms < t.ttl_ms
        -- Another one each time: whoever reads records by their expiry knows by it that the TTL was shorter meanwhile.
        THEN greatest((SELECT max(l.upper_bound) FROM idem_partitions() l WHERE l.tier = v_tier),
          t.wide_until + interval '1 microsecond') ELSE t.wide_until END
    WHERE t.tier = v_tier AND t.ttl_ms <> p_ttl_ms;
  END IF;
  RETURN v_tier;
END
$$;

-- Makes the partitions that a record completed from now on can fall in, with two to spare; returns until when a completion
-- finds its partition. They are built apart and then attached, which blocks neither reads nor writes. It counts them, so
-- that acquire knows when nobody collects them.
CREATE FUNCTION idem_ensure_partitions(p_tier smallint) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT SET lock_timeout = '2s' SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
  v_tier idem_tier;
  v_now timestamptz := clock_timestamp();
  v_partition interval;
  v_next timestamptz;
  v_upper timestamptz;
  v_partitions integer;
  v_parent text;
  v_name text;
BEGIN
  SELECT * INTO v_tier FROM idem_tier t WHERE t.tier = p_tier;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'idempotency tier % is not registered', p_tier USING ERRCODE = 'undefined_object';
  END IF;
  v_partition := v_tier.partition_ms * interval '1 millisecond';

  SELECT max(l.upper_bound), count(*) INTO v_next, v_partitions FROM idem_partitions() l WHERE l.tier = p_tier;
  IF v_next >= v_now + v_tier.ttl_ms * interval '1 millisecond' + v_partition THEN
    UPDATE idem_tier t SET partitions = v_partitions WHERE t.tier = p_tier AND t.partitions <> v_partitions;
    RETURN v_next - v_tier.ttl_ms * interval '1 millisecond';
  END IF;

  -- One maker at a time; then look again, since another may have just made them.
  PERFORM pg_advisory_xact_lock(hashtextextended('idem_ensure_partitions', p_tier));
  SELECT max(l.upper_bound), count(*) INTO v_next, v_partitions FROM idem_partitions() l WHERE l.tier = p_tier;
  -- Ends are aligned to the epoch. The start is the last partition's end, so that no change of the width overlaps.
  v_next := greatest(v_next, date_bin(v_partition, v_now, 'epoch'::timestamptz));
  WHILE v_next < v_now + v_tier.ttl_ms * interval '1 millisecond' + 2 * v_partition LOOP
    v_upper := date_bin(v_partition, v_next, 'epoch'::timestamptz) + v_partition;
    FOREACH v_parent IN ARRAY ARRAY['idem_record', 'idem_body'] LOOP
      v_name := idem_partition_name(v_parent, p_tier, v_upper);
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', v_name, v_parent);
      EXECUTE format('CREATE UNIQUE INDEX ON %I (scope_id, key)', v_name);
      EXECUTE format('CREATE INDEX ON %I USING brin (expires_at)', v_name);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        format('%s_t%s', v_parent, p_tier), v_name, v_next, v_upper);
    END LOOP;
    v_partitions := v_partitions + 1;
    v_next := v_upper;
  END LOOP;
  UPDATE idem_tier t SET partitions = v_partitions WHERE t.tier = p_tier;
  RETURN v_next - v_tier.ttl_ms * interval '1 millisecond';
END
$$;

-- The same, as the time left on the store's clock, for a caller whose clock differs.
CREATE FUNCTION idem_partition_time_left_ms(p_tier smallint) RETURNS TABLE (left_ms double precision)
LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
  SELECT (extract(epoch FROM idem_ensure_partitions(p_tier) - clock_timestamp()) * 1000)::double precision
$$;

-- A tier by its name; NULL = not registered.
CREATE FUNCTION idem_find_tier(p_name text, OUT tier smallint, OUT ttl_ms bigint)
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
  SELECT t.tier, t.ttl_ms FROM idem_tier t WHERE t.name = p_name
$$;

-- What follows reads by key and keeps its plans. One that was made while a table was empty would scan it from end to end,
-- and go on so when it has grown: SET enable_seqscan = off.

-- ---- 4. Acquire: one round trip, in its own READ COMMITTED transaction --------------------------------------

CREATE TYPE idem_acquired AS (
  kind        text,          -- acquired | takeover | replay | mismatch | in_progress | unknown
  state       "char",        -- L, R (before a takeover), U; C, F
  fence       bigint,
  attempts    integer,
  owner       text,
  created_at  timestamptz,   -- first acquire of this life of the key
  expires_at  timestamptz,   -- of a record
  lease_ms    bigint,        -- left of a lease, on the store's clock
  step        text,          -- the last recovery point
  steps       jsonb,         -- what an earlier attempt left (takeover only)
  trace_id    bytea,         -- of the execution that made the record
  status      smallint,
  headers     jsonb,
  body        bytea
);

-- What earlier attempts left, oldest first; NULL = nothing.
CREATE FUNCTION idem_steps_of(p_scope_id integer, p_key bytea) RETURNS jsonb
LANGUAGE sql STABLE AS $$
  SELECT jsonb_agg(jsonb_build_object('step', s.step, 'name', s.name, 'kind', s.kind, 'state', s.state,
    'reference', s.reference, 'amountMinor', s.amount_minor::text, 'currency', s.currency, 'result', s.result)
    ORDER BY s.begun_at)
  FROM idem_step s WHERE s.scope_id = p_scope_id AND s.key = p_key
$$;

-- A record that is live at p_now, with its body, as an answer to a request with this fingerprint.
CREATE FUNCTION idem_find_record(p_scope_id integer, p_key bytea, p_now timestamptz, p_fingerprint bytea)
RETURNS idem_acquired
LANGUAGE plpgsql STABLE AS $$
DECLARE
  r idem_acquired;
  v_tier smallint;
  v_fingerprint bytea;
BEGIN
  FOREACH v_tier IN ARRAY (SELECT s.tiers FROM idem_scope s WHERE s.scope_id = p_scope_id) LOOP
    -- At most 3 partitions are left after pruning by the expiry.
    SELECT c.state, c.fence, c.attempts, c.created_at, c.expires_at, c.trace_id, c.status, c.fingerprint
    INTO r.state, r.fence, r.attempts, r.created_at, r.expires_at, r.trace_id, r.status, v_fingerprint
    FROM idem_record c
    WHERE c.tier = v_tier AND c.expires_at > p_now AND c.scope_id = p_scope_id AND c.key = p_key;
    CONTINUE WHEN NOT FOUND;

    IF v_fingerprint <> p_fingerprint THEN
      r.kind := 'mismatch';
      RETURN r;
    END IF;
    r.kind := 'replay';
    SELECT b.headers, b.body INTO r.headers, r.body
    FROM idem_body b
    WHERE b.tier = v_tier AND b.expires_at = r.expires_at AND b.scope_id = p_scope_id AND b.key = p_key;
    RETURN r;
  END LOOP;
  RETURN NULL;
END
$$;

-- As idem_find_record, planned for these values alone: only partitions that can hold the record are locked. A plan for all
-- values, which a session makes sooner or later, locks every partition and index there is.
CREATE FUNCTION idem_find_record_pruned(p_scope_id integer, p_key bytea, p_now timestamptz, p_fingerprint bytea)
RETURNS idem_acquired
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
  RETURN idem_find_record(p_scope_id, p_key, p_now, p_fingerprint);
END
$$;

-- At most one caller holds a key. Acquires of one key take turns. The record is looked up before the lease is inserted, so
-- that a replay writes nothing, and once more after where there was a lease: a completion deletes it and inserts the record
-- at once, and whoever holds the new lease row sees that. Where there was none, nobody can have completed in between. A
-- single CTE returns zero rows under contention; under REPEATABLE READ the look-up misses the record and executes twice, so
-- that is refused. A lease that passed is taken over under a new fencing token, but not while an effect's end is unknown. An
-- acquire whose answer was lost is recognised by its id when it is sent again, and goes on with the lease that it has. Calls
-- no other function on the way that is taken almost always; planning for each call costs more than a plan that is kept, so
-- that is done only where the partitions have become many.
CREATE FUNCTION idem_acquire(p_scope text, p_key text, p_tier smallint, p_fingerprint bytea, p_owner text,
  p_lease_ms bigint, p_trace_id bytea, p_acquire_id uuid DEFAULT NULL)
RETURNS idem_acquired
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
  v_key bytea := idem_key_bytes(p_key);
  v_scope_id integer;
  v_lease_time interval := p_lease_ms * interval '1 millisecond';
  v_now timestamptz;
  v_lease idem_lease;
  v_tiers smallint[];
  v_live boolean;
  v_many boolean;
  v_tier smallint;
  r idem_acquired;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'idem_acquire must run under READ COMMITTED, not %: it would execute twice',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'invalid_transaction_state';
  END IF;
  IF octet_length(v_key) NOT BETWEEN 1 AND 255 OR octet_length(p_fingerprint) <> 16 OR octet_length(p_trace_id) <> 16 THEN
    RAISE EXCEPTION 'an idempotency key has 1 to 255 bytes, a fingerprint and a trace id 16' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- By turns: while it is locked, nobody else makes this key a lease, and fences are drawn in the order of their holders.
  PERFORM pg_advisory_xact_lock(hashtext(p_scope), hashtext(p_key));
  SELECT s.scope_id, s.tiers, EXISTS (SELECT FROM idem_lease l WHERE l.scope_id = s.scope_id AND l.key = v_key),
    (SELECT sum(t.partitions) > 32 FROM idem_tier t WHERE t.tier > 0)  -- by index: sequential scans are off
  INTO v_scope_id, v_tiers, v_live, v_many
  FROM idem_scope s WHERE s.name = p_scope AND p_tier = ANY (s.tiers);
  IF NOT FOUND THEN
    v_scope_id := idem_scope_id(p_scope, p_tier);
    SELECT s.tiers, true, (SELECT sum(t.partitions) > 32 FROM idem_tier t WHERE t.tier > 0) INTO v_tiers, v_live, v_many
    FROM idem_scope s WHERE s.scope_id = v_scope_id;
  END IF;

  -- Looked up before anything is written: a key that is done stays done, however often it is asked for.
  v_now := clock_timestamp();
  IF v_many THEN
    r := idem_find_record_pruned(v_scope_id, v_key, v_now, p_fingerprint);
  ELSE
    FOREACH v_tier IN ARRAY v_tiers LOOP
      PERFORM FROM idem_record c
      WHERE c.tier = v_tier AND c.expires_at > v_now AND c.scope_id = v_scope_id AND c.key = v_key;
      IF FOUND THEN
        r := idem_find_record(v_scope_id, v_key, v_now, p_fingerprint);
        EXIT;
      END IF;
    END LOOP;
  END IF;
  IF r.kind IS NOT NULL THEN
    RETURN r;
  END IF;

  -- Each turn ends in an answer unless the lease changed hands meanwhile.
  FOR turn IN 1..8 LOOP
    v_now := clock_timestamp();
    INSERT INTO idem_lease AS l
      (created_at, lease_until, heartbeat_at, fence, scope_id, tier, key, fingerprint, trace_id, owner, acquire_id)
    VALUES (v_now, v_now + v_lease_time, v_now, idem_next_fence(0), v_scope_id, p_tier, v_key, p_fingerprint,
      p_trace_id, p_owner, p_acquire_id)
    ON CONFLICT (scope_id, key) DO NOTHING
    RETURNING * INTO v_lease;

    IF FOUND THEN
      -- Where there was a lease, it may have been completed since the record was looked up.
      IF v_live AND v_many THEN
        r := idem_find_record_pruned(v_scope_id, v_key, v_now, p_fingerprint);
      ELSIF v_live THEN
        r := idem_find_record(v_scope_id, v_key, v_now, p_fingerprint);
      END IF;
      IF r.kind IS NOT NULL THEN  -- done since it was looked up: give the lease back
        DELETE FROM idem_lease l WHERE l.scope_id = v_scope_id AND l.key = v_key;
        RETURN r;
      END IF;
      r.kind := 'acquired';
      EXIT;
    END IF;

    SELECT * INTO v_lease FROM idem_lease l WHERE l.scope_id = v_scope_id AND l.key = v_key;
    v_live := true;
    CONTINUE WHEN NOT FOUND;  -- it ended between the two statements
    r.kind := CASE
      WHEN v_lease.fingerprint <> p_fingerprint AND NOT v_lease.reopened THEN 'mismatch'
      WHEN v_lease.state = 'U' THEN 'unknown'
      -- What came late: another statement of this acquire has been answered, and that attempt has ended.
      WHEN v_lease.state = 'R' AND v_lease.acquire_id = p_acquire_id THEN 'in_progress'
      WHEN v_lease.state = 'L' AND v_lease.lease_until > clock_timestamp()
        AND (v_lease.acquire_id = p_acquire_id) IS NOT TRUE THEN 'in_progress'
    END;
    EXIT WHEN r.kind IS NOT NULL;

    IF v_lease.acquire_id = p_acquire_id THEN
      -- Our own: its answer was lost, so nothing was begun under it. It goes on with the same fence.
      v_now := clock_timestamp();
      UPDATE idem_lease l SET lease_until = greatest(l.lease_until, v_now + v_lease_time), heartbeat_at = v_now
      WHERE l.scope_id = v_scope_id AND l.key = v_key AND l.fence = v_lease.fence AND l.state = 'L'
      RETURNING * INTO v_lease;
      CONTINUE WHEN NOT FOUND;
      r.kind := CASE WHEN v_lease.attempts = 1 THEN 'acquired' ELSE 'takeover' END;
      IF r.kind = 'takeover' THEN
        r.steps := idem_steps_of(v_scope_id, v_key);
      END IF;
      EXIT;
    END IF;

    -- Retryable, or the lease passed. Lock the row first: the next statement must see every step begun under it.
    PERFORM FROM idem_lease l
    WHERE l.scope_id = v_scope_id AND l.key = v_key AND l.fence = v_lease.fence
      AND l.state = v_lease.state AND l.lease_until = v_lease.lease_until
    FOR UPDATE;
    CONTINUE WHEN NOT FOUND;

    IF v_lease.state = 'L' AND EXISTS (
      SELECT FROM idem_step s
      WHERE s.scope_id = v_scope_id AND s.key = v_key AND s.kind <> 'checkpoint' AND s.state IN ('B', 'U')
    ) THEN
      -- An effect was begun and nobody knows its end. The fence stays: if the holder lives, it may still say.
      UPDATE idem_lease l SET state = 'U'
      WHERE l.scope_id = v_scope_id AND l.key = v_key AND l.fence = v_lease.fence
      RETURNING * INTO v_lease;
      r.kind := 'unknown';
      EXIT;
    END IF;

    r.state := v_lease.state;
    v_now := clock_timestamp();
    UPDATE idem_lease l SET fence = idem_next_fence(l.fence), state = 'L', owner = p_owner,
      attempts = l.attempts + 1, lease_until = v_now + v_lease_time, heartbeat_at = v_now, trace_id = p_trace_id,
      fingerprint = p_fingerprint, reopened = false, acquire_id = p_acquire_id
    WHERE l.scope_id = v_scope_id AND l.key = v_key AND l.fence = v_lease.fence
    RETURNING * INTO v_lease;
    CONTINUE WHEN NOT FOUND;
    r.kind := 'takeover';
    r.steps := idem_steps_of(v_scope_id, v_key);
    EXIT;
  END LOOP;

  r.kind := coalesce(r.kind, 'in_progress');
  r.state := coalesce(r.state, v_lease.state);
  r.fence := v_lease.fence;
  r.attempts := v_lease.attempts;
  r.owner := v_lease.owner;
  r.created_at := v_lease.created_at;
  r.step := v_lease.step;
  r.trace_id := v_lease.trace_id;
  r.lease_ms := greatest(0, extract(epoch FROM v_lease.lease_until - clock_timestamp()) * 1000)::bigint;
  RETURN r;
END
$$;

-- ---- 5. Steps -----------------------------------------------------------------------------------------------

CREATE TYPE idem_started AS (
  kind         text,     -- begun | committed (an earlier attempt did it) | stale | busy | unsettled
  provider_key text,     -- to send with the call that was begun
  reference    text,
  amount_minor bigint,
  currency     text,
  result       jsonb
);

-- The provider key of a step's next call: the caller's own until a call is known to have failed, then as long a key
-- that depends on how many have (docs/decisions/054-failed-effects-and-lost-answers.md).
CREATE FUNCTION idem_provider_key(p_provider_key text, p_failures integer) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_failures = 0 THEN p_provider_key
    ELSE encode(sha256(convert_to(p_provider_key || '/' || p_failures, 'UTF8')), 'hex') END
$$;

-- Begins an effect and says which provider key to send. It changes the lease row where the fence matches, so a takeover
-- either sees this step or wins before it. 'busy': this holder has already begun it; 'unsettled': begun before without a
-- provider key, so that doing it again could do it twice.
CREATE FUNCTION idem_start_effect(p_scope text, p_key text, p_fence bigint, p_step text, p_name text, p_kind text,
  p_provider_key text, p_lease_ms bigint)
RETURNS idem_started
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
  v_key bytea := idem_key_bytes(p_key);
  v_scope_id integer := (SELECT s.scope_id FROM idem_scope s WHERE s.name = p_scope);
  v_now timestamptz := clock_timestamp();
  v_step idem_step;
  r idem_started;
BEGIN
  UPDATE idem_lease l SET step = p_step, heartbeat_at = v_now,
    lease_until = greatest(l.lease_until, v_now + p_lease_ms * interval '1 millisecond')
  WHERE l.scope_id = v_scope_id AND l.key = v_key AND l.fence = p_fence AND l.state = 'L';
  IF NOT FOUND THEN
    r.kind := 'stale';
    RETURN r;
  END IF;

  SELECT * INTO v_step FROM idem_step s
  WHERE s.scope_id = v_scope_id AND s.key = v_key AND s.step = p_step FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO idem_step (begun_at, fence, scope_id, state, key, step, name, kind, provider_key)
    VALUES (v_now, p_fence, v_scope_id, 'B', v_key, p_step, p_name, p_kind, p_provider_key);
    r.kind := 'begun';
    r.provider_key := p_provider_key;
    RETURN r;
  END IF;

  IF v_step.state = 'C' THEN
    r := ('committed', v_step.provider_key, v_step.reference, v_step.amount_minor, v_step.currency, v_step.result);
    RETURN r;
  END IF;
  r.provider_key := idem_provider_key(p_provider_key, v_step.failures);
  r.kind := CASE
    WHEN v_step.state = 'B' AND v_step.fence = p_fence THEN 'busy'
    WHEN v_step.state <> 'F' AND (v_step.provider_key IS NULL OR v_step.provider_key IS DISTINCT FROM r.provider_key)
      THEN 'unsettled'
    ELSE 'begun'
  END;
  IF r.kind = 'begun' THEN
    UPDATE idem_step s SET state = 'B', fence = p_fence, begun_at = v_now, settled_at = NULL, name = p_name,
      kind = p_kind, provider_key = r.provider_key, reference = NULL, amount_minor = NULL, currency = NULL,
      result = NULL, in_doubt = s.in_doubt OR s.state <> 'F'
    WHERE s.scope_id = v_scope_id AND s.key = v_key AND s.step = p_step;
  END IF;
  RETURN r;
END
$$;

-- Writes an effect's end. It needs the step's own fence, not the lease's: a holder that lost the lease while the
-- provider answered still tells the truth, until another holder has begun the step anew. False = stale.
-- N = it was begun and not called: that proves nothing about an earlier call of unknown end.
CREATE FUNCTION idem_settle_effect(p_scope text, p_key text, p_fence bigint, p_step text, p_state "char",
  p_reference text, p_amount_minor bigint, p_currency text, p_result jsonb)
RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off AS $$
BEGIN
  UPDATE idem_step s SET settled_at = clock_timestamp(), reference = p_reference, amount_minor = p_amount_minor,
    currency = p_currency, result = p_result,
    state = CASE WHEN p_state <> 'N' THEN p_state WHEN s.in_doubt THEN 'U' ELSE 'F' END,
    failures = s.failures + CASE WHEN p_state = 'F' AND s.state = 'B' AND NOT s.in_doubt THEN 1 ELSE 0 END
  WHERE s.scope_id = (SELECT c.scope_id FROM idem_scope c WHERE c.name = p_scope)
    AND s.key = idem_key_bytes(p_key) AND s.step = p_step AND s.fence = p_fence
    AND s.kind <> 'checkpoint'
    -- Said again after a broken connection: the same end is no stale holder.
    AND (s.state = 'B' OR (s.state = p_state AND s.reference IS NOT DISTINCT FROM p_reference));
  RETURN FOUND;
END
$$;

-- Names a recovery point with its data. False = stale.
CREATE FUNCTION idem_checkpoint(p_scope text, p_key text, p_fence bigint, p_step text, p_result jsonb)
RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
  v_key bytea := idem_key_bytes(p_key);
  v_scope_id integer := (SELECT s.scope_id FROM idem_scope s WHERE s.name = p_scope);
BEGIN
  UPDATE idem_lease l SET step = p_step, heartbeat_at = clock_timestamp()
  WHERE l.scope_id = v_scope_id AND l.key = v_key AND l.fence = p_fence AND l.state = 'L';
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO idem_step AS s (begun_at, settled_at, fence, scope_id, state, key, step, name, kind, result)
  VALUES (clock_timestamp(), clock_timestamp(), p_fence, v_scope_id, 'C', v_key, p_step, p_step, 'checkpoint', p_result)
  ON CONFLICT (scope_id, key, step) DO UPDATE
    SET settled_at = excluded.settled_at, fence = excluded.fence, result = excluded.result
    WHERE s.kind = 'checkpoint';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'step % is an effect, not a checkpoint', p_step USING ERRCODE = 'duplicate_object';
  END IF;
  RETURN true;
END
$$;

-- ---- 6. Endings: each compares the fence; no row = stale holder ---------------------------------------------

CREATE TYPE idem_completed AS (created_at timestamptz, expires_at timestamptz);

-- The record that this very holder completed; NULL = none.
CREATE FUNCTION idem_own_record(p_scope text, p_key bytea, p_now timestamptz, p_fence bigint) RETURNS idem_completed
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  v_scope_id integer;
  v_tiers smallint[];
  v_tier smallint;
  r idem_completed;
BEGIN
  SELECT s.scope_id, s.tiers INTO v_scope_id, v_tiers FROM idem_scope s WHERE s.name = p_scope;
  FOREACH v_tier IN ARRAY coalesce(v_tiers, '{}') LOOP
    SELECT c.created_at, c.expires_at INTO r FROM idem_record c
    WHERE c.tier = v_tier AND c.expires_at > p_now AND c.scope_id = v_scope_id AND c.key = p_key AND c.fence = p_fence;
    EXIT WHEN FOUND;
  END LOOP;
  RETURN r;
END
$$;

-- Completes: the lease and its steps go, the record and its body come, at once for everybody else. May run in the
-- application's own transaction, just before COMMIT. NULL = stale. Four small statements cost three quarters of one with
-- five parts.
CREATE FUNCTION idem_complete(p_scope text, p_key text, p_fence bigint, p_state "char", p_status smallint,
  p_headers jsonb, p_body bytea)
RETURNS idem_completed
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
  v_key bytea := idem_key_bytes(p_key);
  v_now timestamptz := clock_timestamp();
  v_lease idem_lease;
  v_tier idem_tier;
  v_effects jsonb;
  r idem_completed;
BEGIN
  DELETE FROM idem_lease l
  WHERE l.scope_id = (SELECT s.scope_id FROM idem_scope s WHERE s.name = p_scope) AND l.key = v_key
    AND l.fence = p_fence AND l.state IN ('L', 'U')
  RETURNING l.* INTO v_lease;
  IF NOT FOUND THEN
    -- Stale, unless this very holder completed before and did not hear of it (the connection broke at COMMIT).
    RETURN idem_own_record(p_scope, v_key, v_now, p_fence);
  END IF;

  SELECT * INTO v_tier FROM idem_tier t WHERE t.tier = v_lease.tier;
  -- After a TTL was shortened, the key's expired record may lie in the same partition. Not done by catching the unique
  -- violation: a subtransaction made every completion a quarter slower.
  IF v_tier.wide_until > v_now THEN
    DELETE FROM idem_record c WHERE c.tier = v_lease.tier AND c.expires_at <= v_now
      AND c.scope_id = v_lease.scope_id AND c.key = v_key;
    DELETE FROM idem_body b WHERE b.tier = v_lease.tier AND b.expires_at <= v_now
      AND b.scope_id = v_lease.scope_id AND b.key = v_key;
  END IF;

  r.created_at := v_lease.created_at;
  r.expires_at := v_now + v_tier.ttl_ms * interval '1 millisecond';
  INSERT INTO idem_record (expires_at, created_at, fence, scope_id, tier, status, attempts, state, key, fingerprint,
    trace_id)
  VALUES (r.expires_at, v_lease.created_at, v_lease.fence, v_lease.scope_id, v_lease.tier, p_status,
    least(v_lease.attempts, 32767), p_state, v_key, v_lease.fingerprint, v_lease.trace_id);

  -- A lease without a recovery point never had a step: each begin and each checkpoint names it there.
  IF v_lease.step IS NOT NULL THEN
    WITH step AS (
      DELETE FROM idem_step s WHERE s.scope_id = v_lease.scope_id AND s.key = v_key RETURNING s.*
    )
    SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('step', s.step, 'name', s.name, 'kind', s.kind,
      'state', s.state, 'providerKey', s.provider_key, 'reference', s.reference,
      'amountMinor', s.amount_minor::text, 'currency', s.currency, 'begunAt', s.begun_at,
      'settledAt', s.settled_at)) ORDER BY s.begun_at)
    INTO v_effects FROM step s WHERE s.kind <> 'checkpoint';
  END IF;
  IF p_headers IS NOT NULL OR p_body IS NOT NULL OR v_effects IS NOT NULL THEN
    INSERT INTO idem_body (expires_at, scope_id, tier, key, headers, body, effects)
    VALUES (r.expires_at, v_lease.scope_id, v_lease.tier, v_key, p_headers, p_body, v_effects);
  END IF;
  RETURN r;
END
$$;

-- The request is not to be stored (validation, conflict, 401, 429): the lease is given back. With steps it stays
-- retryable, so that they are kept; with an effect of unknown end it is unknown. Returns what it became.
CREATE FUNCTION idem_give_back(p_scope text, p_key text, p_fence bigint) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
  v_key bytea := idem_key_bytes(p_key);
  v_scope_id integer := (SELECT s.scope_id FROM idem_scope s WHERE s.name = p_scope);
  v_steps bigint;
  v_failed bigint;
  v_unsettled bigint;
BEGIN
  PERFORM FROM idem_lease l
  WHERE l.scope_id = v_scope_id AND l.key = v_key AND l.fence = p_fence AND l.state = 'L' FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'stale';
  END IF;
  SELECT count(*), count(*) FILTER (WHERE s.kind <> 'checkpoint' AND s.state = 'F' AND NOT s.in_doubt),
    count(*) FILTER (WHERE s.kind <> 'checkpoint' AND s.state IN ('B', 'U'))
  INTO v_steps, v_failed, v_unsettled
  FROM idem_step s WHERE s.scope_id = v_scope_id AND s.key = v_key;
  IF v_steps = 0 THEN
    DELETE FROM idem_lease l WHERE l.scope_id = v_scope_id AND l.key = v_key AND l.fence = p_fence;
    RETURN 'absent';
  END IF;
  UPDATE idem_lease l SET state = CASE WHEN v_unsettled > 0 THEN 'U' ELSE 'R' END, lease_until = clock_timestamp(),
    reopened = v_failed = v_steps
  WHERE l.scope_id = v_scope_id AND l.key = v_key AND l.fence = p_fence;
  RETURN CASE WHEN v_unsettled > 0 THEN 'unknown' ELSE 'retryable' END;
END
$$;

-- The handler threw: retryable when no effect began (or all that began are known to have failed), else unknown.
CREATE FUNCTION idem_abandon(p_scope text, p_key text, p_fence bigint) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
  v_key bytea := idem_key_bytes(p_key);
  v_scope_id integer := (SELECT s.scope_id FROM idem_scope s WHERE s.name = p_scope);
  v_began boolean;
BEGIN
  PERFORM FROM idem_lease l
  WHERE l.scope_id = v_scope_id AND l.key = v_key AND l.fence = p_fence AND l.state = 'L' FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'stale';
  END IF;
  v_began := EXISTS (
    SELECT FROM idem_step s
    WHERE s.scope_id = v_scope_id AND s.key = v_key AND s.kind <> 'checkpoint' AND s.state <> 'F'
  );
  UPDATE idem_lease l SET state = CASE WHEN v_began THEN 'U' ELSE 'R' END, lease_until = clock_timestamp()
  WHERE l.scope_id = v_scope_id AND l.key = v_key AND l.fence = p_fence;
  RETURN CASE WHEN v_began THEN 'unknown' ELSE 'retryable' END;
END
$$;

-- Prolongs the lease. False = lost.
CREATE FUNCTION idem_heartbeat(p_scope text, p_key text, p_fence bigint, p_lease_ms bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
BEGIN
  UPDATE idem_lease l SET heartbeat_at = v_now,
    lease_until = greatest(l.lease_until, v_now + p_lease_ms * interval '1 millisecond')
  WHERE l.scope_id = (SELECT s.scope_id FROM idem_scope s WHERE s.name = p_scope)
    AND l.key = idem_key_bytes(p_key) AND l.fence = p_fence AND l.state = 'L';
  RETURN FOUND;
END
$$;

-- ---- 7. Collection (docs/decisions/033-dropping-beside-readers.md) -------------------------------------------

-- The transactions that hold one of these tables in any mode, this one aside.
CREATE FUNCTION idem_holders(p_tables regclass[]) RETURNS text[]
LANGUAGE sql VOLATILE AS $$
  SELECT coalesce(array_agg(DISTINCT l.virtualtransaction), '{}')
  FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY (p_tables::oid[])
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    AND l.pid IS DISTINCT FROM pg_backend_pid()
$$;

-- Waits, in no queue, until those that hold one of these tables now have ended. False = one is still there.
CREATE FUNCTION idem_await_holders(p_tables regclass[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  v_holders text[] := idem_holders(p_tables);
BEGIN
  -- 400 ms: an acquire that is only slow to commit has ended by then; what is left is a reader.
  FOR turn IN 1..20 LOOP
    IF NOT v_holders && idem_holders(p_tables) THEN
      RETURN true;
    END IF;
    PERFORM pg_sleep(0.02);
  END LOOP;
  RETURN false;
END
$$;

-- Who holds one of these tables in a mode that a collection has to wait for, this session aside: at most three, in words.
-- Mode and process are seen by everybody; what else PostgreSQL shows depends on this role's rights.
CREATE FUNCTION idem_describe_holders(p_tables regclass[]) RETURNS text
LANGUAGE sql VOLATILE AS $$
  SELECT string_agg(format('%s, process %s%s', h.what, h.pid, coalesce(' of ' || h.application, '')), '; ')
  FROM (
    SELECT l.pid, nullif(max(a.application_name), '') AS application,
      CASE
        WHEN bool_or(a.backend_type = 'autovacuum worker') THEN 'autovacuum'
        WHEN bool_or(v.pid IS NOT NULL) THEN 'a vacuum'
        WHEN bool_or(a.query ILIKE 'analyze%') THEN 'an analyze'
        WHEN bool_or(l.mode = 'ShareUpdateExclusiveLock') THEN 'a vacuum or analyze'
        WHEN bool_and(l.mode = 'AccessShareLock') THEN 'a reader'
        WHEN bool_and(l.mode IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')) THEN 'a writer'
        ELSE 'a change of the table (' || max(l.mode) || ')'
      END AS what
    FROM pg_locks l
    LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    LEFT JOIN pg_stat_progress_vacuum v ON v.pid = l.pid
    WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY (p_tables::oid[])
      AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
      AND l.pid IS DISTINCT FROM pg_backend_pid()
    GROUP BY l.pid
    ORDER BY min(a.xact_start) NULLS LAST, l.pid
    LIMIT 3
  ) h
$$;

-- Collects one partition: drops its records and bodies, when its last record expired longer than p_safety_ms ago.
-- Behind a reader it raises lock_not_available (55P03) and names who is in the way: call again later. A partition that is
-- not due raises 55000.
--
-- To drop a partition its parent is locked, and every acquire queues behind that lock. So the partition itself is watched
-- first without any lock; then the parent of the records is waited for at most 50 ms. Who holds the parent of the bodies
-- held that of the records before, but for a reader of bodies alone: 10 ms are enough there and for the partitions.
CREATE FUNCTION idem_collect_partition(p_partition regclass, p_safety_ms bigint)
RETURNS TABLE (rows_estimate bigint, bytes bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '50ms' AS $$
DECLARE
  v_partition record;
  v_name text;
  v_body text;
  v_tables regclass[];
BEGIN
  SELECT * INTO v_partition FROM idem_partitions() l WHERE to_regclass(l.partition) = p_partition;
  IF NOT FOUND THEN
    RAISE EXCEPTION '% is not a partition of idem_record', p_partition USING ERRCODE = 'undefined_table';
  END IF;
  IF v_partition.upper_bound + greatest(p_safety_ms, 0) * interval '1 millisecond' >= clock_timestamp() THEN
    RAISE EXCEPTION '% may still hold live records until %', p_partition, v_partition.upper_bound
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  v_name := idem_partition_name('idem_record', v_partition.tier, v_partition.upper_bound);
  v_body := idem_partition_name('idem_body', v_partition.tier, v_partition.upper_bound);
  v_tables := array_remove(ARRAY[p_partition, to_regclass(quote_ident(v_body))], NULL);
  IF NOT idem_await_holders(v_tables) THEN
    RAISE EXCEPTION '% is held by %', p_partition, coalesce(idem_describe_holders(v_tables), 'a session that has ended since')
      USING ERRCODE = 'lock_not_available';
  END IF;

  BEGIN
    EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', 'idem_record_t' || v_partition.tier);
    PERFORM set_config('lock_timeout', '10ms', true);
    EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', 'idem_body_t' || v_partition.tier);
    EXECUTE format('DROP TABLE %I', v_name);
    EXECUTE format('DROP TABLE IF EXISTS %I', v_body);
  EXCEPTION WHEN lock_not_available THEN
    -- The locks are given back here; the oldest holder is the one that stays.
    RAISE EXCEPTION '% cannot be locked: its table or partition is held by %', p_partition, coalesce(idem_describe_holders(
        v_tables || ARRAY[to_regclass('idem_record_t' || v_partition.tier), to_regclass('idem_body_t' || v_partition.tier)]),
        'a session that has ended since')
      USING ERRCODE = 'lock_not_available';
  END;
  RETURN QUERY SELECT v_partition.rows_estimate, v_partition.bytes;
END
$$;

-- ---- 8. Privileges: granted by name only (sdk/stores/grants.ts) ---------------------------------------------

REVOKE ALL ON FUNCTION idem_partitions() FROM PUBLIC;
REVOKE ALL ON FUNCTION idem_ensure_partitions(smallint) FROM PUBLIC;
REVOKE ALL ON FUNCTION idem_collect_partition(regclass, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION idem_register_tier(text, bigint) FROM PUBLIC;

-- Acquire: one round trip, in its own READ COMMITTED transaction.
--
-- The lease is inserted first, and only then are the records probed, once. Whoever holds the lease row therefore
-- sees every record completed before it (a completion deletes the lease and inserts the record at once). A single
-- CTE returns zero rows under contention; under REPEATABLE READ the probe misses the record and executes twice.

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

CREATE FUNCTION idem_next_fence(old bigint) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
  SELECT greatest(old + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
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
    -- At most 3 leaves are left after pruning by the expiry.
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

CREATE FUNCTION idem_acquire(p_scope text, p_key text, p_tier smallint, p_fingerprint bytea, p_owner text,
  p_lease_ms bigint, p_trace_id bytea)
RETURNS idem_acquired
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  v_key bytea := idem_key_bytes(p_key);
  v_scope_id integer;
  v_lease_time interval := p_lease_ms * interval '1 millisecond';
  v_now timestamptz;
  v_lease idem_lease;
  r idem_acquired;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'idem_acquire must run under READ COMMITTED, not %: it would execute twice',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'invalid_transaction_state';
  END IF;
  v_scope_id := idem_scope_id(p_scope, p_tier);

  -- Each turn ends in an answer unless the lease changed hands meanwhile.
  FOR turn IN 1..8 LOOP
    v_now := clock_timestamp();
    INSERT INTO idem_lease AS l
      (created_at, lease_until, heartbeat_at, fence, scope_id, tier, key, fingerprint, trace_id, owner)
    VALUES (v_now, v_now + v_lease_time, v_now, idem_next_fence(0), v_scope_id, p_tier, v_key, p_fingerprint,
      p_trace_id, p_owner)
    ON CONFLICT (scope_id, key) DO NOTHING
    RETURNING * INTO v_lease;

    IF FOUND THEN
      r := idem_find_record(v_scope_id, v_key, v_now, p_fingerprint);
      IF r.kind IS NOT NULL THEN  -- done already: give the lease back
        DELETE FROM idem_lease l WHERE l.scope_id = v_scope_id AND l.key = v_key;
        RETURN r;
      END IF;
      r.kind := 'acquired';
      EXIT;
    END IF;

    SELECT * INTO v_lease FROM idem_lease l WHERE l.scope_id = v_scope_id AND l.key = v_key;
    CONTINUE WHEN NOT FOUND;  -- it ended between the two statements
    r.kind := CASE
      WHEN v_lease.fingerprint <> p_fingerprint THEN 'mismatch'
      WHEN v_lease.state = 'U' THEN 'unknown'
      WHEN v_lease.state = 'L' AND v_lease.lease_until > clock_timestamp() THEN 'in_progress'
    END;
    EXIT WHEN r.kind IS NOT NULL;

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
      attempts = l.attempts + 1, lease_until = v_now + v_lease_time, heartbeat_at = v_now, trace_id = p_trace_id
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

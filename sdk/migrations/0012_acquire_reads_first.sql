-- Replays write nothing, and leaves that nobody collects cost no locks
-- (docs/decisions/054-failed-effects-and-lost-answers.md).

-- As idem_find_record, planned for these values alone: only leaves that can hold the record are locked. A plan for all
-- values, which a session makes sooner or later, locks every leaf and index there is.
CREATE FUNCTION idem_find_record_pruned(p_scope_id integer, p_key bytea, p_now timestamptz, p_fingerprint bytea)
RETURNS idem_acquired
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
  RETURN idem_find_record(p_scope_id, p_key, p_now, p_fingerprint);
END
$$;

-- Acquire as before, but it looks the record up before it inserts the lease, and once more after: whoever holds the lease
-- row then sees every record that was completed before it. Planning for each call costs more than a plan that is kept, so
-- that is done only where the leaves have become many.
CREATE OR REPLACE FUNCTION idem_acquire(p_scope text, p_key text, p_tier smallint, p_fingerprint bytea, p_owner text,
  p_lease_ms bigint, p_trace_id bytea)
RETURNS idem_acquired
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  v_key bytea := idem_key_bytes(p_key);
  v_scope_id integer;
  v_lease_time interval := p_lease_ms * interval '1 millisecond';
  v_now timestamptz;
  v_lease idem_lease;
  v_tiers smallint[];
  v_many boolean;
  v_tier smallint;
  r idem_acquired;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'idem_acquire must run under READ COMMITTED, not %: it would execute twice',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'invalid_transaction_state';
  END IF;
  SELECT s.scope_id, s.tiers, (SELECT sum(t.leaves) > 32 FROM idem_tier t) INTO v_scope_id, v_tiers, v_many
  FROM idem_scope s WHERE s.name = p_scope AND p_tier = ANY (s.tiers);
  IF NOT FOUND THEN
    v_scope_id := idem_scope_id(p_scope, p_tier);
    SELECT s.tiers, (SELECT sum(t.leaves) > 32 FROM idem_tier t) INTO v_tiers, v_many
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
      (created_at, lease_until, heartbeat_at, fence, scope_id, tier, key, fingerprint, trace_id, owner)
    VALUES (v_now, v_now + v_lease_time, v_now, idem_next_fence(0), v_scope_id, p_tier, v_key, p_fingerprint,
      p_trace_id, p_owner)
    ON CONFLICT (scope_id, key) DO NOTHING
    RETURNING * INTO v_lease;

    IF FOUND THEN
      -- The tiers are read after the insert: a tier that somebody added before has then been seen.
      IF v_many THEN
        r := idem_find_record_pruned(v_scope_id, v_key, v_now, p_fingerprint);
      ELSE
        FOREACH v_tier IN ARRAY (SELECT s.tiers FROM idem_scope s WHERE s.scope_id = v_scope_id) LOOP
          PERFORM FROM idem_record c
          WHERE c.tier = v_tier AND c.expires_at > v_now AND c.scope_id = v_scope_id AND c.key = v_key;
          IF FOUND THEN
            r := idem_find_record(v_scope_id, v_key, v_now, p_fingerprint);
            EXIT;
          END IF;
        END LOOP;
      END IF;
      IF r.kind IS NOT NULL THEN  -- done since it was looked up: give the lease back
        DELETE FROM idem_lease l WHERE l.scope_id = v_scope_id AND l.key = v_key;
        RETURN r;
      END IF;
      r.kind := 'acquired';
      EXIT;
    END IF;

    SELECT * INTO v_lease FROM idem_lease l WHERE l.scope_id = v_scope_id AND l.key = v_key;
    CONTINUE WHEN NOT FOUND;  -- it ended between the two statements
    r.kind := CASE
      WHEN v_lease.fingerprint <> p_fingerprint AND NOT v_lease.reopened THEN 'mismatch'
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
      attempts = l.attempts + 1, lease_until = v_now + v_lease_time, heartbeat_at = v_now, trace_id = p_trace_id,
      fingerprint = p_fingerprint, reopened = false
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

-- Completes: the lease and its steps go, the record and its body come, at once for everybody else. May run in the application's own transaction, just before COMMIT.
-- NULL = stale.
CREATE OR REPLACE FUNCTION idem_complete(p_scope text, p_key text, p_fence bigint, p_state "char", p_status smallint,
  p_headers jsonb, p_body bytea)
RETURNS idem_completed
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  v_key bytea := idem_key_bytes(p_key);
  v_now timestamptz := clock_timestamp();
  v_lease idem_lease;
  v_tier idem_tier;
  v_effects jsonb;
  r idem_completed;
BEGIN
  DELETE FROM idem_lease l USING idem_scope s
  WHERE s.name = p_scope AND l.scope_id = s.scope_id AND l.key = v_key AND l.fence = p_fence AND l.state IN ('L', 'U')
  RETURNING l.* INTO v_lease;
  IF NOT FOUND THEN
    -- Stale, unless this very holder completed before and did not hear of it (the connection broke at COMMIT).
    RETURN idem_own_record(p_scope, v_key, v_now, p_fence);
  END IF;

  SELECT * INTO v_tier FROM idem_tier t WHERE t.tier = v_lease.tier;
  -- After a TTL was shortened, the key's expired record may lie in the same leaf. Not done by catching the unique
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

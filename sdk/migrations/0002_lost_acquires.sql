-- An acquire whose answer was lost is recognised when it is sent again
-- (docs/decisions/054-failed-effects-and-lost-answers.md).

-- Made by the caller before the statement, one for each attempt; null = an SDK from before this. Whoever takes the lease
-- over writes their own, or null.
ALTER TABLE idem_lease ADD COLUMN acquire_id uuid;

-- As before, for callers that know no such id too.
DROP FUNCTION idem_acquire(text, text, smallint, bytea, text, bigint, bytea);
CREATE FUNCTION idem_acquire(p_scope text, p_key text, p_tier smallint, p_fingerprint bytea, p_owner text,
  p_lease_ms bigint, p_trace_id bytea, p_acquire_id uuid DEFAULT NULL)
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
  SELECT s.scope_id, s.tiers, (SELECT sum(t.partitions) > 32 FROM idem_tier t) INTO v_scope_id, v_tiers, v_many
  FROM idem_scope s WHERE s.name = p_scope AND p_tier = ANY (s.tiers);
  IF NOT FOUND THEN
    v_scope_id := idem_scope_id(p_scope, p_tier);
    SELECT s.tiers, (SELECT sum(t.partitions) > 32 FROM idem_tier t) INTO v_tiers, v_many
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

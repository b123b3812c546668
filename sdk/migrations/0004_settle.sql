-- How a held key ends. Each compares the fence; zero rows = stale holder.

CREATE TYPE idem_completed AS (created_at timestamptz, expires_at timestamptz);

-- Completes in one statement: the lease and its steps go, the record and its body come. May run in the
-- application's own transaction, just before COMMIT. NULL = stale.
CREATE FUNCTION idem_complete(p_scope text, p_key text, p_fence bigint, p_state "char", p_status smallint,
  p_headers jsonb, p_body bytea)
RETURNS idem_completed
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  v_key bytea := idem_key_bytes(p_key);
  v_now timestamptz := clock_timestamp();
  v_scope idem_scope;
  v_wide boolean := EXISTS (SELECT FROM idem_tier t WHERE t.wide_until > v_now);
  r idem_completed;
BEGIN
  SELECT * INTO v_scope FROM idem_scope s WHERE s.name = p_scope;

  -- After a TTL was shortened, the key's expired record may lie in the same leaf. Not done by catching the unique
  -- violation: a subtransaction made every completion a quarter slower.
  IF v_wide THEN
    DELETE FROM idem_record c WHERE c.tier = ANY (v_scope.tiers) AND c.expires_at <= v_now
      AND c.scope_id = v_scope.scope_id AND c.key = v_key;
    DELETE FROM idem_body b WHERE b.tier = ANY (v_scope.tiers) AND b.expires_at <= v_now
      AND b.scope_id = v_scope.scope_id AND b.key = v_key;
  END IF;

  WITH lease AS (
    DELETE FROM idem_lease l
    WHERE l.scope_id = v_scope.scope_id AND l.key = v_key AND l.fence = p_fence AND l.state IN ('L', 'U')
    RETURNING l.*, v_now + (SELECT t.ttl_ms FROM idem_tier t WHERE t.tier = l.tier) * interval '1 millisecond'
      AS expires_at
  ), step AS (
    DELETE FROM idem_step s USING lease l WHERE s.scope_id = l.scope_id AND s.key = l.key RETURNING s.*
  ), record AS (
    INSERT INTO idem_record (expires_at, created_at, fence, scope_id, tier, status, attempts, state, key,
      fingerprint, trace_id)
    SELECT l.expires_at, l.created_at, l.fence, l.scope_id, l.tier, p_status, least(l.attempts, 32767), p_state,
      l.key, l.fingerprint, l.trace_id
    FROM lease l
    RETURNING created_at, expires_at
  ), effect AS (
    SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('step', s.step, 'name', s.name, 'kind', s.kind,
      'state', s.state, 'providerKey', s.provider_key, 'reference', s.reference,
      'amountMinor', s.amount_minor::text, 'currency', s.currency, 'begunAt', s.begun_at,
      'settledAt', s.settled_at)) ORDER BY s.begun_at) AS effects
    FROM step s WHERE s.kind <> 'checkpoint'
  ), body AS (
    INSERT INTO idem_body (expires_at, scope_id, tier, key, headers, body, effects)
    SELECT l.expires_at, l.scope_id, l.tier, l.key, p_headers, p_body, e.effects
    FROM lease l, effect e
    WHERE p_headers IS NOT NULL OR p_body IS NOT NULL OR e.effects IS NOT NULL
  )
  SELECT c.created_at, c.expires_at INTO r FROM record c;

  IF r.created_at IS NULL THEN
    -- Stale, unless this very holder completed before and did not hear of it (the connection broke at COMMIT).
    SELECT c.created_at, c.expires_at INTO r FROM idem_record c
    WHERE c.tier = ANY (v_scope.tiers) AND c.expires_at > v_now
      AND c.scope_id = v_scope.scope_id AND c.key = v_key AND c.fence = p_fence;
  END IF;
  RETURN r;
END
$$;

-- The request is not to be stored (validation, conflict, 401, 429): the lease is given back. With steps it stays
-- retryable, so that they are kept; with an effect of unknown end it is unknown. Returns what it became.
CREATE FUNCTION idem_give_back(p_scope text, p_key text, p_fence bigint) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  v_key bytea := idem_key_bytes(p_key);
  v_scope_id integer := (SELECT s.scope_id FROM idem_scope s WHERE s.name = p_scope);
  v_steps bigint;
  v_unsettled bigint;
BEGIN
  PERFORM FROM idem_lease l
  WHERE l.scope_id = v_scope_id AND l.key = v_key AND l.fence = p_fence AND l.state = 'L' FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'stale';
  END IF;
  SELECT count(*), count(*) FILTER (WHERE s.kind <> 'checkpoint' AND s.state IN ('B', 'U'))
  INTO v_steps, v_unsettled
  FROM idem_step s WHERE s.scope_id = v_scope_id AND s.key = v_key;
  IF v_steps = 0 THEN
    DELETE FROM idem_lease l WHERE l.scope_id = v_scope_id AND l.key = v_key AND l.fence = p_fence;
    RETURN 'absent';
  END IF;
  UPDATE idem_lease l SET state = CASE WHEN v_unsettled > 0 THEN 'U' ELSE 'R' END, lease_until = clock_timestamp()
  WHERE l.scope_id = v_scope_id AND l.key = v_key AND l.fence = p_fence;
  RETURN CASE WHEN v_unsettled > 0 THEN 'unknown' ELSE 'retryable' END;
END
$$;

-- The handler threw: retryable when no effect began (or all that began are known to have failed), else unknown.
CREATE FUNCTION idem_abandon(p_scope text, p_key text, p_fence bigint) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

-- Steps of a live key: side effects and checkpoints.

CREATE TYPE idem_begun AS (
  kind         text,     -- begun | committed (an earlier attempt did it) | stale | busy | unsettled
  reference    text,
  amount_minor bigint,
  currency     text,
  result       jsonb
);

-- Begins an effect. It changes the lease row where the fence matches, so a takeover either sees this step or wins
-- before it. 'busy': this holder has already begun it; 'unsettled': begun before without a provider key, so that
-- doing it again could do it twice.
CREATE FUNCTION idem_begin_effect(p_scope text, p_key text, p_fence bigint, p_step text, p_name text, p_kind text,
  p_provider_key text, p_lease_ms bigint)
RETURNS idem_begun
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  v_key bytea := idem_key_bytes(p_key);
  v_scope_id integer := (SELECT s.scope_id FROM idem_scope s WHERE s.name = p_scope);
  v_now timestamptz := clock_timestamp();
  v_step idem_step;
  r idem_begun;
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
    RETURN r;
  END IF;

  IF v_step.state = 'C' THEN
    r := ('committed', v_step.reference, v_step.amount_minor, v_step.currency, v_step.result);
    RETURN r;
  END IF;
  r.kind := CASE
    WHEN v_step.state = 'B' AND v_step.fence = p_fence THEN 'busy'
    WHEN v_step.state <> 'F' AND (v_step.provider_key IS NULL OR v_step.provider_key IS DISTINCT FROM p_provider_key)
      THEN 'unsettled'
    ELSE 'begun'
  END;
  IF r.kind = 'begun' THEN
    UPDATE idem_step s SET state = 'B', fence = p_fence, begun_at = v_now, settled_at = NULL, name = p_name,
      kind = p_kind, provider_key = p_provider_key, reference = NULL, amount_minor = NULL, currency = NULL,
      result = NULL
    WHERE s.scope_id = v_scope_id AND s.key = v_key AND s.step = p_step;
  END IF;
  RETURN r;
END
$$;

-- Writes an effect's end. It needs the step's own fence, not the lease's: a holder that lost the lease while the
-- provider answered still tells the truth, until another holder has begun the step anew. False = stale.
CREATE FUNCTION idem_settle_effect(p_scope text, p_key text, p_fence bigint, p_step text, p_state "char",
  p_reference text, p_amount_minor bigint, p_currency text, p_result jsonb)
RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE idem_step s SET state = p_state, settled_at = clock_timestamp(), reference = p_reference,
    amount_minor = p_amount_minor, currency = p_currency, result = p_result
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
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

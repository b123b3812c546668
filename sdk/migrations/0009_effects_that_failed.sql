-- An effect that is known to have failed is tried again under a new provider key (docs/decisions/054-failed-effects-and-lost-answers.md).

ALTER TABLE idem_step
  -- Calls that are known to have failed; each gives the next one a provider key of its own.
  ADD COLUMN failures integer NOT NULL DEFAULT 0,
  -- It was begun again while the end of an earlier call was unknown. From then on it keeps its provider key.
  ADD COLUMN in_doubt boolean NOT NULL DEFAULT false;

-- Given back with nothing but failed effects: nothing has happened, so the next request may say something else.
ALTER TABLE idem_lease ADD COLUMN reopened boolean NOT NULL DEFAULT false;

-- The provider key of a step's next call: the caller's own until a call is known to have failed, then as long a key
-- that depends on how many have.
CREATE FUNCTION idem_provider_key(p_provider_key text, p_failures integer) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_failures = 0 THEN p_provider_key
    ELSE encode(sha256(convert_to(p_provider_key || '/' || p_failures, 'UTF8')), 'hex') END
$$;

CREATE TYPE idem_started AS (
  kind         text,     -- begun | committed (an earlier attempt did it) | stale | busy | unsettled
  provider_key text,     -- to send with the call that was begun
  reference    text,
  amount_minor bigint,
  currency     text,
  result       jsonb
);

-- Begins an effect, as idem_begin_effect did (which processes of the last version still call), and says which provider
-- key to send.
CREATE FUNCTION idem_start_effect(p_scope text, p_key text, p_fence bigint, p_step text, p_name text, p_kind text,
  p_provider_key text, p_lease_ms bigint)
RETURNS idem_started
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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
CREATE OR REPLACE FUNCTION idem_settle_effect(p_scope text, p_key text, p_fence bigint, p_step text, p_state "char",
  p_reference text, p_amount_minor bigint, p_currency text, p_result jsonb)
RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

-- The request is not to be stored (validation, conflict, 401, 429): the lease is given back. With steps it stays
-- retryable, so that they are kept; with an effect of unknown end it is unknown. Returns what it became.
CREATE OR REPLACE FUNCTION idem_give_back(p_scope text, p_key text, p_fence bigint) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

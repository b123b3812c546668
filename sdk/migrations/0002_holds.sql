-- Holds: an operator stops new executions of a route, a caller, a key or the whole store, or one step of effects. They live
-- here, in the service's own database, so that they are in force while the console is down. Each process of the service
-- reads them in the background (sdk/stores/postgres/holds.ts); an acquire costs nothing more.

CREATE TABLE idem_hold (
  placed_at   timestamptz NOT NULL,
  ends_at     timestamptz NOT NULL,
  lifted_at   timestamptz,
  hold_id     text PRIMARY KEY CHECK (hold_id ~ '^[A-Za-z0-9_-]{1,64}$'),
  kind        text NOT NULL CHECK (kind IN ('store', 'route', 'caller', 'step', 'key')),
  route       text,                              -- '{METHOD} {route}'; of a step: only there, NULL = on every route
  caller      text,
  step        text,
  scope       text,                              -- of a key
  key         bytea,
  reason      text NOT NULL CHECK (length(reason) BETWEEN 10 AND 500),
  placed_by   text NOT NULL CHECK (length(placed_by) BETWEEN 1 AND 200),
  lifted_by   text,
  lift_reason text,
  CHECK (ends_at > placed_at AND ends_at <= placed_at + interval '24 hours'),
  CHECK ((lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lift_reason IS NULL)),
  CHECK (kind IN ('route', 'step') OR route IS NULL),
  CHECK ((kind = 'route') <= (route IS NOT NULL)),
  CHECK ((kind = 'caller') = (caller IS NOT NULL)),
  CHECK ((kind = 'step') = (step IS NOT NULL)),
  CHECK ((kind = 'key') = (scope IS NOT NULL) AND (kind = 'key') = (key IS NOT NULL))
);

CREATE INDEX idem_hold_in_force ON idem_hold (ends_at) WHERE lifted_at IS NULL;

-- What is in force, with the time that is left of it on this clock; NULL = nothing.
CREATE FUNCTION idem_holds() RETURNS jsonb
LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
  SELECT jsonb_agg(jsonb_build_object('kind', h.kind, 'route', h.route, 'caller', h.caller, 'step', h.step,
    'scope', h.scope, 'key', idem_key_text(h.key), 'leftMs', extract(epoch FROM h.ends_at - clock_timestamp()) * 1000))
  FROM idem_hold h WHERE h.lifted_at IS NULL AND h.ends_at > clock_timestamp()
$$;

-- Places a hold until p_ends_at, or for p_lasts_ms. Returns 'placed', also when the same one is placed again under its id, or
-- why nothing was placed: 'past', 'too_long' (24 hours at most), 'unknown_route', 'unknown_caller', 'unknown_scope' (no key
-- was ever acquired there, so it is likely misspelt), 'too_many' (in force at once), 'id_used' (by another hold).
CREATE FUNCTION idem_place_hold(p_hold_id text, p_kind text, p_reason text, p_by text, p_route text DEFAULT NULL,
  p_caller text DEFAULT NULL, p_step text DEFAULT NULL, p_scope text DEFAULT NULL, p_key text DEFAULT NULL,
  p_ends_at timestamptz DEFAULT NULL, p_lasts_ms bigint DEFAULT 1800000)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '5s' AS $$
DECLARE
  v_now timestamptz;
  v_ends_at timestamptz;
  v_key bytea := idem_key_bytes(p_key);
  v_hold idem_hold;
BEGIN
  -- One at a time, so that they can be counted.
  PERFORM pg_advisory_xact_lock(hashtextextended('idem_hold', 0));
  SELECT * INTO v_hold FROM idem_hold h WHERE h.hold_id = p_hold_id;
  IF FOUND THEN
    RETURN CASE WHEN (v_hold.kind, v_hold.route, v_hold.caller, v_hold.step, v_hold.scope, v_hold.key, v_hold.reason)
      IS NOT DISTINCT FROM (p_kind, p_route, p_caller, p_step, p_scope, v_key, p_reason) THEN 'placed' ELSE 'id_used' END;
  END IF;
  v_now := clock_timestamp();
  v_ends_at := coalesce(p_ends_at, v_now + p_lasts_ms * interval '1 millisecond');
  CASE
    WHEN v_ends_at <= v_now THEN RETURN 'past';
    WHEN v_ends_at > v_now + interval '24 hours' THEN RETURN 'too_long';
    WHEN p_route IS NOT NULL AND NOT EXISTS (
      SELECT FROM idem_scope s WHERE substr(s.name, strpos(s.name, '/') + 1) = p_route) THEN RETURN 'unknown_route';
    WHEN p_caller IS NOT NULL AND NOT EXISTS (
      SELECT FROM idem_scope s WHERE starts_with(s.name, p_caller || '/')) THEN RETURN 'unknown_caller';
    WHEN p_scope IS NOT NULL AND NOT EXISTS (
      SELECT FROM idem_scope s WHERE s.name = p_scope) THEN RETURN 'unknown_scope';
    WHEN (SELECT count(*) FROM idem_hold h WHERE h.lifted_at IS NULL AND h.ends_at > v_now) >= 500 THEN RETURN 'too_many';
    ELSE
      INSERT INTO idem_hold (placed_at, ends_at, hold_id, kind, route, caller, step, scope, key, reason, placed_by)
      VALUES (v_now, v_ends_at, p_hold_id, p_kind, p_route, p_caller, p_step, p_scope, v_key, p_reason, p_by);
      RETURN 'placed';
  END CASE;
END
$$;

-- Lifts a hold. Returns 'lifted', 'ended' when it had ended or was lifted before, or 'unknown' when there is none.
CREATE FUNCTION idem_lift_hold(p_hold_id text, p_reason text, p_by text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '5s' AS $$
BEGIN
  UPDATE idem_hold h SET lifted_at = clock_timestamp(), lifted_by = p_by, lift_reason = p_reason
  WHERE h.hold_id = p_hold_id AND h.lifted_at IS NULL AND h.ends_at > clock_timestamp();
  IF FOUND THEN
    RETURN 'lifted';
  END IF;
  RETURN CASE WHEN EXISTS (SELECT FROM idem_hold h WHERE h.hold_id = p_hold_id) THEN 'ended' ELSE 'unknown' END;
END
$$;

-- What idem_acquire would answer, without changing anything: a held key stays as its operator sees it, however often it is
-- asked for. 'held' = it would execute. Not STABLE: the record is looked up after the lease, by a later snapshot, so a
-- completion in between is seen.
CREATE FUNCTION idem_look(p_scope text, p_key text, p_fingerprint bytea) RETURNS idem_acquired
LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
  v_key bytea := idem_key_bytes(p_key);
  v_scope_id integer := (SELECT s.scope_id FROM idem_scope s WHERE s.name = p_scope);
  v_lease idem_lease;
  r idem_acquired;
BEGIN
  IF v_scope_id IS NULL THEN
    r.kind := 'held';
    RETURN r;
  END IF;
  SELECT * INTO v_lease FROM idem_lease l WHERE l.scope_id = v_scope_id AND l.key = v_key;
  IF NOT FOUND THEN
    r := idem_find_record_pruned(v_scope_id, v_key, clock_timestamp(), p_fingerprint);
    r.kind := coalesce(r.kind, 'held');
    RETURN r;
  END IF;
  r.kind := CASE
    WHEN v_lease.fingerprint <> p_fingerprint AND NOT v_lease.reopened THEN 'mismatch'
    WHEN v_lease.state = 'U' THEN 'unknown'
    WHEN v_lease.state = 'R' THEN 'held'
    WHEN v_lease.lease_until > clock_timestamp() THEN 'in_progress'
    WHEN EXISTS (
      SELECT FROM idem_step s
      WHERE s.scope_id = v_scope_id AND s.key = v_key AND s.kind <> 'checkpoint' AND s.state IN ('B', 'U')
    ) THEN 'unknown'
    ELSE 'held'
  END;
  r.state := v_lease.state;
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

-- Privileges are granted by name only (sdk/stores/grants.ts).
REVOKE ALL ON FUNCTION
  idem_place_hold(text, text, text, text, text, text, text, text, text, timestamptz, bigint),
  idem_lift_hold(text, text, text) FROM PUBLIC;

-- Whoever acquires keys must see what is held: each role that may insert leases reads holds without being granted it anew.
DO $$
DECLARE
  v_grantee oid;
BEGIN
  FOR v_grantee IN
    SELECT DISTINCT a.grantee FROM pg_class c, aclexplode(c.relacl) a
    WHERE c.oid = to_regclass('idem_lease') AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner
  LOOP
    EXECUTE format('GRANT SELECT ON idem_hold TO %s',
      CASE WHEN v_grantee = 0 THEN 'PUBLIC' ELSE v_grantee::regrole::text END);
  END LOOP;
END
$$;

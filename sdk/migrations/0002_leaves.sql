-- Leaves: one range of expiry of one tier. The SDK makes them ahead itself, so that nothing else has to run.

-- What a leaf is called: idem_record_t{tier}_{upper bound, epoch ms}.
CREATE FUNCTION idem_leaf_name(parent text, tier smallint, upper_bound timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT format('%s_t%s_%s', parent, tier, (extract(epoch FROM upper_bound) * 1000)::bigint)
$$;

CREATE FUNCTION idem_register_tier(p_name text, p_ttl_ms bigint) RETURNS smallint
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '5s' AS $$
DECLARE
  v_tier smallint;
  v_parent text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('idem_register_tier', 0));
  SELECT t.tier INTO v_tier FROM idem_tier t WHERE t.name = p_name;
  IF v_tier IS NULL THEN
    INSERT INTO idem_tier (name, ttl_ms, leaf_ms) VALUES (p_name, p_ttl_ms, p_ttl_ms / 2)
      RETURNING idem_tier.tier INTO v_tier;
    FOREACH v_parent IN ARRAY ARRAY['idem_record', 'idem_body'] LOOP
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES IN (%s) PARTITION BY RANGE (expires_at)',
        format('%s_t%s', v_parent, v_tier), v_parent, v_tier);
    END LOOP;
  ELSE
    UPDATE idem_tier t SET ttl_ms = p_ttl_ms, leaf_ms = p_ttl_ms / 2,
      wide_until = CASE WHEN p_ttl_ms < t.ttl_ms
        THEN (SELECT max(l.upper_bound) FROM idem_leaves() l WHERE l.tier = v_tier) ELSE t.wide_until END
    WHERE t.tier = v_tier AND t.ttl_ms <> p_ttl_ms;
  END IF;
  RETURN v_tier;
END
$$;

-- Leaves (schema-qualified) with their bounds, newest last. Rows are an estimate, as the planner makes it.
CREATE FUNCTION idem_leaves() RETURNS TABLE (
  leaf text, tier smallint, tier_name text, lower_bound timestamptz, upper_bound timestamptz,
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

-- Makes the leaves that a record completed from now on can fall in, with two to spare; returns until when a
-- completion finds its leaf. A leaf is built apart and then attached, which blocks neither reads nor writes.
CREATE FUNCTION idem_ensure_leaves(p_tier smallint) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT SET lock_timeout = '2s' SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
  v_tier idem_tier;
  v_now timestamptz := clock_timestamp();
  v_leaf interval;
  v_next timestamptz;
  v_upper timestamptz;
  v_parent text;
  v_name text;
BEGIN
  SELECT * INTO v_tier FROM idem_tier t WHERE t.tier = p_tier;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'idempotency tier % is not registered', p_tier USING ERRCODE = 'undefined_object';
  END IF;
  v_leaf := v_tier.leaf_ms * interval '1 millisecond';

  SELECT max(l.upper_bound) INTO v_next FROM idem_leaves() l WHERE l.tier = p_tier;
  IF v_next >= v_now + v_tier.ttl_ms * interval '1 millisecond' + v_leaf THEN
    RETURN v_next - v_tier.ttl_ms * interval '1 millisecond';
  END IF;

  -- One maker at a time; then look again, since another may have just made them.
  PERFORM pg_advisory_xact_lock(hashtextextended('idem_ensure_leaves', p_tier));
  SELECT max(l.upper_bound) INTO v_next FROM idem_leaves() l WHERE l.tier = p_tier;
  -- Ends are aligned to the epoch. The start is the last leaf's end, so that no change of the width overlaps.
  v_next := greatest(v_next, date_bin(v_leaf, v_now, 'epoch'::timestamptz));
  WHILE v_next < v_now + v_tier.ttl_ms * interval '1 millisecond' + 2 * v_leaf LOOP
    v_upper := date_bin(v_leaf, v_next, 'epoch'::timestamptz) + v_leaf;
    FOREACH v_parent IN ARRAY ARRAY['idem_record', 'idem_body'] LOOP
      v_name := idem_leaf_name(v_parent, p_tier, v_upper);
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', v_name, v_parent);
      EXECUTE format('CREATE UNIQUE INDEX ON %I (scope_id, key)', v_name);
      EXECUTE format('CREATE INDEX ON %I USING brin (expires_at)', v_name);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        format('%s_t%s', v_parent, p_tier), v_name, v_next, v_upper);
    END LOOP;
    v_next := v_upper;
  END LOOP;
  RETURN v_next - v_tier.ttl_ms * interval '1 millisecond';
END
$$;

-- The same, as the time left on the store's clock, for a caller whose clock differs.
CREATE FUNCTION idem_leaf_time_left_ms(p_tier smallint) RETURNS TABLE (left_ms double precision)
LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
  SELECT (extract(epoch FROM idem_ensure_leaves(p_tier) - clock_timestamp()) * 1000)::double precision
$$;

CREATE FUNCTION idem_find_tier(p_name text, OUT tier smallint, OUT ttl_ms bigint)
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
  SELECT t.tier, t.ttl_ms FROM idem_tier t WHERE t.name = p_name
$$;

-- Collects one leaf: drops its records and bodies, when its last record expired longer than p_safety_ms ago.
-- Behind a long reader it raises lock_not_available (55P03) within 50 ms a lock, so that no acquire queues up
-- behind it: call again later. A leaf that is not due raises 55000.
CREATE FUNCTION idem_collect_leaf(p_leaf regclass, p_safety_ms bigint)
RETURNS TABLE (rows_estimate bigint, bytes bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '50ms' AS $$
DECLARE
  v_leaf record;
  v_name text;
BEGIN
  SELECT * INTO v_leaf FROM idem_leaves() l WHERE to_regclass(l.leaf) = p_leaf;
  IF NOT FOUND THEN
    RAISE EXCEPTION '% is not a leaf of idem_record', p_leaf USING ERRCODE = 'undefined_table';
  END IF;
  IF v_leaf.upper_bound + greatest(p_safety_ms, 0) * interval '1 millisecond' >= clock_timestamp() THEN
    RAISE EXCEPTION '% may still hold live records until %', p_leaf, v_leaf.upper_bound
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  v_name := idem_leaf_name('idem_record', v_leaf.tier, v_leaf.upper_bound);
  EXECUTE format('DROP TABLE %I', v_name);
  EXECUTE format('DROP TABLE IF EXISTS %I', replace(v_name, 'idem_record_', 'idem_body_'));
  RETURN QUERY SELECT v_leaf.rows_estimate, v_leaf.bytes;
END
$$;

-- Granted by name only (sdk/stores/grants.ts).
REVOKE ALL ON FUNCTION idem_leaves() FROM PUBLIC;
REVOKE ALL ON FUNCTION idem_ensure_leaves(smallint) FROM PUBLIC;
REVOKE ALL ON FUNCTION idem_collect_leaf(regclass, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION idem_register_tier(text, bigint) FROM PUBLIC;

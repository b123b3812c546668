-- A new tier holds up no request (docs/decisions/054-failed-effects-and-lost-answers.md).

ALTER TABLE idem_tier ADD COLUMN leaves integer NOT NULL DEFAULT 0;  -- attached when they were last made or counted

-- A tier's table is built apart and then attached, as its leaves are: CREATE TABLE … PARTITION OF locks the parent
-- against every request, and behind an idle reader it would hold them all up.
CREATE OR REPLACE FUNCTION idem_register_tier(p_name text, p_ttl_ms bigint) RETURNS smallint
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '5s' AS $$
DECLARE
  v_tier smallint;
  v_parent text;
  v_table text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('idem_register_tier', 0));
  SELECT t.tier INTO v_tier FROM idem_tier t WHERE t.name = p_name;
  IF v_tier IS NULL THEN
    INSERT INTO idem_tier (name, ttl_ms, leaf_ms) VALUES (p_name, p_ttl_ms, p_ttl_ms / 2)
      RETURNING idem_tier.tier INTO v_tier;
    FOREACH v_parent IN ARRAY ARRAY['idem_record', 'idem_body'] LOOP
      v_table := format('%s_t%s', v_parent, v_tier);
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (expires_at)',
        v_table, v_parent);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', v_parent, v_table, v_tier);
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

-- As before; and counts the leaves, so that acquire knows when nobody collects them.
CREATE OR REPLACE FUNCTION idem_ensure_leaves(p_tier smallint) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT SET lock_timeout = '2s' SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
  v_tier idem_tier;
  v_now timestamptz := clock_timestamp();
  v_leaf interval;
  v_next timestamptz;
  v_upper timestamptz;
  v_leaves integer;
  v_parent text;
  v_name text;
BEGIN
  SELECT * INTO v_tier FROM idem_tier t WHERE t.tier = p_tier;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'idempotency tier % is not registered', p_tier USING ERRCODE = 'undefined_object';
  END IF;
  v_leaf := v_tier.leaf_ms * interval '1 millisecond';

  SELECT max(l.upper_bound), count(*) INTO v_next, v_leaves FROM idem_leaves() l WHERE l.tier = p_tier;
  IF v_next >= v_now + v_tier.ttl_ms * interval '1 millisecond' + v_leaf THEN
    UPDATE idem_tier t SET leaves = v_leaves WHERE t.tier = p_tier AND t.leaves <> v_leaves;
    RETURN v_next - v_tier.ttl_ms * interval '1 millisecond';
  END IF;

  -- One maker at a time; then look again, since another may have just made them.
  PERFORM pg_advisory_xact_lock(hashtextextended('idem_ensure_leaves', p_tier));
  SELECT max(l.upper_bound), count(*) INTO v_next, v_leaves FROM idem_leaves() l WHERE l.tier = p_tier;
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
    v_leaves := v_leaves + 1;
    v_next := v_upper;
  END LOOP;
  UPDATE idem_tier t SET leaves = v_leaves WHERE t.tier = p_tier;
  RETURN v_next - v_tier.ttl_ms * interval '1 millisecond';
END
$$;

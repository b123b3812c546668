-- A collection that gives way says to whom (docs/decisions/054-failed-effects-and-lost-answers.md).

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

-- As before; and the error names who is in the way.
CREATE OR REPLACE FUNCTION idem_collect_leaf(p_leaf regclass, p_safety_ms bigint)
RETURNS TABLE (rows_estimate bigint, bytes bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '50ms' AS $$
DECLARE
  v_leaf record;
  v_name text;
  v_body text;
  v_tables regclass[];
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
  v_body := idem_leaf_name('idem_body', v_leaf.tier, v_leaf.upper_bound);
  v_tables := array_remove(ARRAY[p_leaf, to_regclass(quote_ident(v_body))], NULL);
  IF NOT idem_await_holders(v_tables) THEN
    RAISE EXCEPTION '% is held by %', p_leaf, coalesce(idem_describe_holders(v_tables), 'a session that has ended since')
      USING ERRCODE = 'lock_not_available';
  END IF;

  BEGIN
    EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', 'idem_record_t' || v_leaf.tier);
    PERFORM set_config('lock_timeout', '10ms', true);
    EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', 'idem_body_t' || v_leaf.tier);
    EXECUTE format('DROP TABLE %I', v_name);
    EXECUTE format('DROP TABLE IF EXISTS %I', v_body);
  EXCEPTION WHEN lock_not_available THEN
    -- The locks are given back here; the oldest holder is the one that stays.
    RAISE EXCEPTION '% cannot be locked: its table or leaf is held by %', p_leaf, coalesce(idem_describe_holders(
        v_tables || ARRAY[to_regclass('idem_record_t' || v_leaf.tier), to_regclass('idem_body_t' || v_leaf.tier)]),
        'a session that has ended since')
      USING ERRCODE = 'lock_not_available';
  END;
  RETURN QUERY SELECT v_leaf.rows_estimate, v_leaf.bytes;
END
$$;

-- Collection beside long readers (docs/decisions/033-dropping-beside-readers.md).

-- The transactions that hold one of these tables in any mode, this one aside.
CREATE FUNCTION idem_holders(p_tables regclass[]) RETURNS text[]
LANGUAGE sql VOLATILE AS $$
  SELECT coalesce(array_agg(DISTINCT l.virtualtransaction), '{}')
  FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY (p_tables::oid[])
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    AND l.pid IS DISTINCT FROM pg_backend_pid()
$$;

-- Waits, in no queue, until those that hold one of these tables now have ended. False = one is still there.
CREATE FUNCTION idem_await_holders(p_tables regclass[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  v_holders text[] := idem_holders(p_tables);
BEGIN
  -- 400 ms: an acquire that is only slow to commit has ended by then; what is left is a reader.
  FOR turn IN 1..20 LOOP
    IF NOT v_holders && idem_holders(p_tables) THEN
      RETURN true;
    END IF;
    PERFORM pg_sleep(0.02);
  END LOOP;
  RETURN false;
END
$$;

-- Collects one leaf: drops its records and bodies, when its last record expired longer than p_safety_ms ago.
-- Behind a reader it raises lock_not_available (55P03): call again later. A leaf that is not due raises 55000.
--
-- To drop a leaf its parent is locked, and every acquire queues behind that lock. So the leaf itself is watched first
-- without any lock; then the parent of the records is waited for at most 50 ms. Who holds the parent of the bodies
-- held that of the records before, but for a reader of bodies alone: 10 ms are enough there and for the leaves.
CREATE OR REPLACE FUNCTION idem_collect_leaf(p_leaf regclass, p_safety_ms bigint)
RETURNS TABLE (rows_estimate bigint, bytes bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '50ms' AS $$
DECLARE
  v_leaf record;
  v_name text;
  v_body text;
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
  IF NOT idem_await_holders(array_remove(ARRAY[p_leaf, to_regclass(quote_ident(v_body))], NULL)) THEN
    RAISE EXCEPTION 'a reader holds %', p_leaf USING ERRCODE = 'lock_not_available';
  END IF;

  EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', 'idem_record_t' || v_leaf.tier);
  PERFORM set_config('lock_timeout', '10ms', true);
  EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', 'idem_body_t' || v_leaf.tier);
  EXECUTE format('DROP TABLE %I', v_name);
  EXECUTE format('DROP TABLE IF EXISTS %I', v_body);
  RETURN QUERY SELECT v_leaf.rows_estimate, v_leaf.bytes;
END
$$;

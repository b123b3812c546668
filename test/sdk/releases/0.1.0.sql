-- Keys in every state of a store as release 0.1.0 left it. It calls the functions of the migrations up to 0001_first.sql and
-- runs against no later ones: it stays as it is when the schema changes.
DO $$
DECLARE
  v_tier smallint := idem_register_tier('default', 3600000);
  v_scope text := 'web/POST /v1/payments';
  v_fingerprint bytea := decode(repeat('01', 16), 'hex');
  v_lease_ms bigint := 600000;
  v_key text;
  v_fence bigint;
BEGIN
  PERFORM idem_ensure_partitions(v_tier);
  FOREACH v_key IN ARRAY '{completed,held,unknown,retryable}'::text[] LOOP
    v_fence := (idem_acquire(v_scope, v_key, v_tier, v_fingerprint, 'process of 0.1.0', v_lease_ms, NULL)).fence;
    PERFORM idem_start_effect(v_scope, v_key, v_fence, 'charge', 'stripe.charge', 'http', 'pk-' || v_key, v_lease_ms);
    IF v_key <> 'unknown' THEN
      PERFORM idem_settle_effect(v_scope, v_key, v_fence, 'charge', 'C', 'ch_' || v_key, 1050, 'EUR', '{"paid":true}');
      PERFORM idem_checkpoint(v_scope, v_key, v_fence, 'booked', '{"row":1}');
    END IF;
    CASE v_key
      WHEN 'completed' THEN
        PERFORM idem_complete(v_scope, v_key, v_fence, 'C', 201::smallint, '[["content-type","application/json"]]', '{"id":1}');
      WHEN 'unknown' THEN PERFORM idem_abandon(v_scope, v_key, v_fence);
      WHEN 'retryable' THEN PERFORM idem_give_back(v_scope, v_key, v_fence);
      ELSE NULL;  -- its holder runs on while the store is upgraded
    END CASE;
  END LOOP;
END
$$;

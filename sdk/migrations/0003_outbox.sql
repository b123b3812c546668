-- The outbox: messages that commit with the service's own rows, and what its relays need to publish them. What each column
-- means is told once, in sdk/outbox/layout.ts; why it is so in docs/decisions/067-outbox.md.

CREATE SEQUENCE idem_outbox_seq;
CREATE SEQUENCE idem_outbox_fence;

-- A UUIDv7 of this database's clock: the partition of its day is one that this database has made.
CREATE FUNCTION idem_outbox_id() RETURNS uuid
LANGUAGE sql VOLATILE AS $$
  SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
    52, 1), 53, 1), 'hex')::uuid
$$;

-- Below every id that is made from then on.
CREATE FUNCTION idem_outbox_id_at(p_at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT rpad(lpad(to_hex((extract(epoch FROM p_at) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

CREATE TABLE idem_outbox (
  id         uuid        NOT NULL DEFAULT idem_outbox_id(),
  xid        xid8        NOT NULL DEFAULT pg_current_xact_id(),
  seq        bigint      NOT NULL DEFAULT nextval('idem_outbox_seq'),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  retry_at   timestamptz,
  settled_at timestamptz,
  lane       smallint    NOT NULL,
  attempts   smallint    NOT NULL DEFAULT 0,
  state      "char"      NOT NULL DEFAULT 'P',
  topic      text        NOT NULL,
  key        text,
  type       text        NOT NULL,
  headers    jsonb       NOT NULL,
  payload    bytea       NOT NULL,
  error      text,
  PRIMARY KEY (id)
) PARTITION BY RANGE (id);

-- What a relay reads: in the order of publishing within a lane. Rows leave it when they are sent, dead, or wait.
CREATE INDEX idem_outbox_pending ON idem_outbox (lane, seq) WHERE state = 'P';
-- These three hold only what has failed, and what waits behind it.
CREATE INDEX idem_outbox_blocked ON idem_outbox (lane, topic, key, seq) WHERE state IN ('R', 'W');
CREATE INDEX idem_outbox_retry ON idem_outbox (retry_at) WHERE state = 'R';
CREATE INDEX idem_outbox_dead ON idem_outbox (settled_at) WHERE state = 'D';

-- Nobody's request may fail because no partition was made ahead.
CREATE TABLE idem_outbox_default PARTITION OF idem_outbox DEFAULT;

CREATE TABLE idem_outbox_lane (
  lease_until timestamptz NOT NULL DEFAULT '-infinity',
  served_at   timestamptz NOT NULL DEFAULT '-infinity',
  fence       bigint      NOT NULL DEFAULT 0,
  lane        smallint    PRIMARY KEY,
  owner       text
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
INSERT INTO idem_outbox_lane (lane) SELECT generate_series(0, 31);

CREATE TABLE idem_outbox_relay (
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  asleep     boolean     NOT NULL DEFAULT false,
  owner      text        PRIMARY KEY
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

-- A message's lane: the same for all messages of one key of a topic, whatever the version of PostgreSQL.
CREATE FUNCTION idem_outbox_lane_of(p_topic text, p_key text) RETURNS smallint
LANGUAGE sql VOLATILE AS $$
  SELECT (CASE WHEN p_key IS NULL THEN floor(random() * 32)
    ELSE get_byte(sha256(convert_to(p_topic || chr(31) || p_key, 'UTF8')), 0) & 31 END)::smallint
$$;

-- Publishes within the caller's transaction, in the order given. NOTIFY takes a lock of the whole cluster at COMMIT, so it is
-- sent only while a relay sleeps.
CREATE FUNCTION idem_publish(p_topics text[], p_keys text[], p_types text[], p_headers jsonb[], p_payloads bytea[])
RETURNS SETOF uuid
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RETURN QUERY
    INSERT INTO idem_outbox (lane, topic, key, type, headers, payload)
    SELECT idem_outbox_lane_of(m.topic, m.key), m.topic, m.key, m.type, m.headers, m.payload
    FROM unnest(p_topics, p_keys, p_types, p_headers, p_payloads) m (topic, key, type, headers, payload)
    RETURNING idem_outbox.id;
  IF EXISTS (SELECT FROM idem_outbox_relay r WHERE r.asleep) THEN
    PERFORM pg_notify('idem_outbox', current_schema()::text);
  END IF;
END
$$;

-- Takes free lanes that have work, those served longest ago first; no row = nothing to do. The horizon is read before any row:
-- all transactions below it had ended, so what they have committed is seen.
CREATE FUNCTION idem_outbox_claim(p_owner text, p_lease_ms bigint, p_lanes integer, p_from uuid, p_floor bigint)
RETURNS TABLE (fence bigint, lanes smallint[], horizon xid8)
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
  horizon := pg_snapshot_xmin(pg_current_snapshot());
  IF EXISTS (SELECT FROM idem_outbox r WHERE r.state = 'R' AND r.retry_at <= clock_timestamp() AND r.id >= p_from) THEN
    UPDATE idem_outbox o SET state = 'P', retry_at = NULL
    FROM (
      SELECT r.id FROM idem_outbox r
      WHERE r.state = 'R' AND r.retry_at <= clock_timestamp() AND r.id >= p_from
      ORDER BY r.retry_at LIMIT 100 FOR UPDATE SKIP LOCKED
    ) due
    WHERE o.id = due.id AND o.id >= p_from AND o.state NOT IN ('P', 'W', 'S', 'D', 'X');
  END IF;

  SELECT array_agg(free.lane) INTO lanes FROM (
    SELECT l.lane FROM idem_outbox_lane l
    WHERE l.lease_until <= clock_timestamp()
      AND EXISTS (SELECT FROM idem_outbox o WHERE o.lane = l.lane AND o.state = 'P' AND o.seq > p_floor AND o.id >= p_from)
    ORDER BY l.served_at LIMIT p_lanes FOR UPDATE OF l SKIP LOCKED
  ) free;
  IF lanes IS NULL THEN
    RETURN;
  END IF;
  fence := nextval('idem_outbox_fence');
  -- A claim that a crash of the server takes back marks nothing: its messages are published once more.
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE idem_outbox_lane l SET fence = idem_outbox_claim.fence, owner = p_owner, served_at = clock_timestamp(),
    lease_until = clock_timestamp() + p_lease_ms * interval '1 millisecond'
  WHERE l.lane = ANY (lanes);
  RETURN NEXT;
END
$$;

-- The oldest messages of claimed lanes, in order within each lane. Who reads them stops in each lane at the first that is not below
-- the horizon. Messages whose key has an older one that waits are parked: each at most once until that key goes on, so nobody
-- reads past a long tail again and again. A last row without id says how many were.
CREATE FUNCTION idem_outbox_take(p_lanes smallint[], p_horizon xid8, p_batch integer, p_from uuid, p_floor bigint)
RETURNS TABLE (parked bigint, below boolean, id uuid, lane smallint, attempts smallint, topic text, key text, type text,
  headers jsonb, payload bytea, created_at timestamptz)
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  v_each integer := greatest(1, p_batch / cardinality(p_lanes));
BEGIN
  IF NOT EXISTS (
    SELECT FROM idem_outbox b WHERE b.state IN ('R', 'W') AND b.lane = ANY (p_lanes) AND b.id >= p_from) THEN
    RETURN QUERY
      SELECT NULL::bigint, o.* FROM unnest(p_lanes) l (lane) CROSS JOIN LATERAL (
        SELECT o.xid < p_horizon, o.id, o.lane, o.attempts, o.topic, o.key, o.type, o.headers, o.payload, o.created_at
        FROM idem_outbox o
        WHERE o.lane = l.lane AND o.state = 'P' AND o.seq > p_floor AND o.id >= p_from ORDER BY o.seq LIMIT v_each
      ) o;
  ELSE
    RETURN QUERY
      WITH seen AS MATERIALIZED (
        SELECT o.*, o.key IS NOT NULL AND EXISTS (
            SELECT FROM idem_outbox b WHERE b.state IN ('R', 'W') AND b.lane = o.lane AND b.topic = o.topic
              AND b.key = o.key AND b.seq < o.seq AND b.id >= p_from
          ) AS waits
        FROM unnest(p_lanes) l (lane) CROSS JOIN LATERAL (
          SELECT o.xid < p_horizon AS below, o.seq, o.id, o.lane, o.attempts, o.topic, o.key, o.type, o.headers, o.payload,
            o.created_at
          FROM idem_outbox o
          WHERE o.lane = l.lane AND o.state = 'P' AND o.seq > p_floor AND o.id >= p_from ORDER BY o.seq LIMIT v_each
        ) o
      ), waiting AS (
        UPDATE idem_outbox o SET state = 'W' FROM seen s WHERE s.waits AND o.id = s.id AND o.id >= p_from RETURNING 1
      )
      SELECT free.* FROM (
        SELECT NULL::bigint, s.below, s.id, s.lane, s.attempts, s.topic, s.key, s.type, s.headers, s.payload, s.created_at
        FROM seen s WHERE NOT s.waits ORDER BY s.seq
      ) free
      UNION ALL
      SELECT count(*), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM waiting;
  END IF;
END
$$;

-- The seq up to which nothing is to be published, now or later: what is sent leaves dead entries in the index, which nobody should
-- read again until they are vacuumed. A mark is the last seq given out at a moment, with a transaction id drawn after it (xid
-- is the column before seq: a row has its xid first). Once the horizon is beyond the mark, all up to it has been decided.
CREATE FUNCTION idem_outbox_floor(INOUT p_floor bigint, INOUT p_mark_seq bigint, INOUT p_mark_xid xid8, p_from uuid)
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  v_pending bigint;
  v_retried bigint;
  v_retries bigint;
  v_last    bigint;
BEGIN
  IF pg_snapshot_xmin(pg_current_snapshot()) < p_mark_xid THEN
    RETURN;
  END IF;
  IF p_mark_xid IS NOT NULL THEN
    -- One statement, so that another relay cannot turn a retried message into a pending one between two looks. What waits is behind
    -- one that is retried or pending.
    SELECT (
        SELECT min(f.seq) FROM idem_outbox_lane l CROSS JOIN LATERAL (
          SELECT o.seq FROM idem_outbox o
          WHERE o.lane = l.lane AND o.state = 'P' AND o.seq > p_floor AND o.id >= p_from ORDER BY o.seq LIMIT 1) f
      ), min(r.seq), count(*)
    INTO v_pending, v_retried, v_retries FROM (
      SELECT o.seq FROM idem_outbox o WHERE o.state = 'R' AND o.id >= p_from LIMIT 1001) r;
    IF v_retries <= 1000 THEN
      p_floor := greatest(p_floor, least(p_mark_seq, v_pending - 1, v_retried - 1));
    END IF;
  END IF;
  -- A sequence that nobody has drawn from says 1 too.
  SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO v_last FROM idem_outbox_seq s;
  IF p_mark_xid IS NULL OR v_last > p_mark_seq THEN
    p_mark_seq := v_last;
    -- Its own id, drawn after the seq was read. A snapshot's xmax is no mark: a transaction that is still open may be beyond it.
    p_mark_xid := pg_current_xact_id();
  END IF;
END
$$;

-- Writes what became of a claim's messages, where its lanes are still its own, and frees them. A failed message waits
-- p_retry_ms (NULL = dead). What waited behind a message that is over goes on, p_batch at a time and in order.
-- Returns how many were marked: fewer than were given = another relay has taken a lane over.
CREATE FUNCTION idem_outbox_settle(p_fence bigint, p_sent uuid[], p_failed uuid[], p_errors text[], p_retry_ms bigint[],
  p_batch integer, p_from uuid)
RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  v_lanes smallint[];
  v_marked bigint;
  v_dead bigint;
BEGIN
  SELECT array_agg(l.lane) INTO v_lanes FROM (
    SELECT l.lane FROM idem_outbox_lane l WHERE l.fence = p_fence ORDER BY l.lane FOR UPDATE
  ) l;
  IF v_lanes IS NULL THEN
    RETURN 0;
  END IF;
  -- Marks that a crash of the server takes back are published once more, as after a crash of the relay; nobody waits for its disk.
  PERFORM set_config('synchronous_commit', 'off', true);
  -- Said so, state 'P' keeps to the primary key: the index of what is pending would be read whole.
  UPDATE idem_outbox o SET state = 'S', attempts = o.attempts + 1, settled_at = clock_timestamp(), error = NULL
  WHERE o.id = ANY (p_sent) AND o.id >= p_from AND o.lane = ANY (v_lanes) AND o.state NOT IN ('R', 'W', 'S', 'D', 'X');
  GET DIAGNOSTICS v_marked = ROW_COUNT;
  IF cardinality(p_failed) > 0 THEN
    UPDATE idem_outbox o SET attempts = o.attempts + 1, error = f.error,
      state = CASE WHEN f.retry_ms IS NULL THEN 'D' ELSE 'R' END,
      settled_at = CASE WHEN f.retry_ms IS NULL THEN clock_timestamp() END,
      retry_at = clock_timestamp() + f.retry_ms * interval '1 millisecond'
    FROM unnest(p_failed, p_errors, p_retry_ms) f (id, error, retry_ms)
    WHERE o.id = f.id AND o.id >= p_from AND o.lane = ANY (v_lanes) AND o.state NOT IN ('R', 'W', 'S', 'D', 'X');
    GET DIAGNOSTICS v_dead = ROW_COUNT;
    v_marked := v_marked + v_dead;
  END IF;
  IF EXISTS (SELECT FROM idem_outbox b WHERE b.state IN ('R', 'W') AND b.lane = ANY (v_lanes) AND b.id >= p_from) THEN
    UPDATE idem_outbox o SET state = 'P'
    FROM (
      SELECT DISTINCT m.lane, m.topic, m.key FROM idem_outbox m
      WHERE m.id = ANY (p_sent || p_failed) AND m.id >= p_from AND m.lane = ANY (v_lanes) AND m.state IN ('S', 'D')
        AND m.key IS NOT NULL
    ) k CROSS JOIN LATERAL (
      SELECT w.id FROM idem_outbox w
      WHERE w.state IN ('R', 'W') AND w.state = 'W' AND w.lane = k.lane AND w.topic = k.topic AND w.key = k.key
        AND w.id >= p_from
      ORDER BY w.seq LIMIT p_batch
    ) next
    WHERE o.id = next.id AND o.id >= p_from AND NOT EXISTS (
      SELECT FROM idem_outbox r WHERE r.state IN ('R', 'W') AND r.state = 'R' AND r.lane = k.lane AND r.topic = k.topic
        AND r.key = k.key AND r.id >= p_from);
  END IF;
  UPDATE idem_outbox_lane l SET lease_until = '-infinity', owner = NULL WHERE l.fence = p_fence;
  RETURN v_marked;
END
$$;

-- The oldest transaction that has written and is open, of any database of the cluster: nothing newer is read before it ends.
-- Who it is others' rights may hide; its process and id are always seen. A prepared transaction has no process.
CREATE FUNCTION idem_outbox_holder()
RETURNS TABLE (pid integer, xid text, since timestamptz, application text, user_name text, database text, prepared text)
LANGUAGE sql VOLATILE AS $$
  SELECT l.pid, l.transactionid::text, coalesce(a.xact_start, p.prepared), nullif(a.application_name, ''),
    coalesce(a.usename, p.owner)::text, coalesce(a.datname, p.database)::text, p.gid
  FROM pg_locks l
  LEFT JOIN pg_stat_activity a ON a.pid = l.pid
  LEFT JOIN pg_prepared_xacts p ON l.pid IS NULL AND p.transaction = l.transactionid
  WHERE l.locktype = 'transactionid' AND l.granted AND l.mode = 'ExclusiveLock' AND l.pid IS DISTINCT FROM pg_backend_pid()
  ORDER BY age(l.transactionid) DESC LIMIT 1
$$;

-- Partitions of a day (UTC) with their first id, oldest first.
CREATE FUNCTION idem_outbox_partitions() RETURNS TABLE (partition regclass, lower_id uuid, ends_at timestamptz)
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
  SELECT c.oid::regclass, idem_outbox_id_at(d.day), d.day + interval '24 hours'
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  CROSS JOIN LATERAL (SELECT (substr(c.relname, 13) || ' UTC')::timestamptz AS day) d
  WHERE i.inhparent = to_regclass('idem_outbox') AND c.relname ~ '^idem_outbox_[0-9]{8}$'
  ORDER BY d.day
$$;

-- Makes the partitions of yesterday to p_days ahead. Built apart and then attached, which stops no request. A day of which the
-- default partition holds messages already is left to it.
CREATE FUNCTION idem_outbox_ensure_partitions(p_days integer DEFAULT 3) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '200ms' SET timezone = 'UTC' AS $$
DECLARE
  v_day timestamptz;
  v_name text;
  v_made integer := 0;
BEGIN
  FOR v_day IN SELECT generate_series(date_trunc('day', clock_timestamp()) - interval '1 day',
      date_trunc('day', clock_timestamp()) + p_days * interval '1 day', interval '1 day') LOOP
    v_name := 'idem_outbox_' || to_char(v_day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass(quote_ident(v_name)) IS NOT NULL;
    PERFORM pg_advisory_xact_lock(hashtextextended('idem_outbox_partitions', 0));
    CONTINUE WHEN to_regclass(quote_ident(v_name)) IS NOT NULL OR EXISTS (
      SELECT FROM idem_outbox_default o
      WHERE o.id >= idem_outbox_id_at(v_day) AND o.id < idem_outbox_id_at(v_day + interval '1 day'));
    EXECUTE format('CREATE TABLE %I (LIKE idem_outbox INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
      WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.2)', v_name);
    EXECUTE format('ALTER TABLE idem_outbox ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', v_name,
      idem_outbox_id_at(v_day), idem_outbox_id_at(v_day + interval '1 day'));
    v_made := v_made + 1;
  END LOOP;
  RETURN v_made;
END
$$;

-- Whether a partition holds messages that are not over: pending, failed, waiting, or dead where these count.
CREATE FUNCTION idem_outbox_is_open(p_partition regclass, p_dead boolean) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
  v_open boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT FROM %1$s WHERE state = ''P'') OR EXISTS (SELECT FROM %1$s WHERE state IN (''R'', ''W''))
    OR ($1 AND EXISTS (SELECT FROM %1$s WHERE state = ''D''))', p_partition) INTO v_open USING p_dead;
  RETURN v_open;
END
$$;

-- Where a relay may begin to read: nothing that is to be published has a lower id, but what a transaction of the day before
-- yesterday may still commit, which the next look finds.
CREATE FUNCTION idem_outbox_from() RETURNS uuid
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  v_from uuid := idem_outbox_id_at(clock_timestamp() - interval '24 hours');
  v_partition record;
BEGIN
  IF idem_outbox_is_open('idem_outbox_default'::regclass, false) THEN
    RETURN '00000000-0000-0000-0000-000000000000';
  END IF;
  FOR v_partition IN SELECT * FROM idem_outbox_partitions() p WHERE p.lower_id < v_from LOOP
    IF idem_outbox_is_open(v_partition.partition, false) THEN
      RETURN v_partition.lower_id;
    END IF;
  END LOOP;
  RETURN v_from;
END
$$;

-- Drops the oldest partition whose day ended longer than p_retention_ms ago and whose messages are all sent; false = there is none,
-- or a reader is in the way. One a call, since the parent stays locked until it ends. A dead message keeps its day.
CREATE FUNCTION idem_outbox_collect(p_retention_ms bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '50ms' SET enable_seqscan = off AS $$
DECLARE
  v_partition record;
  v_before timestamptz := clock_timestamp() - p_retention_ms * interval '1 millisecond';
BEGIN
  DELETE FROM idem_outbox_default o WHERE o.id IN (
    SELECT d.id FROM idem_outbox_default d WHERE d.id < idem_outbox_id_at(v_before) AND d.state IN ('S', 'X') ORDER BY d.id LIMIT 1000);
  FOR v_partition IN SELECT * FROM idem_outbox_partitions() p WHERE p.ends_at < v_before LOOP
    CONTINUE WHEN idem_outbox_is_open(v_partition.partition, true)
      OR NOT idem_await_holders(ARRAY[v_partition.partition]);
    BEGIN
      LOCK TABLE ONLY idem_outbox IN ACCESS EXCLUSIVE MODE;
      -- With its lock nobody writes there any more: what is seen now is all there is.
      EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', v_partition.partition);
      IF NOT idem_outbox_is_open(v_partition.partition, true) THEN
        EXECUTE format('DROP TABLE %s', v_partition.partition);
        RETURN true;
      END IF;
    EXCEPTION WHEN lock_not_available THEN
      NULL;
    END;
  END LOOP;
  RETURN false;
END
$$;

-- What a person looked at, to compare before a change: it changes with each attempt, and each time the message goes back.
CREATE FUNCTION idem_outbox_version(m idem_outbox) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT md5(concat_ws('|', m.xid, m.seq, m.state, m.attempts, m.settled_at))
$$;

-- Publishes a dead message once more, as it was seen: under its own id, behind what was published meanwhile. With p_payload as a
-- new message, which names the old one in its header idemscope-replaces; the old one is discarded then. The header idemscope-action
-- names the act, by which the same one is done once. Returns the id that is published; NULL = it is not as it was seen.
CREATE FUNCTION idem_outbox_redrive(p_id uuid, p_version text, p_action text, p_payload bytea DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  v_old idem_outbox;
  v_id uuid;
BEGIN
  SELECT * INTO v_old FROM idem_outbox o WHERE o.id = p_id FOR UPDATE;
  IF v_old.state <> 'D' AND v_old.headers->>'idemscope-action' = p_action THEN
    RETURN coalesce((v_old.headers->>'idemscope-replaced-by')::uuid, p_id);
  END IF;
  IF v_old.id IS NULL OR v_old.state <> 'D' OR idem_outbox_version(v_old) <> p_version THEN
    RETURN NULL;
  END IF;
  IF p_payload IS NULL THEN
    UPDATE idem_outbox o SET state = 'P', attempts = 0, seq = nextval('idem_outbox_seq'), xid = pg_current_xact_id(),
      retry_at = NULL, settled_at = NULL, headers = o.headers || jsonb_build_object('idemscope-action', p_action)
    WHERE o.id = p_id AND o.state = 'D';
    v_id := p_id;
  ELSE
    INSERT INTO idem_outbox (lane, topic, key, type, headers, payload)
    VALUES (v_old.lane, v_old.topic, v_old.key, v_old.type,
      v_old.headers || jsonb_build_object('idemscope-action', p_action, 'idemscope-replaces', p_id), p_payload)
    RETURNING id INTO v_id;
    UPDATE idem_outbox o SET state = 'X', settled_at = clock_timestamp(),
      headers = o.headers || jsonb_build_object('idemscope-action', p_action, 'idemscope-replaced-by', v_id)
    WHERE o.id = p_id AND o.state = 'D';
  END IF;
  IF EXISTS (SELECT FROM idem_outbox_relay r WHERE r.asleep) THEN
    PERFORM pg_notify('idem_outbox', current_schema()::text);
  END IF;
  RETURN v_id;
END
$$;

-- A dead message is never published: it stays to be read until its day is collected. False = it is not as it was seen.
CREATE FUNCTION idem_outbox_discard(p_id uuid, p_version text, p_action text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE idem_outbox o SET state = 'X', settled_at = clock_timestamp(),
    headers = o.headers || jsonb_build_object('idemscope-action', p_action)
  WHERE o.id = p_id AND o.state = 'D' AND idem_outbox_version(o) = p_version;
  RETURN FOUND OR EXISTS (
    SELECT FROM idem_outbox o WHERE o.id = p_id AND o.state = 'X' AND o.headers->>'idemscope-action' = p_action);
END
$$;

SELECT idem_outbox_ensure_partitions();

-- Privileges are granted by name only.
REVOKE ALL ON FUNCTION idem_outbox_ensure_partitions(integer), idem_outbox_collect(bigint),
  idem_outbox_redrive(uuid, text, text, bytea), idem_outbox_discard(uuid, text, text) FROM PUBLIC;

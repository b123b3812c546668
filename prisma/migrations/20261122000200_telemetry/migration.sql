-- Telemetry: what the spans said. Events are partitioned by day; figures are minutes recomputed from flags.
--
-- span      every accepted span, for the trace page
-- sighting  one request of a keyed route (key_hash NULL: a request without a key, counted for coverage)
-- effect    one side effect, whoever witnessed it: span, store, provider
-- key       one row a (scope, key): the lock under which flags are computed, and the facts they need
-- minute_*  roll-ups, recomputed whole from flags, never incremented
CREATE SCHEMA telemetry;

-- Leaves that intake needs are made ahead (lib/telemetry/partitions.ts). There is no default leaf: a span
-- outside the accepted horizon is rejected with its reason through partial_success, and blocks nothing.
CREATE TABLE telemetry.span (
  start_time     timestamptz NOT NULL,
  end_time       timestamptz NOT NULL,
  received_at    timestamptz NOT NULL,
  duration_ns    bigint      NOT NULL,             -- exact; timestamps keep microseconds
  start_nanos    smallint    NOT NULL,             -- nanoseconds of the start below its microsecond, 0–999
  kind           smallint    NOT NULL,             -- OTLP SpanKind: 1 internal, 2 server, 3 client, 4 producer, 5 consumer
  status_code    smallint    NOT NULL,             -- OTLP Status: 0 unset, 1 ok, 2 error
  trace_id       bytea       NOT NULL,
  span_id        bytea       NOT NULL,
  parent_span_id bytea,
  name           text        NOT NULL,
  status_message text,
  service        text        NOT NULL,
  version        text        NOT NULL,
  instance       text        NOT NULL,
  environment    text        NOT NULL,
  region         text        NOT NULL,
  attributes     jsonb       NOT NULL,             -- int64 beyond 2^53 as decimal strings
  events         jsonb,
  links          jsonb
) PARTITION BY RANGE (start_time);
CREATE UNIQUE INDEX span_identity ON telemetry.span (trace_id, span_id, start_time);

CREATE TABLE telemetry.sighting (
  time              timestamptz NOT NULL,          -- start of the request span
  end_time          timestamptz NOT NULL,
  record_created_at timestamptz,                   -- first acquire of this life of the key
  record_expires_at timestamptz,
  fence             bigint,
  attempt           integer,
  store_operations  integer     NOT NULL,
  store_errors      integer     NOT NULL,
  status_code       smallint,                      -- HTTP
  first_seen        boolean     NOT NULL,          -- no earlier sighting of the key
  duplicate         boolean     NOT NULL,          -- M1: a duplicate request by its outcome
  expired_retry     boolean     NOT NULL,          -- M5: executed though an earlier record had expired
  effect_twice      boolean     NOT NULL,          -- its trace made an effect that is a duplicate
  final             boolean     NOT NULL,          -- this request made the record terminal (M4)
  trace_id          bytea       NOT NULL,
  span_id           bytea       NOT NULL,
  key_hash          bytea CHECK (octet_length(key_hash) = 16),
  original_trace_id bytea,
  service           text        NOT NULL,
  version           text        NOT NULL,
  instance          text        NOT NULL,
  environment       text        NOT NULL,
  region            text        NOT NULL,
  scope             text        NOT NULL,          -- '{caller}/{METHOD} {route}'
  endpoint          text        NOT NULL,          -- '{METHOD} {route}'
  client            text        NOT NULL,          -- the caller part of the scope, '' when not known
  -- executed, replayed, in_progress, mismatch, waited, takeover, bypassed, stale, store_error;
  -- 'observed' = keyed, but sent without an outcome (not our SDK); 'unkeyed' = no key
  outcome           text        NOT NULL,
  record_state      text,
  owner             text
) PARTITION BY RANGE (time);
CREATE UNIQUE INDEX sighting_identity ON telemetry.sighting (time, trace_id, span_id);
CREATE INDEX sighting_key   ON telemetry.sighting (key_hash, time) WHERE key_hash IS NOT NULL;
CREATE INDEX sighting_final ON telemetry.sighting (end_time) WHERE final;

-- One row per (name, step, scope, key_hash, effect_id); later witnesses add to it. A unique index cannot span
-- leaves, so the key's row lock keeps it (every writer of effects holds telemetry.key first).
CREATE TABLE telemetry.effect (
  time           timestamptz NOT NULL,             -- best witness: the earliest span, else store, else provider
  orphan_at      timestamptz,                      -- when it was found uncovered after grace (M6); kept when healed
  amount_minor   bigint,
  time_rank      smallint    NOT NULL,             -- 1 span, 2 store, 3 provider: where `time` came from
  outcome        text        NOT NULL CHECK (outcome IN ('committed', 'unknown', 'failed', 'skipped')),
  seen_by_span     boolean   NOT NULL,
  seen_by_store    boolean   NOT NULL,
  seen_by_provider boolean   NOT NULL,
  duplicate      boolean     NOT NULL,             -- not the first committed effect of its (name, step, scope, key)
  settled        boolean     NOT NULL,             -- its key is known to have reached a terminal record of that life
  key_hash       bytea       NOT NULL CHECK (octet_length(key_hash) = 16),
  name           text        NOT NULL,
  step           text        NOT NULL,
  scope          text        NOT NULL,
  effect_id      text        NOT NULL,             -- '' = the sender named none: never called a duplicate
  kind           text,
  currency       text,
  service        text        NOT NULL,             -- '' until a span witnesses it
  version        text        NOT NULL,
  trace_ids      bytea[]     NOT NULL              -- at most 16
) PARTITION BY RANGE (time);
CREATE INDEX effect_key       ON telemetry.effect (key_hash);
CREATE INDEX effect_time      ON telemetry.effect (time);
CREATE INDEX effect_duplicate ON telemetry.effect (time, effect_id) WHERE duplicate;
CREATE INDEX effect_orphan    ON telemetry.effect (orphan_at) WHERE orphan_at IS NOT NULL;
CREATE INDEX effect_unsettled ON telemetry.effect (time) WHERE outcome = 'committed' AND NOT settled;

CREATE TABLE telemetry.key (
  first_seen_at  timestamptz NOT NULL,             -- bounds of everything known about the key: they prune leaves
  last_seen_at   timestamptz NOT NULL,
  first_sighting_at timestamptz,
  first_expiry_at   timestamptz,                   -- the earliest record expiry any sighting of it reported
  terminal_at    timestamptz,                      -- when the newest known terminal record was made, at the latest
  terminal_until timestamptz,                      -- its expiry ('infinity' when not told); NULL = none known
  key_hash       bytea       NOT NULL CHECK (octet_length(key_hash) = 16),
  scope          text        NOT NULL,
  PRIMARY KEY (key_hash, scope)
) WITH (fillfactor = 80);
CREATE INDEX key_last_seen ON telemetry.key (last_seen_at);

CREATE TABLE telemetry.minute_request (
  minute           timestamptz NOT NULL,
  requests         bigint      NOT NULL,
  store_operations bigint      NOT NULL,
  store_errors     bigint      NOT NULL,
  expired_retries  bigint      NOT NULL,
  executed_again   bigint      NOT NULL,           -- takeover, expired retry, or its effect is a duplicate
  ttl_max_ms       bigint,                         -- the longest record life reported (M5 horizon)
  service          text        NOT NULL,
  version          text        NOT NULL,
  endpoint         text        NOT NULL,
  client           text        NOT NULL,
  outcome          text        NOT NULL,           -- as in sighting; 'observed_again' = observed and not the first
  PRIMARY KEY (minute, service, version, endpoint, client, outcome)
);

-- Log buckets: bucket b holds latencies in (1.02^(b-1), 1.02^b] microseconds; its value is read as
-- 2·1.02^b/2.02, so a percentile is wrong by at most 1 %. Buckets of any minutes merge by adding counts.
CREATE TABLE telemetry.minute_latency (
  minute   timestamptz NOT NULL,                   -- of the end
  count    bigint      NOT NULL,
  bucket   smallint    NOT NULL,
  service  text        NOT NULL,
  version  text        NOT NULL,
  endpoint text        NOT NULL,
  client   text        NOT NULL,
  PRIMARY KEY (minute, service, version, endpoint, client, bucket)
);

CREATE TABLE telemetry.minute_effect (
  minute     timestamptz NOT NULL,
  committed  bigint      NOT NULL,
  duplicates bigint      NOT NULL,
  service    text        NOT NULL,
  version    text        NOT NULL,
  endpoint   text        NOT NULL,
  client     text        NOT NULL,
  name       text        NOT NULL,
  PRIMARY KEY (minute, service, version, endpoint, client, name)
);

-- What arrived, by minute of the span: tells "0" from "no data". Counted from inserted rows only, so that a
-- resend adds nothing.
CREATE TABLE telemetry.minute_intake (
  minute           timestamptz NOT NULL,
  last_received_at timestamptz NOT NULL,
  spans            bigint      NOT NULL,
  service          text        NOT NULL,
  PRIMARY KEY (minute, service)
) WITH (fillfactor = 70);

-- Append-only: intake never waits for a roll-up. A roll-up deletes the rows it saw; what is marked meanwhile stays.
CREATE TABLE telemetry.dirty_minute (
  id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  minute timestamptz NOT NULL
);
CREATE INDEX dirty_minute_minute ON telemetry.dirty_minute (minute);

-- M9: written by the collection job, read as growth and backlog.
CREATE TABLE telemetry.store_sample (
  at            timestamptz NOT NULL,
  rows          bigint      NOT NULL CHECK (rows >= 0),
  bytes         bigint      NOT NULL CHECK (bytes >= 0),
  expired_rows  bigint      NOT NULL CHECK (expired_rows >= 0),
  oldest_at     timestamptz,                       -- the oldest live record
  oldest_expired_at timestamptz,
  source_id     text        NOT NULL,
  tier          text        NOT NULL,
  PRIMARY KEY (source_id, tier, at)
);
CREATE INDEX store_sample_at ON telemetry.store_sample (at);

-- Freshness of each service.
CREATE TABLE telemetry.service (
  service          text        PRIMARY KEY,
  first_span_at    timestamptz NOT NULL,
  last_span_at     timestamptz NOT NULL,
  last_received_at timestamptz NOT NULL,
  environment      text        NOT NULL
) WITH (fillfactor = 50);

-- A version first seen is a deploy.
CREATE TABLE telemetry.deploy (
  first_seen_at timestamptz NOT NULL,
  service       text        NOT NULL,
  version       text        NOT NULL,
  environment   text        NOT NULL,
  PRIMARY KEY (service, version, environment)
);
CREATE INDEX deploy_time ON telemetry.deploy (first_seen_at);

-- Makes the day leaves (UTC) of `kind` that are missing from `first` to `last`, both included; returns how many.
-- A leaf is built aside and attached, which does not block inserts; makers of any process queue up.
CREATE FUNCTION telemetry.ensure_partitions(kind text, first date, last date) RETURNS integer
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
  day  date;
  leaf text;
  made integer := 0;
BEGIN
  IF kind NOT IN ('span', 'sighting', 'effect') THEN
    RAISE EXCEPTION 'no such kind: %', kind;
  END IF;
  IF last - first > 4000 THEN
    RAISE EXCEPTION 'more than 4000 days';
  END IF;
  FOR day IN SELECT generate_series(first, last, interval '1 day')::date LOOP
    leaf := format('%s_%s', kind, to_char(day, 'YYYYMMDD'));
    CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relnamespace = 'telemetry'::regnamespace AND relname = leaf);
    -- Asked again by a query under the lock: to_regclass would answer from a cache that the lock does not refresh.
    PERFORM pg_advisory_xact_lock(hashtextextended('telemetry.ensure_partitions', 0));
    CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relnamespace = 'telemetry'::regnamespace AND relname = leaf);
    EXECUTE format('CREATE TABLE telemetry.%I (LIKE telemetry.%I INCLUDING ALL)', leaf, kind);
    EXECUTE format('ALTER TABLE telemetry.%I ATTACH PARTITION telemetry.%I FOR VALUES FROM (%L) TO (%L)',
                   kind, leaf, day::timestamptz, (day + 1)::timestamptz);
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;

-- Drops the oldest leaf of `kind` that ends at or before `before`; returns its name, NULL when there is none.
-- One leaf a call: the caller sets lock_timeout and tries again later rather than block intake.
CREATE FUNCTION telemetry.drop_oldest_partition(kind text, before date) RETURNS text
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
  leaf text;
BEGIN
  IF kind NOT IN ('span', 'sighting', 'effect') THEN
    RAISE EXCEPTION 'no such kind: %', kind;
  END IF;
  SELECT c.relname INTO leaf
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = format('telemetry.%I', kind)::regclass
    AND c.relname ~ ('^' || kind || '_\d{8}$')
    AND c.relname < format('%s_%s', kind, to_char(before, 'YYYYMMDD'))
  ORDER BY c.relname LIMIT 1;
  IF leaf IS NOT NULL THEN
    EXECUTE format('DROP TABLE telemetry.%I', leaf);
  END IF;
  RETURN leaf;
END $$;

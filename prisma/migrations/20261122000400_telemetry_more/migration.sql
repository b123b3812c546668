-- Telemetry, second part: message deliveries (M8), log records, hours and days, late arrival, bounded dimensions.

-- One row a processing of a message by a consumer (M8).
CREATE TABLE telemetry.delivery (
  time         timestamptz NOT NULL,               -- start of the processing span
  attempt      integer,                            -- as told; NULL = not told
  first_seen   boolean     NOT NULL,               -- no earlier processing of the message by this consumer
  redelivered  boolean     NOT NULL,               -- as told by the sender, or not the first seen
  told         boolean     NOT NULL,               -- the sender itself called it a redelivery
  trace_id     bytea       NOT NULL,
  span_id      bytea       NOT NULL,
  message_hash bytea       NOT NULL CHECK (octet_length(message_hash) = 16),
  key_hash     bytea CHECK (octet_length(key_hash) = 16),
  service      text        NOT NULL,
  version      text        NOT NULL,
  destination  text        NOT NULL,
  consumer     text        NOT NULL,               -- consumer group, else the service
  message_id   text        NOT NULL
) PARTITION BY RANGE (time);
CREATE UNIQUE INDEX delivery_identity ON telemetry.delivery (time, trace_id, span_id);
CREATE INDEX delivery_message ON telemetry.delivery (message_hash, time);

-- The lock under which the flags of a message's deliveries are computed, and the bounds that prune leaves.
CREATE TABLE telemetry.message (
  first_at     timestamptz NOT NULL,
  last_at      timestamptz NOT NULL,
  message_hash bytea       PRIMARY KEY CHECK (octet_length(message_hash) = 16)
) WITH (fillfactor = 80);
CREATE INDEX message_last_at ON telemetry.message USING brin (last_at) WITH (pages_per_range = 32);

-- Log records. They have no identity of their own: `digest` is of all that was sent, and of its place among equal
-- ones of one request, so that a resend adds nothing.
CREATE TABLE telemetry.log (
  time           timestamptz NOT NULL,             -- of the event, else when it was observed
  received_at    timestamptz NOT NULL,
  severity       smallint    NOT NULL,             -- OTLP SeverityNumber, 0 = not told
  digest         bytea       NOT NULL CHECK (octet_length(digest) = 16),
  trace_id       bytea,
  span_id        bytea,
  key_hash       bytea CHECK (octet_length(key_hash) = 16),
  severity_text  text,
  event_name     text,
  service        text        NOT NULL,
  version        text        NOT NULL,
  instance       text        NOT NULL,
  environment    text        NOT NULL,
  region         text        NOT NULL,
  scope          text,                             -- of the key, where it was told
  body           jsonb,
  attributes     jsonb       NOT NULL
) PARTITION BY RANGE (time);
CREATE UNIQUE INDEX log_identity ON telemetry.log (digest, time);
CREATE INDEX log_trace ON telemetry.log (trace_id, time) WHERE trace_id IS NOT NULL;
CREATE INDEX log_key   ON telemetry.log (key_hash, time) WHERE key_hash IS NOT NULL;

CREATE TABLE telemetry.minute_delivery (
  minute       timestamptz NOT NULL,
  messages     bigint      NOT NULL,               -- first seen in this minute
  redeliveries bigint      NOT NULL,
  service      text        NOT NULL,
  version      text        NOT NULL,
  endpoint     text        NOT NULL,               -- the destination
  client       text        NOT NULL,               -- the consumer
  PRIMARY KEY (minute, service, version, endpoint, client)
);

-- With its time, so that a look-up of a key within bounds never prefers the index on time.
DROP INDEX telemetry.effect_key;
CREATE INDEX effect_key ON telemetry.effect (key_hash, time);

-- Retention alone asks for it: a summary of blocks costs intake nothing, and keeps updates of a key in their page.
DROP INDEX telemetry.key_last_seen;
CREATE INDEX key_last_seen ON telemetry.key USING brin (last_seen_at) WITH (pages_per_range = 32);

-- Late: it started more than five minutes before it came; future: it starts more than a minute after it came.
ALTER TABLE telemetry.minute_intake
  ADD COLUMN logs   bigint NOT NULL DEFAULT 0,
  ADD COLUMN late   bigint NOT NULL DEFAULT 0,
  ADD COLUMN future bigint NOT NULL DEFAULT 0;

-- Hours and days, summed anew from their minutes and hours. A reader takes an hour only when it is not dirty, in the
-- statement that reads it, so that its figures are always those of the minutes.
CREATE TABLE telemetry.hour_request  (LIKE telemetry.minute_request  INCLUDING ALL);
CREATE TABLE telemetry.hour_latency  (LIKE telemetry.minute_latency  INCLUDING ALL);
CREATE TABLE telemetry.hour_effect   (LIKE telemetry.minute_effect   INCLUDING ALL);
CREATE TABLE telemetry.hour_delivery (LIKE telemetry.minute_delivery INCLUDING ALL);
CREATE TABLE telemetry.day_request   (LIKE telemetry.minute_request  INCLUDING ALL);
CREATE TABLE telemetry.day_latency   (LIKE telemetry.minute_latency  INCLUDING ALL);
CREATE TABLE telemetry.day_effect    (LIKE telemetry.minute_effect   INCLUDING ALL);
CREATE TABLE telemetry.day_delivery  (LIKE telemetry.minute_delivery INCLUDING ALL);

-- One row for each change, appended: markers never wait for each other.
CREATE TABLE telemetry.dirty_hour (
  id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hour timestamptz NOT NULL
);
CREATE INDEX dirty_hour_hour ON telemetry.dirty_hour (hour);
CREATE TABLE telemetry.dirty_day (
  id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  day timestamptz NOT NULL
);
CREATE INDEX dirty_day_day ON telemetry.dirty_day (day);

-- What was rolled up before there were hours.
INSERT INTO telemetry.dirty_hour (hour)
SELECT DISTINCT date_bin('1 hour', minute, 'epoch') FROM (
  SELECT minute FROM telemetry.minute_request UNION SELECT minute FROM telemetry.minute_latency
  UNION SELECT minute FROM telemetry.minute_effect) m;
INSERT INTO telemetry.dirty_day (day) SELECT DISTINCT date_bin('1 day', hour, 'epoch') FROM telemetry.dirty_hour;

-- Values that figures are kept apart by, admitted in the order of their coming up to a cap: what comes after is
-- counted as '(other)', so that a sender of random routes cannot grow the roll-ups without bound.
CREATE TABLE telemetry.dimension (
  admitted_at timestamptz NOT NULL DEFAULT now(),
  kind        text        NOT NULL CHECK (kind IN ('service', 'version', 'endpoint', 'client')),
  value       text        NOT NULL,
  PRIMARY KEY (kind, value)
);

CREATE OR REPLACE FUNCTION telemetry.ensure_partitions(kind text, first date, last date) RETURNS integer
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
  day  date;
  leaf text;
  made integer := 0;
BEGIN
  IF kind NOT IN ('span', 'sighting', 'effect', 'delivery', 'log') THEN
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

CREATE OR REPLACE FUNCTION telemetry.drop_oldest_partition(kind text, before date) RETURNS text
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
  leaf text;
BEGIN
  IF kind NOT IN ('span', 'sighting', 'effect', 'delivery', 'log') THEN
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

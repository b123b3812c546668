-- The mirror: what the sources said, staged. Comparing reads only this; the sources are never joined live.
--
-- object    the newest known version of every lease, record, posting, charge and refund
-- alias     any known key, reference or object id → the operation it belongs to
-- coverage  for which spans of time a provider's listing is complete
-- cursor    where the reading of a source stands
-- cut       up to where a system has been compared
CREATE SCHEMA mirror;

-- Our insertion order, re-assigned whenever an object's content changes: the cut is a number of this sequence.
CREATE SEQUENCE mirror.seq;
CREATE SEQUENCE mirror.operation;

CREATE TABLE mirror.object (
  version        bigint      NOT NULL,             -- when it was observed, µs; a terminal record outranks any lease
  seq            bigint      NOT NULL,
  born_seq       bigint      NOT NULL,             -- the first one: orders what the source stamps with one second
  operation_id   bigint      NOT NULL,
  occurred_at    timestamptz NOT NULL,             -- the source's time: first acquire, booking, creation
  staged_at      timestamptz NOT NULL,
  gone_at        timestamptz,                      -- it vanished from its source without an end
  lease_until    timestamptz,                      -- live keys
  expires_at     timestamptz,                      -- records
  amount_minor   bigint,
  captured_minor bigint,                           -- charges
  refunded_minor bigint,                           -- charges
  http_status    smallint,                         -- records
  source_id      text        NOT NULL,
  object_id      text        NOT NULL,             -- a life of a key: scope|key|first acquire, µs
  system         text        NOT NULL,
  side           text        NOT NULL CHECK (side IN ('intent', 'ledger', 'provider', 'telemetry')),
  kind           text        NOT NULL,             -- key; charge, refund; mismatch
  status         text        NOT NULL,
  scope          text,
  key            text,
  step           text,
  reference      text,                             -- the business reference
  provider_ref   text,                             -- the provider's id that it is, or points to
  parent_ref     text,                             -- the charge of a refund; the payment intent of a charge
  currency       text,
  action_id      text,                             -- our own correction that made it
  key_hash       bytea CHECK (octet_length(key_hash) = 16),
  content_hash   bytea       NOT NULL,
  data           jsonb       NOT NULL,
  PRIMARY KEY (source_id, object_id)
) WITH (fillfactor = 85);
CREATE INDEX object_seq       ON mirror.object (system, seq);
CREATE INDEX object_operation ON mirror.object (operation_id);
CREATE INDEX object_key       ON mirror.object (key, scope) WHERE key IS NOT NULL;
CREATE INDEX object_key_hash  ON mirror.object (key_hash) WHERE key_hash IS NOT NULL;
CREATE INDEX object_occurred ON mirror.object (source_id, occurred_at);
CREATE INDEX object_provider  ON mirror.object (provider_ref) WHERE provider_ref IS NOT NULL;
-- Keys that have not ended: the stuck ones are among them, whatever their age.
CREATE INDEX object_live_key  ON mirror.object (source_id, object_id)
  WHERE side = 'intent' AND status IN ('leased', 'retryable', 'unknown') AND gone_at IS NULL;

CREATE TABLE mirror.alias (
  operation_id bigint NOT NULL,
  system       text   NOT NULL,
  alias        text   NOT NULL,                    -- 'k:' scope + key, 'p:' provider id, 'r:' business reference
  PRIMARY KEY (system, alias)
);
CREATE INDEX alias_operation ON mirror.alias (operation_id);

-- Two operations turned out to be one: the older stays. Cases of the younger are moved by the next run.
CREATE TABLE mirror.merge (
  merged_id bigint      NOT NULL,
  kept_id   bigint      NOT NULL,
  at        timestamptz NOT NULL,
  system    text        NOT NULL,
  PRIMARY KEY (system, merged_id)
);

CREATE TABLE mirror.coverage (
  source_id text        NOT NULL,
  from_at   timestamptz NOT NULL,
  to_at     timestamptz NOT NULL CHECK (to_at > from_at),
  PRIMARY KEY (source_id, from_at)
);

CREATE TABLE mirror.cursor (
  source_id  text        NOT NULL,
  feed       text        NOT NULL,                 -- records, rows, charges, refunds, events, mismatches
  position   text        NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (source_id, feed)
);

-- Operations to look at again without anything new being staged: what was pending when last compared.
CREATE TABLE mirror.pending (
  operation_id bigint      NOT NULL,
  due_at       timestamptz NOT NULL,
  system       text        NOT NULL,
  PRIMARY KEY (system, operation_id)
);

CREATE TABLE mirror.cut (
  system text        PRIMARY KEY,
  seq    bigint      NOT NULL,
  at     timestamptz NOT NULL,
  run_id text        NOT NULL
);

-- Work of a run under way: what it has to judge, and what it found. Deleted when the run ends.
CREATE TABLE mirror.candidate (
  operation_id bigint      NOT NULL,
  recheck_at   timestamptz,
  judged       boolean     NOT NULL DEFAULT false,
  run_id       text        NOT NULL,
  system       text        NOT NULL,
  PRIMARY KEY (run_id, system, operation_id)
);

CREATE TABLE mirror.finding (
  operation_id  bigint      NOT NULL,
  break_on      timestamptz NOT NULL,
  amount_minor  bigint,
  run_id        text        NOT NULL,
  system        text        NOT NULL,
  break_id      text        NOT NULL,
  aspect        text        NOT NULL,
  object_id     text        NOT NULL,
  class         text        NOT NULL,
  severity      text        NOT NULL,
  outcome       text        NOT NULL,
  scope         text,
  key           text,
  reference     text,
  currency      text,
  effect_ids    text[]      NOT NULL,
  evidence      jsonb       NOT NULL,
  evidence_hash text        NOT NULL,
  PRIMARY KEY (run_id, break_id)
);

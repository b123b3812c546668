-- The native idempotency store. It lives in the service's database, beside the service's own tables, so that
-- a record can commit in the same transaction as the application's work.
--
-- idem_lease  holds live keys only (leased, retryable, unknown): small, mutable, where stuck keys are found.
-- idem_record is insert-only and partitioned by tier, then by expiry: collecting is dropping a leaf.

CREATE TABLE idem_scope (
  scope_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- '{caller}/{METHOD} {route}'
  name     text NOT NULL UNIQUE CHECK (octet_length(name) BETWEEN 1 AND 512),
  -- Every tier this scope ever held keys in: when a route changes its tier, its old records are still found.
  tiers    smallint[] NOT NULL DEFAULT '{}'
);

-- A tier is a retention class; a route chooses one. A leaf is ttl/2 wide, so at most 3 leaves hold live records.
CREATE TABLE idem_tier (
  tier    smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name    text   NOT NULL UNIQUE CHECK (name ~ '^[a-z][a-z0-9_]{0,30}$'),
  ttl_ms  bigint NOT NULL CHECK (ttl_ms >= 1000),
  leaf_ms bigint NOT NULL CHECK (leaf_ms >= 500),
  -- After the TTL was shortened: until then leaves may be wider than the TTL, so that a key's expired record and its
  -- next one can meet in one leaf.
  wide_until timestamptz
);

-- Keys are bytes: a canonical lower-case UUID is its 16 bytes, other keys are their text; a text of exactly
-- 16 bytes gets a leading zero byte, which no key can contain, so that the two never meet.
CREATE FUNCTION idem_key_bytes(key text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE
    WHEN key ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
      THEN decode(replace(key, '-', ''), 'hex')
    WHEN octet_length(key) = 16 THEN '\x00'::bytea || convert_to(key, 'UTF8')
    ELSE convert_to(key, 'UTF8')
  END
$$;

CREATE FUNCTION idem_key_text(key bytea) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE
    WHEN octet_length(key) = 16 THEN encode(key, 'hex')::uuid::text
    WHEN octet_length(key) = 17 AND get_byte(key, 0) = 0 THEN convert_from(substr(key, 2), 'UTF8')
    ELSE convert_from(key, 'UTF8')
  END
$$;

CREATE TABLE idem_lease (
  created_at   timestamptz NOT NULL,             -- first acquire of this life of the key
  lease_until  timestamptz NOT NULL,
  heartbeat_at timestamptz NOT NULL,
  fence        bigint      NOT NULL,             -- greatest(old + 1, epoch in µs): never reused, never lower
  scope_id     integer     NOT NULL REFERENCES idem_scope,
  attempts     integer     NOT NULL DEFAULT 1,
  tier         smallint    NOT NULL,
  state        "char"      NOT NULL DEFAULT 'L' CHECK (state IN ('L', 'R', 'U')),  -- leased, retryable, unknown
  key          bytea       NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 255),
  fingerprint  bytea       NOT NULL CHECK (octet_length(fingerprint) = 16),
  trace_id     bytea       CHECK (octet_length(trace_id) = 16),
  owner        text        NOT NULL,
  step         text,                             -- the last recovery point reached
  PRIMARY KEY (scope_id, key)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

-- Checkpoints (kind 'checkpoint') and side effects of live keys. At completion the effects move to idem_body.
CREATE TABLE idem_step (
  begun_at     timestamptz NOT NULL,
  settled_at   timestamptz,
  fence        bigint      NOT NULL,             -- the holder that began it
  scope_id     integer     NOT NULL,
  state        "char"      NOT NULL CHECK (state IN ('B', 'C', 'F', 'U')),  -- begun, committed, failed, unknown
  key          bytea       NOT NULL,
  step         text        NOT NULL,
  name         text        NOT NULL,             -- effect name, e.g. 'stripe.charge'
  kind         text        NOT NULL CHECK (kind IN ('http', 'db', 'message', 'other', 'checkpoint')),
  provider_key text,                             -- the idempotency key sent to the provider; NULL = not providerKeyed
  reference    text,                             -- the provider's id of what was made
  amount_minor bigint,
  currency     text,
  result       jsonb,                            -- what the handler gets back when the step is replayed
  PRIMARY KEY (scope_id, key, step)
);

CREATE TABLE idem_record (
  expires_at  timestamptz NOT NULL,
  created_at  timestamptz NOT NULL,              -- the lease's created_at
  fence       bigint      NOT NULL,
  scope_id    integer     NOT NULL,
  tier        smallint    NOT NULL,
  status      smallint,                          -- HTTP status of the stored response
  attempts    smallint    NOT NULL,
  state       "char"      NOT NULL CHECK (state IN ('C', 'F')),  -- completed, failed final: both are replayed
  key         bytea       NOT NULL,
  fingerprint bytea       NOT NULL,
  trace_id    bytea
) PARTITION BY LIST (tier);

CREATE TABLE idem_body (
  expires_at timestamptz NOT NULL,
  scope_id   integer     NOT NULL,
  tier       smallint    NOT NULL,
  key        bytea       NOT NULL,
  headers    jsonb,                              -- allow-listed response headers
  body       bytea,
  effects    jsonb                               -- [{step, name, kind, state, providerKey, reference, amountMinor, currency, begunAt, settledAt}]
) PARTITION BY LIST (tier);

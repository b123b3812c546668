-- The console's database, from nothing.
--
--   1. The console itself (schema public): accounts, processes, sources, runs, actions, audit, locks, cases, alerts,
--      retention. prisma/schema.prisma models these tables; a test compares the two.
--   2. Telemetry (schema telemetry): what the spans said.
--   3. The mirror (schema mirror): what the sources said, staged.
--
-- Each part has its tables with their constraints and indexes, then its functions, triggers and privileges.

CREATE SCHEMA telemetry;
CREATE SCHEMA mirror;

-- ==== 1. The console itself ==================================================================================

-- ---- Accounts (better-auth) ---------------------------------------------------------------------------------

CREATE TABLE "user" (
  id             text           PRIMARY KEY,
  name           text           NOT NULL,
  email          text           NOT NULL,
  email_verified boolean        NOT NULL DEFAULT false,
  image          text,
  role           text           NOT NULL DEFAULT 'viewer'
    CONSTRAINT user_role_known CHECK (role IN ('viewer', 'operator', 'approver', 'admin')),
  banned         boolean        NOT NULL DEFAULT false,
  ban_reason     text,
  ban_expires    timestamptz(3),
  service        boolean        NOT NULL DEFAULT false,      -- owns tokens minted by the command line; cannot sign in
  -- Shown to the account's person alone, who reads it to a second administrator. NULL = nobody has to.
  confirm_code   text,
  lowered_at     timestamptz(3),                             -- when an administrator became none, the last time
  created_at     timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at     timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX user_email_key ON "user" (email);

-- Whoever lowers a role, by whatever way, cannot forget it. The change's own time is the console's clock.
CREATE FUNCTION user_note_lowering() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.lowered_at := CASE WHEN NEW.updated_at > OLD.updated_at THEN NEW.updated_at ELSE now() END;
  RETURN NEW;
END
$$;
CREATE TRIGGER user_lowered BEFORE UPDATE OF role ON "user"
  FOR EACH ROW WHEN (OLD.role = 'admin' AND NEW.role <> 'admin') EXECUTE FUNCTION user_note_lowering();

CREATE TABLE session (
  id              text           PRIMARY KEY,
  expires_at      timestamptz(3) NOT NULL,
  token           text           NOT NULL,
  ip_address      text,
  user_agent      text,
  user_id         text           NOT NULL REFERENCES "user" ON DELETE CASCADE ON UPDATE CASCADE,
  impersonated_by text,
  created_at      timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at      timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX session_token_key ON session (token);
CREATE INDEX session_user_id_idx ON session (user_id);

CREATE TABLE account (
  id                       text           PRIMARY KEY,
  account_id               text           NOT NULL,
  provider_id              text           NOT NULL,
  user_id                  text           NOT NULL REFERENCES "user" ON DELETE CASCADE ON UPDATE CASCADE,
  access_token             text,
  refresh_token            text,
  id_token                 text,
  access_token_expires_at  timestamptz(3),
  refresh_token_expires_at timestamptz(3),
  scope                    text,
  password                 text,
  created_at               timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at               timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX account_user_id_idx ON account (user_id);

CREATE TABLE verification (
  id         text           PRIMARY KEY,
  identifier text           NOT NULL,
  value      text           NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX verification_identifier_idx ON verification (identifier);

CREATE TABLE apikey (
  id                     text           PRIMARY KEY,
  config_id              text           NOT NULL DEFAULT 'default',
  name                   text,
  start                  text,
  reference_id           text           NOT NULL,
  prefix                 text,
  key                    text           NOT NULL,
  refill_interval        integer,
  refill_amount          integer,
  last_refill_at         timestamptz(3),
  enabled                boolean        NOT NULL DEFAULT true,
  rate_limit_enabled     boolean        NOT NULL DEFAULT false,
  rate_limit_time_window integer,
  rate_limit_max         integer,
  request_count          integer        NOT NULL DEFAULT 0,
  remaining              integer,
  last_request           timestamptz(3),
  expires_at             timestamptz(3),
  created_at             timestamptz(3) NOT NULL,
  updated_at             timestamptz(3) NOT NULL,
  permissions            text,
  metadata               text
);
CREATE INDEX apikey_config_id_idx ON apikey (config_id);
CREATE INDEX apikey_reference_id_idx ON apikey (reference_id);
CREATE INDEX apikey_key_idx ON apikey (key);

-- Attempts at a secret within a window; rows are pruned once it has ended.
CREATE TABLE attempt_count (
  key     text           PRIMARY KEY,
  count   integer        NOT NULL,
  ends_at timestamptz(3) NOT NULL
);
CREATE INDEX attempt_count_ends_at_idx ON attempt_count (ends_at);

-- Somebody else's hand in an account, for ever: what four_eyes_fault is computed from.
CREATE TABLE principal_link (
  id           bigserial      PRIMARY KEY,
  principal_id text           NOT NULL REFERENCES "user" ON DELETE RESTRICT ON UPDATE CASCADE,
  by_id        text           NOT NULL REFERENCES "user" ON DELETE RESTRICT ON UPDATE CASCADE,
  how          text           NOT NULL,            -- invited, minted, reset, raised, renamed, let_in, confirmed
  -- They had what signs it in, and count as it until a second administrator confirms who it is.
  holds        boolean        NOT NULL,
  at           timestamptz(3) NOT NULL,
  CONSTRAINT principal_link_of_another CHECK (principal_id <> by_id)
);
CREATE INDEX principal_link_principal_id_idx ON principal_link (principal_id);

-- A link with a secret by which a person sets their own password, once.
CREATE TABLE invitation (
  id          text           PRIMARY KEY,
  user_id     text           NOT NULL REFERENCES "user" ON DELETE RESTRICT ON UPDATE CASCADE,
  secret_hash text           NOT NULL,
  invited_by  text           REFERENCES "user" ON DELETE RESTRICT ON UPDATE CASCADE,  -- NULL = the host's command line
  created_at  timestamptz(3) NOT NULL,
  expires_at  timestamptz(3) NOT NULL,
  ended_at    timestamptz(3)                       -- used, replaced or withdrawn
);
CREATE UNIQUE INDEX invitation_secret_hash_key ON invitation (secret_hash);
CREATE INDEX invitation_user_id_idx ON invitation (user_id);

-- Everybody who can be behind an account: itself, the people who held its credentials, and anyone behind those.
CREATE FUNCTION principals_behind(account text) RETURNS TABLE (id text) LANGUAGE sql STABLE AS $$
  WITH RECURSIVE behind(id) AS (
    SELECT account
    UNION
    SELECT l.by_id FROM principal_link l JOIN behind b ON b.id = l.principal_id WHERE l.holds
  )
  SELECT behind.id FROM behind
$$;

-- Why two accounts are not proved to be two people; no row = they are. It is symmetric.
--   own      the same account
--   held     one person held what signs in both
--   changed  one of them raised, renamed, let in, invited or confirmed the other, or who is behind it
--   unowned  a token of the command line without an owner: it may be any administrator's, or of somebody who was one
--            when it was made, or since
CREATE FUNCTION four_eyes_fault(one text, other text)
RETURNS TABLE (reason text, person text) LANGUAGE sql STABLE AS $$
  WITH behind_one AS (SELECT b.id FROM principals_behind(one) b),
       behind_other AS (SELECT b.id FROM principals_behind(other) b),
       fault(rank, reason, person) AS (
    SELECT 1, 'own', one WHERE one = other
    UNION ALL
    SELECT 2, 'held', b.id FROM behind_one b JOIN behind_other USING (id)
    UNION ALL
    SELECT 3, 'changed', l.by_id FROM principal_link l
    WHERE (l.by_id = one AND l.principal_id IN (SELECT b.id FROM behind_other b))
       OR (l.by_id = other AND l.principal_id IN (SELECT b.id FROM behind_one b))
    UNION ALL
    SELECT 4, 'unowned', a.id FROM "user" s, "user" a
    WHERE s.service AND (a.role = 'admin' OR a.lowered_at >= s.created_at)
      AND ((s.id = one AND a.id IN (SELECT b.id FROM behind_other b))
        OR (s.id = other AND a.id IN (SELECT b.id FROM behind_one b)))
      AND NOT EXISTS (SELECT FROM principal_link l WHERE l.principal_id = s.id AND l.how = 'minted')
  )
  SELECT f.reason, f.person FROM fault f ORDER BY f.rank, f.person LIMIT 1
$$;

-- ---- Processes, settings, sources ---------------------------------------------------------------------------

-- A row for each running process, refreshed every few seconds: what /readyz reads.
CREATE TABLE process_heartbeat (
  id         text           PRIMARY KEY,
  kind       text           NOT NULL,
  pid        integer        NOT NULL,
  started_at timestamptz(3) NOT NULL,
  seen_at    timestamptz(3) NOT NULL,
  detail     jsonb          NOT NULL DEFAULT '{}'
);
CREATE INDEX process_heartbeat_kind_seen_at_idx ON process_heartbeat (kind, seen_at);

CREATE TABLE setting (
  key        text           PRIMARY KEY,
  value      jsonb          NOT NULL,
  version    integer        NOT NULL DEFAULT 1,
  updated_at timestamptz(3) NOT NULL,
  updated_by text           NOT NULL
);

-- A store, ledger or provider that the console reads.
CREATE TABLE source (
  id            text           PRIMARY KEY,
  kind          text           NOT NULL,
  adapter       text           NOT NULL,
  name          text           NOT NULL,
  system        text           NOT NULL,           -- sources that are reconciled with each other share it
  config        jsonb          NOT NULL,           -- without secrets
  secret        bytea,                             -- sealed
  enabled       boolean        NOT NULL DEFAULT true,
  created_at    timestamptz(3) NOT NULL,
  last_ok_at    timestamptz(3),
  last_error_at timestamptz(3),
  last_error    text,
  capabilities  jsonb          NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX source_name_key ON source (name);
CREATE INDEX source_system_idx ON source (system);

-- ---- Runs ---------------------------------------------------------------------------------------------------

CREATE TABLE run (
  id                  text             PRIMARY KEY,
  kind                text             NOT NULL,
  state               text             NOT NULL DEFAULT 'queued'
    CONSTRAINT run_state_known CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  outcome             text,
  dry_run             boolean          NOT NULL DEFAULT false,
  params              jsonb            NOT NULL DEFAULT '{}',
  checkpoint          jsonb            NOT NULL DEFAULT '{}',
  progress            double precision NOT NULL DEFAULT 0,
  counts              jsonb            NOT NULL DEFAULT '{}',
  error               text,
  requested_by        text             NOT NULL,
  request_id          text,
  fence               bigint           NOT NULL DEFAULT 0,
  owner               text,
  lease_until         timestamptz(3),
  cancel_requested_at timestamptz(3),
  created_at          timestamptz(3)   NOT NULL DEFAULT CURRENT_TIMESTAMP,
  started_at          timestamptz(3),
  finished_at         timestamptz(3)
);
CREATE INDEX run_created_at_id_idx ON run (created_at DESC, id);
CREATE INDEX run_kind_created_at_idx ON run (kind, created_at DESC);
CREATE INDEX run_state_lease_until_idx ON run (state, lease_until);

CREATE TABLE run_log (
  id      bigserial      PRIMARY KEY,
  run_id  text           NOT NULL REFERENCES run ON DELETE CASCADE ON UPDATE CASCADE,
  at      timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  level   text           NOT NULL,
  message text           NOT NULL,
  data    jsonb          NOT NULL DEFAULT '{}'
);
CREATE INDEX run_log_run_id_id_idx ON run_log (run_id, id);

-- ---- Actions ------------------------------------------------------------------------------------------------

-- Every change that the console makes to the outside: releases, completions, corrections.
CREATE TABLE action (
  id            text           PRIMARY KEY,
  kind          text           NOT NULL,
  state         text           NOT NULL CONSTRAINT action_state_known CHECK (state IN
    ('proposed', 'approved', 'executing', 'unknown', 'done', 'refused', 'failed', 'rejected', 'expired')),
  source_id     text,
  case_id       text,
  run_id        text,
  scope         text,
  key           text,
  provider      text,                              -- what it acts on at the provider
  charge        text,
  amount_minor  bigint,
  currency      text,
  params        jsonb          NOT NULL DEFAULT '{}',
  seen          jsonb          NOT NULL DEFAULT '{}',  -- observed when it was decided: the compare-and-set's left side
  evidence      jsonb          NOT NULL DEFAULT '{}',
  evidence_hash text,
  reason        text           NOT NULL,
  result        jsonb          NOT NULL DEFAULT '{}',
  proposer_id   text           REFERENCES "user" ON DELETE SET NULL ON UPDATE CASCADE,
  approver_id   text           REFERENCES "user" ON DELETE SET NULL ON UPDATE CASCADE,
  request_id    text,
  supersedes_id text,
  version       integer        NOT NULL DEFAULT 1,
  created_at    timestamptz(3) NOT NULL,
  approved_at   timestamptz(3),
  expires_at    timestamptz(3),                    -- an approval is good for 15 minutes
  executed_at   timestamptz(3),
  finished_at   timestamptz(3),
  -- Four eyes: whoever proposes cannot approve, whatever the code does.
  CONSTRAINT action_four_eyes CHECK (proposer_id <> approver_id)
);
CREATE UNIQUE INDEX action_supersedes_id_key ON action (supersedes_id);
CREATE INDEX action_created_at_id_idx ON action (created_at DESC, id);
CREATE INDEX action_case_id_idx ON action (case_id);
CREATE INDEX action_state_created_at_idx ON action (state, created_at);
CREATE INDEX action_source_id_scope_key_idx ON action (source_id, scope, key);
-- Money may be moving for one correction of a charge at a time. An index, not a lock held over a call.
CREATE UNIQUE INDEX action_one_in_flight ON action (provider, charge)
  WHERE state IN ('executing', 'unknown') AND provider IS NOT NULL;

-- A snapshot of a selection: ids and the versions that were seen. What arrives later is untouched.
CREATE TABLE snapshot (
  id         text           PRIMARY KEY,
  verb       text           NOT NULL,
  filter     jsonb          NOT NULL,
  items      jsonb          NOT NULL,
  preview    jsonb          NOT NULL,
  created_by text           NOT NULL,
  created_at timestamptz(3) NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  used_by    text
);

-- Four eyes are two people, whatever the code does.
CREATE FUNCTION action_refuse_one_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM four_eyes_fault(NEW.proposer_id, NEW.approver_id)) THEN
    RAISE EXCEPTION 'action_four_eyes: proposer and approver are not proved to be two people'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER action_two_people BEFORE INSERT OR UPDATE OF proposer_id, approver_id ON action
  FOR EACH ROW WHEN (NEW.approver_id IS NOT NULL) EXECUTE FUNCTION action_refuse_one_person();

-- ---- Audit: append-only, chained by one sealer after commit -------------------------------------------------

CREATE TABLE audit_entry (
  id         bigserial      PRIMARY KEY,
  at         timestamptz(3) NOT NULL,
  actor      text           NOT NULL,
  actor_id   text,
  via        text           NOT NULL,
  verb       text           NOT NULL,
  subject    text           NOT NULL,
  outcome    text           NOT NULL,
  reason     text,
  before     jsonb,
  after      jsonb,
  request_id text
);
CREATE INDEX audit_entry_at_id_idx ON audit_entry (at DESC, id);
CREATE INDEX audit_entry_subject_idx ON audit_entry (subject);

CREATE TABLE audit_seal (
  seq       bigint         PRIMARY KEY,
  entry_id  bigint         NOT NULL REFERENCES audit_entry ON DELETE RESTRICT ON UPDATE CASCADE,
  prev_hash bytea          NOT NULL,
  hash      bytea          NOT NULL,
  sealed_at timestamptz(3) NOT NULL
);
CREATE UNIQUE INDEX audit_seal_entry_id_key ON audit_seal (entry_id);

-- Committed and not chained yet: written by a trigger of audit_entry, in the entry's own transaction.
CREATE TABLE audit_unsealed (
  entry_id bigint PRIMARY KEY
);

-- The chain's head as it was, signed with a key that the database does not hold.
CREATE TABLE audit_head (
  seq       bigint         PRIMARY KEY,
  hash      bytea          NOT NULL,
  key_id    text           NOT NULL,
  signature bytea          NOT NULL,
  signed_at timestamptz(3) NOT NULL
);

-- Refuses every change of what was written, also for whoever holds the rights.
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;

-- Entries commit out of the order of their ids. Each notes itself in its own transaction, so that it is seen when it
-- commits, however many younger ones were sealed before.
CREATE FUNCTION audit_note_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_unsealed (entry_id) VALUES (NEW.id);
  RETURN NULL;
END
$$;

CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
  FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_seal_append_only BEFORE UPDATE OR DELETE ON audit_seal
  FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_seal_no_truncate BEFORE TRUNCATE ON audit_seal
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_head_append_only BEFORE UPDATE OR DELETE ON audit_head
  FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_head
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_entry_unsealed AFTER INSERT ON audit_entry
  FOR EACH ROW EXECUTE FUNCTION audit_note_unsealed();

-- No rights to change it for the role that runs this; lib/audit/owner.ts takes the tables from it altogether.
REVOKE UPDATE, DELETE, TRUNCATE ON audit_entry, audit_seal, audit_head FROM CURRENT_USER;
-- The foreign key of a seal locks its entry, for which PostgreSQL wants the right to update a column.
GRANT UPDATE (id) ON audit_entry TO CURRENT_USER;

-- ---- Locks and cases ----------------------------------------------------------------------------------------

-- The last check of every live lease: evidence and verdict.
CREATE TABLE lock (
  id              text           PRIMARY KEY,
  source_id       text           NOT NULL,
  scope           text           NOT NULL,
  key             text           NOT NULL,
  state           text           NOT NULL,
  version         text           NOT NULL,
  fence           bigint         NOT NULL,
  attempts        integer        NOT NULL,
  tier            text,
  holder          text           NOT NULL,
  step            text,
  trace_id        text,
  acquired_at     timestamptz(6) NOT NULL,
  lease_until     timestamptz(6) NOT NULL,
  heartbeat_at    timestamptz(6) NOT NULL,
  verdict         text           NOT NULL,
  verdict_reason  text           NOT NULL,
  provider_answer jsonb          NOT NULL,
  checked_at      timestamptz(3) NOT NULL,
  -- Since when, by the store's own clock, the store has had the lock exactly as it is: a lease whose stamps lie in the
  -- future says nothing of time, so its holder is watched instead.
  unchanged_since timestamptz(3),
  gone_at         timestamptz(3)
);
CREATE INDEX lock_gone_at_acquired_at_id_idx ON lock (gone_at, acquired_at, id);
CREATE UNIQUE INDEX lock_source_id_scope_key_acquired_at_key ON lock (source_id, scope, key, acquired_at);

-- The last check of each store's locks.
CREATE TABLE lock_check (
  source_id  text           PRIMARY KEY,
  checked_at timestamptz(3) NOT NULL,
  listed     integer        NOT NULL,
  more       boolean        NOT NULL                        -- than were listed
);

CREATE TABLE reconciliation_case (
  id            text           PRIMARY KEY,
  break_id      text           NOT NULL,
  system        text           NOT NULL,
  operation_id  bigint         NOT NULL,
  aspect        text           NOT NULL,
  object_id     text           NOT NULL,
  class         text           NOT NULL,
  severity      text           NOT NULL,
  outcome       text           NOT NULL,
  lifecycle     text           NOT NULL,
  triage        text           NOT NULL DEFAULT 'open',
  owner_id      text,
  snoozed_until timestamptz(3),
  scope         text,
  key           text,
  effect_ids    text[],
  reference     text,
  amount_minor  bigint,
  currency      text,
  evidence      jsonb          NOT NULL,
  evidence_hash text           NOT NULL,
  version       integer        NOT NULL DEFAULT 1,
  first_run_id  text,
  last_run_id   text,
  first_seen    timestamptz(3) NOT NULL,
  last_seen     timestamptz(3) NOT NULL,
  break_on      timestamptz(3),
  resolved_at   timestamptz(3),
  resolution    text,
  CONSTRAINT case_lifecycle_known CHECK
    (lifecycle IN ('new', 'persisting', 'resolved', 'reopened') AND outcome IN ('pending', 'break')
     AND triage IN ('open', 'acknowledged', 'assigned', 'snoozed'))
);
CREATE UNIQUE INDEX reconciliation_case_break_id_key ON reconciliation_case (break_id);
CREATE INDEX reconciliation_case_first_seen_id_idx ON reconciliation_case (first_seen DESC, id);
CREATE INDEX reconciliation_case_lifecycle_class_idx ON reconciliation_case (lifecycle, class);
CREATE INDEX reconciliation_case_operation_id_idx ON reconciliation_case (operation_id);
CREATE INDEX reconciliation_case_scope_key_idx ON reconciliation_case (scope, key);

-- History and comments of a case.
CREATE TABLE case_event (
  id      bigserial      PRIMARY KEY,
  case_id text           NOT NULL REFERENCES reconciliation_case ON DELETE CASCADE ON UPDATE CASCADE,
  at      timestamptz(3) NOT NULL,
  kind    text           NOT NULL,
  actor   text           NOT NULL,
  data    jsonb          NOT NULL DEFAULT '{}'
);
CREATE INDEX case_event_case_id_id_idx ON case_event (case_id, id);
CREATE INDEX case_event_at_id_idx ON case_event (at, id);      -- reports of a run and of a day

-- ---- Conditions and alerts ----------------------------------------------------------------------------------

-- What holds now: objective breaches, case flood, stale sources.
CREATE TABLE condition (
  id         text           PRIMARY KEY,
  kind       text           NOT NULL,
  subject    text           NOT NULL,
  state      text           NOT NULL,
  since      timestamptz(3) NOT NULL,
  detail     jsonb          NOT NULL DEFAULT '{}',
  checked_at timestamptz(3) NOT NULL,
  cleared_at timestamptz(3)
);
CREATE UNIQUE INDEX condition_kind_subject_key ON condition (kind, subject);

-- One time that a condition held, from raised to cleared.
CREATE TABLE alert_episode (
  id         text           PRIMARY KEY,
  kind       text           NOT NULL,
  subject    text           NOT NULL,
  since      timestamptz(3) NOT NULL,
  cleared_at timestamptz(3),
  detail     jsonb          NOT NULL DEFAULT '{}'  -- its figures when it was raised, and once it has cleared the last ones
);
CREATE INDEX alert_episode_since_id_idx ON alert_episode (since DESC, id);
-- A condition holds at most once at a time.
CREATE UNIQUE INDEX alert_episode_open ON alert_episode (kind, subject) WHERE cleared_at IS NULL;

-- Alerts that match it are evaluated as ever and not notified. It starts later = a maintenance window.
CREATE TABLE silence (
  id             text           PRIMARY KEY,
  kind           text,
  subject        text,
  prefix         boolean        NOT NULL,          -- the subject begins with it, rather than is it
  environment    text,
  starts_at      timestamptz(3) NOT NULL,
  ends_at        timestamptz(3) NOT NULL,
  reason         text           NOT NULL,
  created_by     text           NOT NULL,
  created_at     timestamptz(3) NOT NULL,
  expired_at     timestamptz(3),
  expired_by     text,
  expired_reason text,
  CONSTRAINT silence_bounds CHECK (ends_at > starts_at AND (kind IS NOT NULL OR subject IS NOT NULL))
);
CREATE INDEX silence_ends_at_id_idx ON silence (ends_at DESC, id);

-- Who is told.
CREATE TABLE receiver (
  id         text           PRIMARY KEY,
  kind       text           NOT NULL CONSTRAINT receiver_kind_known CHECK (kind = 'webhook'),
  name       text           NOT NULL,
  host       text           NOT NULL,              -- all of the URL that is shown
  secret     bytea          NOT NULL,              -- the sealed URL
  paging     boolean        NOT NULL,              -- it wakes somebody: what it delivers of duplicates counts for M10
  created_by text           NOT NULL,
  created_at timestamptz(3) NOT NULL,
  removed_at timestamptz(3)
);
-- Two receivers in use never have one name.
CREATE UNIQUE INDEX receiver_name_in_use ON receiver (name) WHERE removed_at IS NULL;

-- One transition of one episode for one receiver: sent once, tried several times.
CREATE TABLE notification (
  id          text           PRIMARY KEY,
  episode_id  text           NOT NULL REFERENCES alert_episode ON DELETE CASCADE ON UPDATE CASCADE,
  receiver_id text           NOT NULL REFERENCES receiver ON DELETE RESTRICT ON UPDATE CASCADE,
  transition  text           NOT NULL,
  state       text           NOT NULL,
  paging      boolean        NOT NULL,             -- as its receiver was when it was planned
  attempts    integer        NOT NULL DEFAULT 0,
  due_at      timestamptz(3) NOT NULL,             -- when it may be tried; while somebody tries, when another may
  result      jsonb          NOT NULL DEFAULT '{}',
  created_at  timestamptz(3) NOT NULL,
  finished_at timestamptz(3),
  CONSTRAINT notification_known
    CHECK (transition IN ('raised', 'cleared') AND state IN ('waiting', 'delivered', 'failed', 'silenced'))
);
CREATE UNIQUE INDEX notification_episode_id_transition_receiver_id_key
  ON notification (episode_id, transition, receiver_id);
CREATE INDEX notification_state_due_at_idx ON notification (state, due_at);

-- Several modules raise and clear conditions; each time that one holds is kept here, whoever wrote it.
CREATE FUNCTION keep_alert_episode() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state = 'firing' AND (TG_OP = 'INSERT' OR OLD.state <> 'firing') THEN
    INSERT INTO alert_episode (id, kind, subject, since, detail)
    VALUES ('alr_' || replace(gen_random_uuid()::text, '-', ''), NEW.kind, NEW.subject, NEW.since, NEW.detail);
  ELSIF TG_OP = 'UPDATE' AND NEW.state <> 'firing' AND OLD.state = 'firing' THEN
    UPDATE alert_episode SET cleared_at = NEW.cleared_at, detail = OLD.detail
    WHERE kind = NEW.kind AND subject = NEW.subject AND cleared_at IS NULL;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER condition_keeps_episodes AFTER INSERT OR UPDATE ON condition
  FOR EACH ROW EXECUTE FUNCTION keep_alert_episode();

-- ---- Retention ----------------------------------------------------------------------------------------------

-- What two people agreed on. '' = all tiers, all endpoints.
CREATE TABLE retention_policy (
  id         text           PRIMARY KEY,
  source_id  text           NOT NULL,
  tier       text           NOT NULL DEFAULT '',
  endpoint   text           NOT NULL DEFAULT '',
  ttl_ms     bigint,                               -- NULL = the store's own expiry
  safety_ms  bigint         NOT NULL,
  archive    boolean        NOT NULL,
  exception  text,                                 -- why it may collect rows that can still be replayed; NULL = it may not
  action_id  text           NOT NULL,
  version    integer        NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL,
  CONSTRAINT retention_policy_bounds CHECK (safety_ms >= 0 AND (ttl_ms IS NULL OR ttl_ms >= 1000))
);
CREATE UNIQUE INDEX retention_policy_source_id_tier_endpoint_key ON retention_policy (source_id, tier, endpoint);

-- One collection of one source: the marks on the storage page.
CREATE TABLE collection_mark (
  id         text           PRIMARY KEY,
  source_id  text           NOT NULL,
  run_id     text           NOT NULL,
  at         timestamptz(3) NOT NULL,
  mode       text           NOT NULL,
  rows       bigint         NOT NULL,
  bytes      bigint         NOT NULL,
  unfinished integer        NOT NULL,
  archives   integer        NOT NULL
);
CREATE INDEX collection_mark_source_id_at_idx ON collection_mark (source_id, at);
CREATE UNIQUE INDEX collection_mark_source_id_run_id_key ON collection_mark (source_id, run_id);

-- A file of collected keys, written and checked before they were collected.
CREATE TABLE archive (
  id           text           PRIMARY KEY,
  source_id    text           NOT NULL,
  run_id       text           NOT NULL,
  at           timestamptz(3) NOT NULL,
  file         text           NOT NULL,
  rows         integer        NOT NULL,
  bytes        bigint         NOT NULL,
  sha256       text           NOT NULL,
  collected_at timestamptz(3)
);
CREATE INDEX archive_source_id_at_idx ON archive (source_id, at);

-- ==== 2. Telemetry: what the spans said ======================================================================
--
-- span      every accepted span, for the trace page
-- keyed request  one request of a keyed route (key_hash NULL: a request without a key, counted for coverage)
-- effect    one side effect, whoever observed it: span, store, provider
-- delivery  one processing of a message by a consumer
-- log       log records
-- key       one row a (scope, key): the lock under which flags are computed, and the facts they need
-- minute_*  roll-ups, recomputed whole from flags, never incremented; hour_* and day_* are summed from them
--
-- span, keyed request, effect, delivery and log are partitioned by day. Partitions that intake needs are made ahead
-- (lib/telemetry/partitions.ts). There is no default partition: a span outside the accepted horizon is rejected with its
-- reason through partial_success, and blocks nothing.

-- ---- Events -------------------------------------------------------------------------------------------------

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
-- The two sides of one call may share an id (Zipkin's shared spans) and even a start: the kind tells them apart.
CREATE UNIQUE INDEX span_identity ON telemetry.span (trace_id, span_id, start_time, kind);

CREATE TABLE telemetry.keyed_request (
  time              timestamptz NOT NULL,          -- start of the request span
  end_time          timestamptz NOT NULL,
  record_created_at timestamptz,                   -- first acquire of this life of the key
  record_expires_at timestamptz,
  fence             bigint,
  attempt           integer,
  store_operations  integer     NOT NULL,
  store_errors      integer     NOT NULL,
  status_code       smallint,                      -- HTTP
  first_seen        boolean     NOT NULL,          -- no earlier request with the key
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
CREATE UNIQUE INDEX keyed_request_identity ON telemetry.keyed_request (time, trace_id, span_id);
CREATE INDEX keyed_request_key   ON telemetry.keyed_request (key_hash, time) WHERE key_hash IS NOT NULL;
CREATE INDEX keyed_request_final ON telemetry.keyed_request (end_time) WHERE final;
-- The trace list: failed before slow before fast, whatever the window holds (lib/telemetry/read/list-traces.ts,
-- docs/decisions/021-reads-that-do-not-grow.md).
CREATE INDEX keyed_request_worst ON telemetry.keyed_request (
  (coalesce(status_code, 0) >= 500 OR outcome IN ('stale', 'store_error', 'bypassed') OR effect_twice),
  (end_time - time), span_id
) WHERE key_hash IS NOT NULL;
-- What is not ordinary is rare: it is counted without reading its rows, and listed without reading the rest.
CREATE INDEX keyed_request_notable ON telemetry.keyed_request (outcome, time, span_id) INCLUDE (expired_retry, effect_twice)
  WHERE key_hash IS NOT NULL AND (outcome NOT IN ('executed', 'replayed') OR expired_retry OR effect_twice);
-- The list of one rare outcome, the worst first.
CREATE INDEX keyed_request_notable_worst ON telemetry.keyed_request (outcome,
  (coalesce(status_code, 0) >= 500 OR outcome IN ('stale', 'store_error', 'bypassed') OR effect_twice),
  (end_time - time), span_id)
  WHERE key_hash IS NOT NULL AND (outcome NOT IN ('executed', 'replayed') OR expired_retry OR effect_twice);

-- One row per (name, step, scope, key_hash, effect_id); later observations add to it. A unique index cannot span
-- partitions, so the key's row lock keeps it (every writer of effects holds telemetry.key first).
CREATE TABLE telemetry.effect (
  time           timestamptz NOT NULL,             -- best observation: the earliest span, else store, else provider
  orphan_at      timestamptz,                      -- when it was found uncovered after grace (M6); kept if covered later
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
  service        text        NOT NULL,             -- '' until a span observes it
  version        text        NOT NULL,
  trace_ids      bytea[]     NOT NULL              -- at most 16
) PARTITION BY RANGE (time);
-- With its time, so that a look-up of a key within bounds never prefers the index on time.
CREATE INDEX effect_key       ON telemetry.effect (key_hash, time);
CREATE INDEX effect_time      ON telemetry.effect (time);
CREATE INDEX effect_duplicate ON telemetry.effect (time, effect_id) WHERE duplicate;
CREATE INDEX effect_orphan    ON telemetry.effect (orphan_at) WHERE orphan_at IS NOT NULL;
CREATE INDEX effect_unsettled ON telemetry.effect (time) WHERE outcome = 'committed' AND NOT settled;

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

-- ---- Keys and messages: locks, and bounds that prune partitions ----------------------------------------------

CREATE TABLE telemetry.key (
  first_seen_at  timestamptz NOT NULL,             -- bounds of everything known about the key: they prune partitions
  last_seen_at   timestamptz NOT NULL,
  first_request_at timestamptz,
  first_expiry_at   timestamptz,                   -- the earliest record expiry any request with it reported
  terminal_at    timestamptz,                      -- when the newest known terminal record was made, at the latest
  terminal_until timestamptz,                      -- its expiry ('infinity' when not told); NULL = none known
  key_hash       bytea       NOT NULL CHECK (octet_length(key_hash) = 16),
  scope          text        NOT NULL,
  -- true: an effect of the key was found there twice, so the flags of its requests need a look at its effects. Never
  -- taken back: then the look finds nothing. NULL takes no room in a row.
  effect_twice   boolean,
  PRIMARY KEY (key_hash, scope)
) WITH (fillfactor = 80);
-- Retention alone asks for it: a summary of blocks costs intake nothing, and keeps updates of a key in their page.
CREATE INDEX key_last_seen ON telemetry.key USING brin (last_seen_at) WITH (pages_per_range = 32);

-- The lock under which the flags of a message's deliveries are computed.
CREATE TABLE telemetry.message (
  first_at     timestamptz NOT NULL,
  last_at      timestamptz NOT NULL,
  message_hash bytea       PRIMARY KEY CHECK (octet_length(message_hash) = 16)
) WITH (fillfactor = 80);
CREATE INDEX message_last_at ON telemetry.message USING brin (last_at) WITH (pages_per_range = 32);

-- ---- Roll-ups of minutes ------------------------------------------------------------------------------------

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
  outcome          text        NOT NULL,           -- as in keyed request; 'observed_again' = observed and not the first
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

-- What arrived, by minute of the span: tells "0" from "no data". Counted from inserted rows only, so that a
-- resend adds nothing.
CREATE TABLE telemetry.minute_intake (
  minute           timestamptz NOT NULL,
  last_received_at timestamptz NOT NULL,
  spans            bigint      NOT NULL,
  logs             bigint      NOT NULL DEFAULT 0,
  late             bigint      NOT NULL DEFAULT 0, -- started more than five minutes before they came
  future           bigint      NOT NULL DEFAULT 0, -- start more than a minute after they came
  service          text        NOT NULL,
  PRIMARY KEY (minute, service)
) WITH (fillfactor = 70);

-- Append-only: intake never waits for a roll-up. A roll-up deletes the rows it saw; what is marked meanwhile stays.
CREATE TABLE telemetry.dirty_minute (
  id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  minute timestamptz NOT NULL
);
CREATE INDEX dirty_minute_minute ON telemetry.dirty_minute (minute);

-- ---- Hours and days -----------------------------------------------------------------------------------------

-- Summed anew from their minutes and hours. A reader takes an hour only when it is not dirty, in the statement that
-- reads it, so that its figures are always those of the minutes.
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

-- ---- Sums that readers want ready ---------------------------------------------------------------------------

-- Derived from the roll-ups of minutes, hours and days (lib/telemetry/rollup/derive.ts,
-- docs/decisions/021-reads-that-do-not-grow.md): what a week holds by endpoint and client has millions of rows.

-- By outcome over all services, endpoints and clients; those columns are ''.
CREATE TABLE telemetry.minute_request_all (LIKE telemetry.minute_request INCLUDING ALL);
CREATE TABLE telemetry.hour_request_all   (LIKE telemetry.minute_request INCLUDING ALL);
CREATE TABLE telemetry.day_request_all    (LIKE telemetry.minute_request INCLUDING ALL);

-- Latency of all together; service, version, endpoint and client are ''.
CREATE TABLE telemetry.minute_latency_all (LIKE telemetry.minute_latency INCLUDING ALL);
CREATE TABLE telemetry.hour_latency_all   (LIKE telemetry.minute_latency INCLUDING ALL);
CREATE TABLE telemetry.day_latency_all    (LIKE telemetry.minute_latency INCLUDING ALL);

-- Histograms of an endpoint over all its clients (client = ''), a row each: an entry of an array costs a tenth of a row.
CREATE TABLE telemetry.minute_latency_route (
  minute   timestamptz NOT NULL,
  buckets  smallint[]  NOT NULL,                   -- ascending
  counts   bigint[]    NOT NULL,                   -- as many
  service  text        NOT NULL,
  version  text        NOT NULL,
  endpoint text        NOT NULL,
  client   text        NOT NULL,
  PRIMARY KEY (minute, service, version, endpoint, client)
);
-- Over ten minutes: where a window does not begin or end with an hour, six rows instead of sixty.
CREATE TABLE telemetry.ten_latency_route  (LIKE telemetry.minute_latency_route INCLUDING ALL);
CREATE TABLE telemetry.hour_latency_route (LIKE telemetry.minute_latency_route INCLUDING ALL);
CREATE TABLE telemetry.day_latency_route  (LIKE telemetry.minute_latency_route INCLUDING ALL);

-- Percentiles of all together for the steps of a chart that are shorter than an hour; `minute` = where the step starts.
CREATE TABLE telemetry.minute_latency_point (
  minute  timestamptz NOT NULL,
  count   bigint      NOT NULL,
  seconds integer     NOT NULL,
  p50     smallint    NOT NULL,                    -- buckets
  p95     smallint    NOT NULL,
  p99     smallint    NOT NULL,
  PRIMARY KEY (seconds, minute)
);
CREATE INDEX minute_latency_point_minute ON telemetry.minute_latency_point (minute);

-- ---- Services, deploys, stores ------------------------------------------------------------------------------

-- Values that figures are kept apart by, admitted in the order of their coming up to a cap: what comes after is
-- counted as '(other)', so that a sender of random routes cannot grow the roll-ups without bound.
CREATE TABLE telemetry.dimension (
  admitted_at timestamptz NOT NULL DEFAULT now(),
  kind        text        NOT NULL CHECK (kind IN ('service', 'version', 'endpoint', 'client')),
  value       text        NOT NULL,
  PRIMARY KEY (kind, value)
);

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

-- ---- Partitions ---------------------------------------------------------------------------------------------

-- Makes the day partitions (UTC) of `kind` that are missing from `first` to `last`, both included; returns how many.
-- Each is built aside and attached, which does not block inserts; makers of any process queue up.
CREATE FUNCTION telemetry.ensure_partitions(kind text, first date, last date) RETURNS integer
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
  day  date;
  partition text;
  made integer := 0;
BEGIN
  IF kind NOT IN ('span', 'keyed_request', 'effect', 'delivery', 'log') THEN
    RAISE EXCEPTION 'no such kind: %', kind;
  END IF;
  IF last - first > 4000 THEN
    RAISE EXCEPTION 'more than 4000 days';
  END IF;
  FOR day IN SELECT generate_series(first, last, interval '1 day')::date LOOP
    partition := format('%s_%s', kind, to_char(day, 'YYYYMMDD'));
    CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relnamespace = 'telemetry'::regnamespace AND relname = partition);
    -- Asked again by a query under the lock: to_regclass would answer from a cache that the lock does not refresh.
    PERFORM pg_advisory_xact_lock(hashtextextended('telemetry.ensure_partitions', 0));
    CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relnamespace = 'telemetry'::regnamespace AND relname = partition);
    EXECUTE format('CREATE TABLE telemetry.%I (LIKE telemetry.%I INCLUDING ALL)', partition, kind);
    EXECUTE format('ALTER TABLE telemetry.%I ATTACH PARTITION telemetry.%I FOR VALUES FROM (%L) TO (%L)',
                   kind, partition, day::timestamptz, (day + 1)::timestamptz);
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;

-- Drops the oldest partition of `kind` that ends at or before `before`; returns its name, NULL when there is none.
-- One a call: the caller sets lock_timeout and tries again later rather than block intake.
CREATE FUNCTION telemetry.drop_oldest_partition(kind text, before date) RETURNS text
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
  partition text;
BEGIN
  IF kind NOT IN ('span', 'keyed_request', 'effect', 'delivery', 'log') THEN
    RAISE EXCEPTION 'no such kind: %', kind;
  END IF;
  SELECT c.relname INTO partition
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = format('telemetry.%I', kind)::regclass
    AND c.relname ~ ('^' || kind || '_\d{8}$')
    AND c.relname < format('%s_%s', kind, to_char(before, 'YYYYMMDD'))
  ORDER BY c.relname LIMIT 1;
  IF partition IS NOT NULL THEN
    EXECUTE format('DROP TABLE telemetry.%I', partition);
  END IF;
  RETURN partition;
END $$;

-- ==== 3. The mirror: what the sources said, staged ===========================================================
--
-- Comparing reads only this; the sources are never joined live.
--
-- object    the newest known version of every lease, record, posting, charge and refund
-- alias     any known key, reference or object id → the operation it belongs to
-- coverage  for which spans of time a provider's listing is complete
-- cursor    where the reading of a source stands
-- watermark up to where a system has been compared

-- Our insertion order, re-assigned whenever an object's content changes: the watermark is a number of this sequence.
CREATE SEQUENCE mirror.seq;
CREATE SEQUENCE mirror.operation;
-- The order in which providers and ledgers were asked, which no jump of a clock turns. It starts above any time in µs, the
-- versions of keys.
CREATE SEQUENCE mirror.version START 9007199254740992;

-- ---- Objects and operations ---------------------------------------------------------------------------------

-- Identity is for exceptions. A row is staged without an operation; the match finds the pairs that agree by columns, and
-- only what is left gets an operation and its aliases. Whatever comes later and shares an alias with an operation is given
-- to it when it is staged. (Persisting every pair costs many times the join.)
CREATE TABLE mirror.object (
  version        bigint      NOT NULL,             -- which of two answers is newer; a terminal record outranks any lease
  seq            bigint      NOT NULL,
  born_seq       bigint      NOT NULL,             -- the first one: orders what the source stamps with one second
  operation_id   bigint,                           -- NULL = no operation yet
  occurred_at    timestamptz NOT NULL,             -- the source's time: first acquire, booking, creation
  staged_at      timestamptz NOT NULL,
  gone_at        timestamptz,                      -- it vanished from its source without an end
  observed_at    timestamptz,                      -- when the provider gave the answer, by its own clock
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

-- What a run compares: rows with an operation; rows without, one side at a time and counted from the index alone; rows that
-- name nothing of the provider; objects of the other mode, which never pair up.
CREATE INDEX object_operation ON mirror.object (operation_id) WHERE operation_id IS NOT NULL;
CREATE INDEX object_seq_known ON mirror.object (system, seq) WHERE operation_id IS NOT NULL;
CREATE INDEX object_seq_unmatched ON mirror.object (system, side, seq) WHERE operation_id IS NULL;
CREATE INDEX object_untied    ON mirror.object (system, seq) WHERE operation_id IS NULL AND provider_ref IS NULL;
CREATE INDEX object_other_mode ON mirror.object (system, seq)
  WHERE operation_id IS NULL AND side = 'provider' AND data->>'modeMix' IS DISTINCT FROM 'false';

-- What leads from one row to its neighbours.
CREATE INDEX object_reference ON mirror.object (reference) WHERE reference IS NOT NULL;
CREATE INDEX object_provider  ON mirror.object (provider_ref) WHERE provider_ref IS NOT NULL;
CREATE INDEX object_parent    ON mirror.object (parent_ref) WHERE parent_ref IS NOT NULL AND parent_ref IS DISTINCT FROM provider_ref;
CREATE INDEX object_key_hash  ON mirror.object (key_hash) WHERE key_hash IS NOT NULL;
CREATE INDEX object_occurred  ON mirror.object (source_id, occurred_at);
-- Keys that have not ended: the stuck ones are among them, whatever their age.
CREATE INDEX object_live_key  ON mirror.object (source_id, object_id)
  WHERE side = 'intent' AND status IN ('leased', 'retryable', 'unknown') AND gone_at IS NULL;
-- Objects of a provider without a key, by time: each check of the locks asks whether there is any
-- (lib/mirror/read/untagged*). Where all carry one the index is empty, and the question costs nothing however much the
-- provider holds.
CREATE INDEX object_untagged ON mirror.object (source_id, occurred_at)
  WHERE side = 'provider' AND (key IS NULL OR scope IS NULL) AND action_id IS NULL;

-- The explorer over many millions of keys: by key and by how it begins, by trace, counted by state without reading them
-- all, the last changed first of all and of one scope. Each is paid for by every row that is staged: one serves two
-- searches where it can (docs/decisions/034-the-explorers-indexes.md).
CREATE INDEX object_key        ON mirror.object (key text_pattern_ops, scope) WHERE key IS NOT NULL;
CREATE INDEX object_key_trace  ON mirror.object ((data->>'traceId'))
  WHERE side = 'intent' AND kind = 'key' AND data->>'traceId' IS NOT NULL;
CREATE INDEX object_key_state  ON mirror.object (status, expires_at) WHERE side = 'intent' AND kind = 'key' AND gone_at IS NULL;
CREATE INDEX object_key_recent ON mirror.object (seq) WHERE side = 'intent' AND kind = 'key' AND gone_at IS NULL;
CREATE INDEX object_key_scope  ON mirror.object (scope, seq) WHERE side = 'intent' AND kind = 'key' AND gone_at IS NULL;

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

-- Objects of a source that are there and cannot be understood: counted and shown until they can be.
CREATE TABLE mirror.unreadable (
  source_id text        NOT NULL,
  object_id text        NOT NULL,
  reason    text        NOT NULL,
  seen_at   timestamptz NOT NULL,
  -- It was understood, but its feed had passed it: it was found by its id only.
  late      boolean     NOT NULL DEFAULT false,
  PRIMARY KEY (source_id, object_id)
);
CREATE INDEX unreadable_newest ON mirror.unreadable (source_id, seen_at DESC);

-- ---- How far the sources were read --------------------------------------------------------------------------

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

-- A pass over a feed, cut into ranges of the source's time that any worker may take. They touch each other without a
-- gap; the cursor moves when all of them are done. A holder that dies is missed after its lease; its fence shuts it out.
CREATE TABLE mirror.range (
  id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  from_at     timestamptz NOT NULL,
  to_at       timestamptz NOT NULL CHECK (to_at > from_at),
  fence       bigint      NOT NULL DEFAULT 0,
  read        bigint      NOT NULL DEFAULT 0,
  lease_until timestamptz,
  done_at     timestamptz,
  source_id   text        NOT NULL,
  feed        text        NOT NULL,
  position    text,                                -- where a range half read goes on
  owner       text,
  UNIQUE (source_id, feed, from_at)
);

-- ---- How far the systems were compared ----------------------------------------------------------------------

CREATE TABLE mirror.watermark (
  system text        PRIMARY KEY,
  seq    bigint      NOT NULL,
  at     timestamptz NOT NULL,
  run_id text        NOT NULL
);

-- Operations to look at again without anything new being staged: what was pending when last compared.
CREATE TABLE mirror.pending (
  operation_id bigint      NOT NULL,
  due_at       timestamptz NOT NULL,
  system       text        NOT NULL,
  PRIMARY KEY (system, operation_id)
);

-- Work of a run under way: rows of its scope that did not pair up, until they have an operation; what it has to classify;
-- what it found. Deleted when the run ends.
CREATE UNLOGGED TABLE mirror.unmatched (
  run_id    text NOT NULL,
  source_id text NOT NULL,
  object_id text NOT NULL,
  PRIMARY KEY (run_id, source_id, object_id)
);

CREATE TABLE mirror.candidate (
  operation_id bigint      NOT NULL,
  recheck_at   timestamptz,
  classified       boolean     NOT NULL DEFAULT false,
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

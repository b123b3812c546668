-- A few rows in each table of a console's database as release 0.1.0 left it. It is written for the migrations up to
-- 20261130000000_first and runs against no later ones: it stays as it is when the schema changes.

-- ---- accounts
INSERT INTO "user" (id, name, email, email_verified, role, service) VALUES
  ('usr_ada', 'Ada', 'ada@example.com', true, 'admin', false),
  ('usr_bob', 'Bob', 'bob@example.com', true, 'approver', false),
  ('usr_bot', 'bot', 'bot@example.com', false, 'operator', true);
INSERT INTO session (id, expires_at, token, ip_address, user_agent, user_id) VALUES
  ('ses_1', '2026-12-07T10:00:00Z', 'token-1', '127.0.0.1', 'curl', 'usr_ada');
INSERT INTO account (id, account_id, provider_id, user_id, password) VALUES
  ('acc_1', 'usr_ada', 'credential', 'usr_ada', 'salt:hash');
INSERT INTO verification (id, identifier, value, expires_at) VALUES
  ('ver_1', 'reset:usr_bob', 'value', '2026-12-01T10:00:00Z');
INSERT INTO apikey (id, name, start, reference_id, prefix, key, expires_at, created_at, updated_at, permissions) VALUES
  ('key_1', 'ci', 'idm_ab', 'usr_bot', 'idm_', 'hash', '2027-11-30T10:00:00Z', '2026-11-30T10:00:00Z',
   '2026-11-30T10:00:00Z', '{"role":["operator"]}');
INSERT INTO attempt_count (key, count, ends_at) VALUES ('account:ada@example.com', 2, '2026-11-30T10:15:00Z');
INSERT INTO principal_link (principal_id, by_id, how, holds, at) VALUES
  ('usr_bot', 'usr_ada', 'minted', true, '2026-11-30T10:00:00Z');
INSERT INTO invitation (id, user_id, secret_hash, invited_by, created_at, expires_at, ended_at) VALUES
  ('inv_1', 'usr_bob', 'secret-hash', 'usr_ada', '2026-11-30T09:00:00Z', '2026-12-01T09:00:00Z', '2026-11-30T09:05:00Z');

-- ---- processes, settings, sources, runs
INSERT INTO process_heartbeat (id, kind, pid, started_at, seen_at, detail) VALUES
  ('prc_1', 'worker', 4242, '2026-11-30T09:00:00Z', '2026-11-30T10:00:00Z', '{"phase":"polls"}');
INSERT INTO setting (key, value, version, updated_at, updated_by) VALUES
  ('kill_switch', '{"on":false}', 3, '2026-11-30T09:00:00Z', 'usr_ada');
INSERT INTO source (id, kind, adapter, name, system, config, secret, created_at, last_ok_at, capabilities) VALUES
  ('src_1', 'intent', 'native', 'payments', 'payments', '{"schema":"public"}', '\x01', '2026-11-30T09:00:00Z',
   '2026-11-30T10:00:00Z', '{"read":true}');
INSERT INTO run (id, kind, state, outcome, params, counts, progress, requested_by, fence, created_at, started_at, finished_at)
VALUES
  ('run_1', 'reconcile', 'done', 'clean', '{"system":"payments"}', '{"compared":2}', 1, 'usr_ada', 1,
   '2026-11-30T09:30:00Z', '2026-11-30T09:30:01Z', '2026-11-30T09:31:00Z'),
  ('run_2', 'reconcile', 'queued', NULL, '{"system":"payments"}', '{}', 0, 'schedule', 0, '2026-11-30T10:00:00Z', NULL, NULL);
INSERT INTO run_log (run_id, at, level, message, data) VALUES
  ('run_1', '2026-11-30T09:30:30Z', 'info', 'Compared 2 operations', '{"operations":2}');

-- ---- actions and audit
INSERT INTO action (id, kind, state, source_id, case_id, run_id, scope, key, provider, charge, amount_minor, currency, params,
  seen, evidence, evidence_hash, reason, result, proposer_id, approver_id, request_id, version, created_at, approved_at,
  expires_at, executed_at, finished_at)
VALUES
  ('act_1', 'lock.release', 'done', 'src_1', NULL, NULL, 'web/POST /v1/payments', 'k-1', NULL, NULL, NULL, NULL, '{}',
   '{"fence":"1"}', '{}', NULL, 'holder is gone', '{"changed":1}', 'usr_ada', NULL, 'req_1', 2, '2026-11-30T09:40:00Z', NULL,
   NULL, '2026-11-30T09:40:01Z', '2026-11-30T09:40:02Z'),
  ('act_2', 'correction.refund', 'approved', 'src_1', 'cas_1', 'run_1', NULL, NULL, 'stripe', 'ch_1', 1050, 'EUR', '{}',
   '{"captured":"1050"}', '{"refunds":[]}', 'evidence-hash', 'charged twice', '{}', 'usr_ada', 'usr_bob', 'req_2', 2,
   '2026-11-30T09:50:00Z', '2026-11-30T09:55:00Z', '2026-11-30T10:10:00Z', NULL, NULL);
INSERT INTO snapshot (id, verb, filter, items, preview, created_by, created_at, expires_at) VALUES
  ('snp_1', 'lock.release', '{"scope":"web"}', '[{"id":"lck_1","version":"1"}]', '{"total":1}', 'usr_ada',
   '2026-11-30T09:39:00Z', '2026-11-30T09:54:00Z');
-- The trigger notes both as not sealed; the sealer then took the first.
INSERT INTO audit_entry (at, actor, actor_id, via, verb, subject, outcome, reason, before, after, request_id) VALUES
  ('2026-11-30T09:40:02Z', 'Ada', 'usr_ada', 'session', 'lock.release', 'act_1', 'done', 'holder is gone', '{"state":"leased"}',
   '{"state":"absent"}', 'req_1'),
  ('2026-11-30T09:50:00Z', 'Ada', 'usr_ada', 'session', 'correction.propose', 'act_2', 'done', 'charged twice', NULL, NULL,
   'req_2');
INSERT INTO audit_seal (seq, entry_id, prev_hash, hash, sealed_at)
SELECT 1, min(id), '\x00', '\x0a', '2026-11-30T09:41:00Z' FROM audit_entry;
DELETE FROM audit_unsealed WHERE entry_id IN (SELECT entry_id FROM audit_seal);
INSERT INTO audit_head (seq, hash, key_id, signature, signed_at) VALUES (1, '\x0a', 'key-1', '\x0b', '2026-11-30T09:41:00Z');

-- ---- locks and cases
INSERT INTO lock_check (source_id, checked_at, listed, more) VALUES ('src_1', '2026-11-30T09:00:12Z', 1, false);
INSERT INTO lock (id, source_id, scope, key, state, version, fence, attempts, tier, holder, step, trace_id, acquired_at,
  lease_until, heartbeat_at, verdict, verdict_reason, provider_answer, checked_at, unchanged_since)
VALUES
  ('lck_1', 'src_1', 'web/POST /v1/payments', 'k-2', 'leased', 'version-1', 7, 1, 'default', 'host-1', 'charge',
   repeat('ab', 16), '2026-11-30T09:00:00.123456Z', '2026-11-30T09:00:30.123456Z', '2026-11-30T09:00:10.123456Z', 'wait',
   'an effect is open', '{}', '2026-11-30T10:00:00Z', '2026-11-30T09:01:00Z');
INSERT INTO reconciliation_case (id, break_id, system, operation_id, aspect, object_id, class, severity, outcome, lifecycle,
  triage, owner_id, scope, key, effect_ids, reference, amount_minor, currency, evidence, evidence_hash, first_run_id,
  last_run_id, first_seen, last_seen, break_on)
VALUES
  ('cas_1', 'brk_1', 'payments', 1, 'money', 'ch_1', 'duplicate_charge', 'P1', 'break', 'new', 'assigned', 'usr_bob',
   'web/POST /v1/payments', 'k-1', '{ch_1,ch_2}', 'order-1', 1050, 'EUR', '{"charges":2}', 'evidence-hash', 'run_1', 'run_1',
   '2026-11-30T09:31:00Z', '2026-11-30T09:31:00Z', '2026-11-30T09:10:00Z');
INSERT INTO case_event (case_id, at, kind, actor, data) VALUES
  ('cas_1', '2026-11-30T09:45:00Z', 'comment', 'usr_bob', '{"text":"looking"}');

-- ---- conditions and alerts: the trigger writes the episode
INSERT INTO condition (id, kind, subject, state, since, detail, checked_at) VALUES
  ('cnd_1', 'source_stale', 'src_1', 'firing', '2026-11-30T09:00:00Z', '{"minutes":5}', '2026-11-30T10:00:00Z');
INSERT INTO silence (id, kind, subject, prefix, starts_at, ends_at, reason, created_by, created_at) VALUES
  ('sil_1', 'source_stale', 'src_', true, '2026-11-30T11:00:00Z', '2026-11-30T12:00:00Z', 'maintenance', 'usr_ada',
   '2026-11-30T10:00:00Z');
INSERT INTO receiver (id, kind, name, host, secret, paging, created_by, created_at) VALUES
  ('rcv_1', 'webhook', 'on-call', 'hooks.example.com', '\x01', true, 'usr_ada', '2026-11-30T09:00:00Z');
INSERT INTO notification (id, episode_id, receiver_id, transition, state, paging, attempts, due_at, result, created_at)
SELECT 'ntf_1', id, 'rcv_1', 'raised', 'waiting', true, 1, '2026-11-30T10:00:30Z', '{"status":503}', '2026-11-30T09:00:01Z'
FROM alert_episode;

-- ---- retention
INSERT INTO retention_policy (id, source_id, tier, ttl_ms, safety_ms, archive, exception, action_id, created_at, updated_at)
VALUES
  ('pol_1', 'src_1', 'default', 86400000, 3600000, true, NULL, 'act_1', '2026-11-30T09:00:00Z', '2026-11-30T09:00:00Z');
INSERT INTO collection_mark (id, source_id, run_id, at, mode, rows, bytes, unfinished, archives) VALUES
  ('col_1', 'src_1', 'run_1', '2026-11-30T09:30:00Z', 'partitions', 1000, 65536, 0, 1);
INSERT INTO archive (id, source_id, run_id, at, file, rows, bytes, sha256, collected_at) VALUES
  ('arc_1', 'src_1', 'run_1', '2026-11-30T09:30:00Z', 'keys-1.ndjson.gz', 1000, 2048, repeat('0', 64), '2026-11-30T09:31:00Z');

-- ---- telemetry: one day
SELECT telemetry.ensure_partitions(kind, '2026-11-30', '2026-12-01')
FROM unnest('{span,keyed_request,effect,delivery,log}'::text[]) kind;
INSERT INTO telemetry.span (start_time, end_time, received_at, duration_ns, start_nanos, kind, status_code, trace_id, span_id,
  name, service, version, instance, environment, region, attributes)
VALUES
  ('2026-11-30T09:10:00.000001Z', '2026-11-30T09:10:00.25Z', '2026-11-30T09:10:01Z', 249999000, 7, 2, 1,
   decode(repeat('ab', 16), 'hex'), decode(repeat('cd', 8), 'hex'), 'POST /v1/payments', 'payments', '1.4.0', 'host-1',
   'production', 'eu', '{"http.response.status_code":201}');
INSERT INTO telemetry.keyed_request (time, end_time, record_created_at, record_expires_at, fence, attempt, store_operations,
  store_errors, status_code, first_seen, duplicate, expired_retry, effect_twice, final, trace_id, span_id, key_hash, service,
  version, instance, environment, region, scope, endpoint, client, outcome, record_state, owner)
VALUES
  ('2026-11-30T09:10:00Z', '2026-11-30T09:10:00.25Z', '2026-11-30T09:10:00Z', '2026-12-01T09:10:00Z', 1, 1, 2, 0, 201, true,
   false, false, false, true, decode(repeat('ab', 16), 'hex'), decode(repeat('cd', 8), 'hex'), decode(repeat('01', 16), 'hex'),
   'payments', '1.4.0', 'host-1', 'production', 'eu', 'web/POST /v1/payments', 'POST /v1/payments', 'web', 'executed',
   'completed', 'host-1');
INSERT INTO telemetry.effect (time, amount_minor, time_rank, outcome, seen_by_span, seen_by_store, seen_by_provider, duplicate,
  settled, key_hash, name, step, scope, effect_id, kind, currency, service, version, trace_ids)
VALUES
  ('2026-11-30T09:10:00.1Z', 1050, 1, 'committed', true, true, true, false, true, decode(repeat('01', 16), 'hex'),
   'stripe.charge', 'charge', 'web/POST /v1/payments', 'ch_1', 'http', 'EUR', 'payments', '1.4.0',
   ARRAY[decode(repeat('ab', 16), 'hex')]);
INSERT INTO telemetry.delivery (time, attempt, first_seen, redelivered, told, trace_id, span_id, message_hash, service, version,
  destination, consumer, message_id)
VALUES
  ('2026-11-30T09:11:00Z', 1, true, false, false, decode(repeat('ab', 16), 'hex'), decode(repeat('ce', 8), 'hex'),
   decode(repeat('02', 16), 'hex'), 'ledger', '2.0.0', 'payments', 'ledger', 'msg-1');
INSERT INTO telemetry.log (time, received_at, severity, digest, trace_id, severity_text, service, version, instance,
  environment, region, body, attributes)
VALUES
  ('2026-11-30T09:10:00Z', '2026-11-30T09:10:01Z', 9, decode(repeat('03', 16), 'hex'), decode(repeat('ab', 16), 'hex'), 'INFO',
   'payments', '1.4.0', 'host-1', 'production', 'eu', '"paid"', '{}');
INSERT INTO telemetry.key (first_seen_at, last_seen_at, first_request_at, first_expiry_at, terminal_at, terminal_until,
  key_hash, scope)
VALUES
  ('2026-11-30T09:10:00Z', '2026-11-30T09:10:00Z', '2026-11-30T09:10:00Z', '2026-12-01T09:10:00Z', '2026-11-30T09:10:00.25Z',
   '2026-12-01T09:10:00Z', decode(repeat('01', 16), 'hex'), 'web/POST /v1/payments');
INSERT INTO telemetry.message (first_at, last_at, message_hash) VALUES
  ('2026-11-30T09:11:00Z', '2026-11-30T09:11:00Z', decode(repeat('02', 16), 'hex'));
INSERT INTO telemetry.minute_request (minute, requests, store_operations, store_errors, expired_retries, executed_again,
  ttl_max_ms, service, version, endpoint, client, outcome)
VALUES ('2026-11-30T09:10:00Z', 1, 2, 0, 0, 0, 86400000, 'payments', '1.4.0', 'POST /v1/payments', 'web', 'executed');
INSERT INTO telemetry.minute_latency (minute, count, bucket, service, version, endpoint, client) VALUES
  ('2026-11-30T09:10:00Z', 1, 628, 'payments', '1.4.0', 'POST /v1/payments', 'web');
INSERT INTO telemetry.minute_effect (minute, committed, duplicates, service, version, endpoint, client, name) VALUES
  ('2026-11-30T09:10:00Z', 1, 0, 'payments', '1.4.0', 'POST /v1/payments', 'web', 'stripe.charge');
INSERT INTO telemetry.minute_delivery (minute, messages, redeliveries, service, version, endpoint, client) VALUES
  ('2026-11-30T09:11:00Z', 1, 0, 'ledger', '2.0.0', 'payments', 'ledger');
INSERT INTO telemetry.minute_intake (minute, last_received_at, spans, logs, service) VALUES
  ('2026-11-30T09:10:00Z', '2026-11-30T09:10:01Z', 1, 1, 'payments');
INSERT INTO telemetry.minute_latency_route (minute, buckets, counts, service, version, endpoint, client) VALUES
  ('2026-11-30T09:10:00Z', '{628}', '{1}', 'payments', '1.4.0', 'POST /v1/payments', '');
INSERT INTO telemetry.minute_latency_point (minute, count, seconds, p50, p95, p99) VALUES
  ('2026-11-30T09:10:00Z', 1, 60, 628, 628, 628);
INSERT INTO telemetry.hour_request SELECT * FROM telemetry.minute_request;
INSERT INTO telemetry.hour_latency SELECT * FROM telemetry.minute_latency;
INSERT INTO telemetry.hour_effect SELECT * FROM telemetry.minute_effect;
INSERT INTO telemetry.hour_delivery SELECT * FROM telemetry.minute_delivery;
INSERT INTO telemetry.day_request SELECT * FROM telemetry.minute_request;
INSERT INTO telemetry.day_latency SELECT * FROM telemetry.minute_latency;
INSERT INTO telemetry.day_effect SELECT * FROM telemetry.minute_effect;
INSERT INTO telemetry.day_delivery SELECT * FROM telemetry.minute_delivery;
INSERT INTO telemetry.minute_request_all SELECT * FROM telemetry.minute_request;
INSERT INTO telemetry.hour_request_all SELECT * FROM telemetry.minute_request;
INSERT INTO telemetry.day_request_all SELECT * FROM telemetry.minute_request;
INSERT INTO telemetry.minute_latency_all SELECT * FROM telemetry.minute_latency;
INSERT INTO telemetry.hour_latency_all SELECT * FROM telemetry.minute_latency;
INSERT INTO telemetry.day_latency_all SELECT * FROM telemetry.minute_latency;
INSERT INTO telemetry.ten_latency_route SELECT * FROM telemetry.minute_latency_route;
INSERT INTO telemetry.hour_latency_route SELECT * FROM telemetry.minute_latency_route;
INSERT INTO telemetry.day_latency_route SELECT * FROM telemetry.minute_latency_route;
INSERT INTO telemetry.dirty_minute (minute) VALUES ('2026-11-30T09:11:00Z');
INSERT INTO telemetry.dirty_hour (hour) VALUES ('2026-11-30T09:00:00Z');
INSERT INTO telemetry.dirty_day (day) VALUES ('2026-11-30T00:00:00Z');
INSERT INTO telemetry.dimension (admitted_at, kind, value) VALUES ('2026-11-30T09:10:01Z', 'service', 'payments');
INSERT INTO telemetry.service (service, first_span_at, last_span_at, last_received_at, environment) VALUES
  ('payments', '2026-11-30T09:10:00Z', '2026-11-30T09:10:00Z', '2026-11-30T09:10:01Z', 'production');
INSERT INTO telemetry.deploy (first_seen_at, service, version, environment) VALUES
  ('2026-11-30T09:10:00Z', 'payments', '1.4.0', 'production');
INSERT INTO telemetry.store_sample (at, rows, bytes, expired_rows, oldest_at, source_id, tier) VALUES
  ('2026-11-30T09:30:00Z', 1000, 65536, 10, '2026-11-29T09:30:00Z', 'src_1', 'default');

-- ---- mirror: a key and its charge are one operation, a second charge has none
INSERT INTO mirror.object (version, seq, born_seq, operation_id, occurred_at, staged_at, observed_at, expires_at, amount_minor,
  captured_minor, refunded_minor, http_status, source_id, object_id, system, side, kind, status, scope, key, step, reference,
  provider_ref, parent_ref, currency, key_hash, content_hash, data)
SELECT nextval('mirror.version'), nextval('mirror.seq'), currval('mirror.seq'), o.operation_id, '2026-11-30T09:10:00Z',
  '2026-11-30T09:12:00Z', o.observed_at, o.expires_at, 1050, o.captured, o.refunded, o.http_status, o.source_id, o.object_id,
  'payments', o.side, o.kind, o.status, o.scope, o.key, o.step, 'order-1', o.provider_ref, NULL, 'EUR', o.key_hash,
  sha256(convert_to(o.object_id, 'UTF8')), o.data
FROM (VALUES
  (1::bigint, NULL::timestamptz, '2026-12-01T09:10:00Z'::timestamptz, NULL::bigint, NULL::bigint, 201::smallint, 'src_1',
   'web/POST /v1/payments|k-1|1', 'intent', 'key', 'completed', 'web/POST /v1/payments', 'k-1', 'charge', 'ch_1',
   decode(repeat('01', 16), 'hex'), '{"traceId":"abab"}'::jsonb),
  (1, '2026-11-30T09:12:00Z', NULL, 1050, 0, NULL, 'src_2', 'ch_1', 'provider', 'charge', 'succeeded', 'web/POST /v1/payments',
   'k-1', NULL, 'ch_1', NULL, '{"modeMix":"false"}'),
  (NULL, '2026-11-30T09:12:00Z', NULL, 1050, 0, NULL, 'src_2', 'ch_2', 'provider', 'charge', 'succeeded', NULL, NULL, NULL,
   'ch_2', NULL, '{"modeMix":"false"}')
) AS o(operation_id, observed_at, expires_at, captured, refunded, http_status, source_id, object_id, side, kind, status, scope,
  key, step, provider_ref, key_hash, data);
INSERT INTO mirror.alias (operation_id, system, alias) VALUES (1, 'payments', 'p:ch_1'), (1, 'payments', 'r:order-1');
INSERT INTO mirror.merge (merged_id, kept_id, at, system) VALUES (2, 1, '2026-11-30T09:12:00Z', 'payments');
INSERT INTO mirror.unreadable (source_id, object_id, reason, seen_at) VALUES
  ('src_2', 'ch_odd', 'no currency', '2026-11-30T09:12:00Z');
INSERT INTO mirror.coverage (source_id, from_at, to_at) VALUES ('src_2', '2026-11-29T00:00:00Z', '2026-11-30T09:12:00Z');
INSERT INTO mirror.cursor (source_id, feed, position, updated_at) VALUES ('src_2', 'charges', 'ch_2', '2026-11-30T09:12:00Z');
INSERT INTO mirror.range (from_at, to_at, fence, read, done_at, source_id, feed, owner) VALUES
  ('2026-11-30T00:00:00Z', '2026-11-30T09:12:00Z', 1, 2, '2026-11-30T09:12:00Z', 'src_2', 'charges', 'worker-1');
INSERT INTO mirror.watermark (system, seq, at, run_id) VALUES ('payments', 3, '2026-11-30T09:31:00Z', 'run_1');
INSERT INTO mirror.pending (operation_id, due_at, system) VALUES (1, '2026-11-30T10:10:00Z', 'payments');
INSERT INTO mirror.unmatched (run_id, source_id, object_id) VALUES ('run_2', 'src_2', 'ch_2');
INSERT INTO mirror.candidate (operation_id, recheck_at, classified, run_id, system) VALUES (1, NULL, false, 'run_2', 'payments');
INSERT INTO mirror.finding (operation_id, break_on, amount_minor, run_id, system, break_id, aspect, object_id, class, severity,
  outcome, scope, key, reference, currency, effect_ids, evidence, evidence_hash)
VALUES
  (1, '2026-11-30T09:10:00Z', 1050, 'run_2', 'payments', 'brk_1', 'money', 'ch_1', 'duplicate_charge', 'P1', 'break',
   'web/POST /v1/payments', 'k-1', 'order-1', 'EUR', '{ch_1,ch_2}', '{"charges":2}', 'evidence-hash');

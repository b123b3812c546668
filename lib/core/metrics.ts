type Metric = { type: 'gauge' | 'counter'; help: string }

const gauge = (help: string): Metric => ({ type: 'gauge', help })
const counter = (help: string): Metric => ({ type: 'counter', help })

/**
 * Everything that /metrics says. Rules and dashboards in `deploy/` are generated from the same names. Gauges of figures
 * are of the last five whole minutes; counters begin with the process, and grow as minutes are rolled up.
 */
export const METRICS = {
  idemscope_console_info: gauge('Where people open this console, and its environment.'),

  idemscope_duplicate_request_ratio: gauge('M1: share of keyed requests that came again.'),
  idemscope_duplicate_effect_ratio: gauge('M2: share of committed side effects that happened before.'),
  idemscope_store_error_ratio: gauge('M3: share of store operations that failed.'),
  idemscope_intent_to_final_p50_seconds: gauge('M4: intent to final, P50.'),
  idemscope_intent_to_final_p95_seconds: gauge('M4: intent to final, P95.'),
  idemscope_intent_to_final_p99_seconds: gauge('M4: intent to final, P99.'),
  idemscope_expired_key_retry_ratio: gauge('M5: share of executions that retried an expired key.'),
  idemscope_orphaned_effects_open: gauge('M6: side effects without a record now.'),
  idemscope_redelivery_ratio: gauge('M8: redeliveries per message.'),
  idemscope_store_rows: gauge('M9: rows of a store, at its last sample.'),
  idemscope_store_size_bytes: gauge('M9: size of a store, at its last sample.'),
  idemscope_store_expired_rows: gauge('M9: expired rows that wait to be collected.'),
  idemscope_duplicate_pages: gauge('M10: pages for duplicates in the last 7 days.'),
  idemscope_objective_ratio: gauge('The upper bound of a share.'),
  idemscope_objective_seconds: gauge('The upper bound of a latency.'),
  idemscope_objective_breached: gauge('1 while a measure is at or above its objective.'),

  idemscope_requests_total: counter('Keyed requests and requests without a key, by outcome.'),
  idemscope_keyed_requests_total: counter('M1: keyed requests that the store had a say in.'),
  idemscope_duplicate_requests_total: counter('M1: of them, those that came again.'),
  idemscope_effects_total: counter('M2: side effects that were committed.'),
  idemscope_duplicate_effects_total: counter('M2: of them, those that had happened before.'),
  idemscope_store_operations_total: counter('M3: operations on stores.'),
  idemscope_store_errors_total: counter('M3: of them, those that failed.'),
  idemscope_keys_finished_total: counter('M4: keys that reached their terminal record.'),
  idemscope_executions_total: counter('M5: executions of keyed requests.'),
  idemscope_expired_key_retries_total: counter('M5: of them, retries of an expired key.'),
  idemscope_orphaned_effects_total: counter('M6: side effects that were found without a record.'),
  idemscope_corrections_total: counter('M7: corrections that were executed, by class of their case.'),
  idemscope_messages_total: counter('M8: messages that were processed for the first time.'),
  idemscope_redeliveries_total: counter('M8: messages that were delivered again.'),

  idemscope_condition_firing: gauge('1 for each condition that holds, at most 50 of a kind, pages first.'),
  idemscope_conditions_firing: gauge('All conditions that hold.'),
  idemscope_locks: gauge('Live locks; no sample until an idempotency store was read.'),
  idemscope_locks_unlisted: gauge(
    '1 while a store holds more live locks than are listed: the counts of locks are lower bounds.',
  ),
  idemscope_messages_unsent: gauge('Messages of a topic that wait to be published, at the last look.'),
  idemscope_messages_oldest_unsent_seconds: gauge('Age of the oldest of them.'),
  idemscope_messages_dead: gauge('Messages of a topic that were given up, at the last look.'),
  idemscope_messages_held_back: gauge('Messages that an open transaction holds back.'),
  idemscope_processes: gauge('Processes with a fresh sign of life.'),
  idemscope_source_up: gauge('1 while a source can be read.'),
  idemscope_telemetry_age_seconds: gauge('Since the last span of a service was received.'),
  idemscope_runs: gauge('Runs that are queued or running, or ended within the hour.'),
  idemscope_queue_depth: gauge('Jobs that wait for a worker.'),
  idemscope_open_streams: gauge('Event streams that are open.'),

  process_resident_memory_bytes: gauge('Resident memory.'),
  process_cpu_seconds_total: counter('CPU time.'),
  process_start_time_seconds: gauge('When the process started, in Unix time.'),
  process_uptime_seconds: gauge('Since the process started.'),
  nodejs_heap_size_used_bytes: gauge('Heap in use.'),
  nodejs_eventloop_lag_p99_seconds: gauge('Event loop delay, P99 since the last scrape.'),
} as const satisfies Record<string, Metric>

export type MetricName = keyof typeof METRICS

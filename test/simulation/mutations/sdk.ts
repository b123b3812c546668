import type { Mutation } from './list'

/** The store's functions as they are now: a migration that makes one anew takes its entries along. */
const ACQUIRE = 'sdk/migrations/0012_acquire_reads_first.sql'
const EFFECTS = 'sdk/migrations/0009_effects_that_failed.sql'
const HELD = "l.fence = p_fence AND l.state = 'L'"
const TRANSACTION = 'sdk/stores/postgres/transaction.ts'

export const SDK_MUTATIONS: readonly Mutation[] = [
  {
    name: 'a live lease is taken over',
    file: ACQUIRE,
    find: "WHEN v_lease.state = 'L' AND v_lease.lease_until > clock_timestamp() THEN 'in_progress'",
    replace: "WHEN false THEN 'in_progress'",
    caughtBy: 'test/sdk/races.test.ts',
  },
  {
    name: 'an unknown key is taken over',
    file: ACQUIRE,
    find: "WHEN v_lease.state = 'U' THEN 'unknown'",
    replace: "WHEN false THEN 'unknown'",
    caughtBy: 'test/sdk/history.test.ts',
  },
  {
    name: 'another body is taken for the same request',
    file: ACQUIRE,
    find: "WHEN v_lease.fingerprint <> p_fingerprint AND NOT v_lease.reopened THEN 'mismatch'",
    replace: "WHEN false THEN 'mismatch'",
    caughtBy: 'test/sdk/http-contract.test.ts',
  },
  {
    name: 'a takeover overlooks an open effect',
    file: ACQUIRE,
    find: "AND s.state IN ('B', 'U')",
    replace: "AND s.state IN ('X')",
    caughtBy: 'test/sdk/history.test.ts',
  },
  {
    name: 'a takeover keeps the fence',
    file: ACQUIRE,
    find: "UPDATE idem_lease l SET fence = idem_next_fence(l.fence), state = 'L'",
    replace: "UPDATE idem_lease l SET fence = l.fence, state = 'L'",
    caughtBy: 'test/sdk/history.test.ts',
  },
  {
    name: 'a stale holder completes',
    file: ACQUIRE,
    find: "AND l.fence = p_fence AND l.state IN ('L', 'U')",
    replace: "AND l.state IN ('L', 'U')",
    caughtBy: 'test/sdk/history.test.ts',
  },
  {
    name: 'a stale holder begins an effect',
    file: EFFECTS,
    find: `${HELD};`,
    replace: "l.state = 'L';",
    caughtBy: 'test/sdk/history.test.ts',
  },
  {
    name: 'a stale holder abandons a key',
    file: 'sdk/migrations/0004_settle.sql',
    find: "l.fence = p_fence AND l.state = 'L' FOR UPDATE;\n  IF NOT FOUND THEN\n    RETURN 'stale';\n  END IF;\n  v_began",
    replace: "l.state = 'L' FOR UPDATE;\n  IF NOT FOUND THEN\n    RETURN 'stale';\n  END IF;\n  v_began",
    caughtBy: 'test/sdk/races.test.ts',
  },
  {
    name: 'the heartbeat of a stale holder prolongs the lease',
    file: 'sdk/migrations/0004_settle.sql',
    find: 'AND l.key = idem_key_bytes(p_key) AND l.fence = p_fence',
    replace: 'AND l.key = idem_key_bytes(p_key)',
    caughtBy: 'test/sdk/races.test.ts',
  },
  {
    name: 'live records are collected',
    file: 'sdk/migrations/0013_name_the_holder.sql',
    find: 'IF v_leaf.upper_bound + greatest(p_safety_ms, 0)',
    replace: 'IF false AND v_leaf.upper_bound + greatest(p_safety_ms, 0)',
    caughtBy: 'test/sdk/leaves.test.ts',
  },
  {
    name: 'the heartbeat ends before the body is read',
    file: 'sdk/run-held.ts',
    find: '  guard.close()\n',
    replace: '  guard.stop()\n',
    caughtBy: 'test/sdk/slow-bodies.test.ts',
  },
  {
    name: 'a stale holder gives a key back',
    file: EFFECTS,
    find: `${HELD} FOR UPDATE;`,
    replace: "l.state = 'L' FOR UPDATE;",
    caughtBy: 'test/sdk/races.test.ts',
  },
  {
    name: 'a stale holder settles an effect',
    file: EFFECTS,
    find: 'AND s.step = p_step AND s.fence = p_fence\n    AND s.kind',
    replace: 'AND s.step = p_step\n    AND s.kind',
    caughtBy: 'test/sdk/races.test.ts',
  },
  {
    name: 'a settled effect is settled otherwise',
    file: EFFECTS,
    find: "AND (s.state = 'B' OR (s.state = p_state AND s.reference IS NOT DISTINCT FROM p_reference))",
    replace: '',
    caughtBy: 'test/sdk/races.test.ts',
  },
  {
    name: 'an effect that is known to have failed keeps its provider key',
    file: EFFECTS,
    find: 'CASE WHEN p_failures = 0 THEN p_provider_key',
    replace: 'CASE WHEN p_failures >= 0 THEN p_provider_key',
    caughtBy: 'test/sdk/failed-effects.test.ts',
  },
  {
    name: 'a call of unknown end gets another provider key',
    file: EFFECTS,
    find: "p_state = 'F' AND s.state = 'B' AND NOT s.in_doubt THEN 1",
    replace: "p_state = 'F' AND s.state = 'B' THEN 1",
    caughtBy: 'test/sdk/failed-effects.test.ts',
  },
  {
    name: 'a COMMIT that became ROLLBACK is believed',
    file: TRANSACTION,
    find: "if ((await send()).command !== 'COMMIT') throw swallowed()",
    replace: 'await send()',
    caughtBy: 'test/sdk/swallowed-errors.test.ts',
  },
  {
    name: 'a COMMIT whose answer is lost counts as not done',
    file: TRANSACTION,
    find: "if (became === 'committed') return",
    replace: "if (became === 'unknown') return",
    caughtBy: 'test/sdk/lost-commits.test.ts',
  },
]

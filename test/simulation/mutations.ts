/** A deliberate breakage of a guard or a statement, and what has to turn red. */
export type Mutation = {
  name: string
  file: string
  find: string
  replace: string
  /** Seeds to play, or a test file of the suite. */
  caughtBy: { from: number; seeds: number } | string
}

const ACQUIRE = 'sdk/migrations/0012_acquire_reads_first.sql'
const EFFECTS = 'sdk/migrations/0009_effects_that_failed.sql'
const HELD = "l.fence = p_fence AND l.state = 'L'"

export const MUTATIONS: readonly Mutation[] = [
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
    name: 'one person approves with a second account',
    file: 'lib/actions/approval.ts',
    find: 'if (rows.length === 0) return',
    replace: 'if (rows.length >= 0) return',
    caughtBy: 'test/access/two-people.test.ts',
  },
  {
    name: 'a verb overlooks that the lease has changed',
    file: 'lib/sources/native/operate.ts',
    find: 'AND l.fence = $4::bigint AND l.state::text = $5 AND l.lease_until::text = $6 AND l.heartbeat_at::text = $7',
    replace: 'AND num_nulls($4::text, $5::text, $6::text, $7::text) = 0',
    caughtBy: 'test/keys/races.test.ts',
  },
  {
    name: 'absence counts from the first acquire',
    file: 'lib/keys/effect-window.ts',
    find: 'settlesAt: new Date(lastMs + settings.callMs + settings.settleDelayMs)',
    replace: 'settlesAt: new Date(firstMs + settings.settleDelayMs)',
    caughtBy: 'test/keys/absence.test.ts',
  },
  {
    name: 'objects without a key are no possible effects',
    file: 'lib/keys/possible-effects.ts',
    find: 'if (!known.has(object.id)) found.set',
    replace: 'if (false) found.set',
    caughtBy: 'test/keys/absence.test.ts',
  },
]

import type { Mutation } from './list'

const OPERATE = 'lib/sources/native/operate.ts'
const EXECUTE = 'lib/reconcile/corrections/execute'

export const CONSOLE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'one person approves with a second account',
    file: 'lib/actions/approval.ts',
    find: 'if (rows.length === 0) return',
    replace: 'if (rows.length >= 0) return',
    caughtBy: 'test/access/two-people.test.ts',
  },
  {
    name: 'a verb overlooks that the lease has changed',
    file: OPERATE,
    find: 'AND l.fence = $4::bigint AND l.state::text = $5 AND l.lease_until::text = $6 AND l.heartbeat_at::text = $7',
    replace: 'AND num_nulls($4::text, $5::text, $6::text, $7::text) = 0',
    caughtBy: 'test/locks/races.test.ts',
  },
  {
    name: 'absence counts from the first acquire',
    file: 'lib/locks/assess/effect-window.ts',
    find: 'settlesAt: new Date(lastMs + settings.callMs + settings.settleDelayMs)',
    replace: 'settlesAt: new Date(firstMs + settings.settleDelayMs)',
    caughtBy: 'test/locks/absence.test.ts',
  },
  {
    name: 'objects without a key are no possible effects',
    file: 'lib/locks/assess/possible-effects.ts',
    find: 'if (!known.has(object.id)) found.set',
    replace: 'if (false) found.set',
    caughtBy: 'test/locks/absence.test.ts',
  },
  {
    name: 'a verb overlooks that a step has changed',
    file: OPERATE,
    find: 'AND p.key = l.key) = $11',
    replace: 'AND p.key = l.key) || $11 IS NOT NULL',
    caughtBy: 'test/locks/holder-returns.test.ts',
  },
  {
    name: 'a key is ended though a step has changed',
    file: OPERATE,
    find: 'FROM step p) = $15',
    replace: 'FROM step p) || $15 IS NOT NULL',
    caughtBy: 'test/locks/holder-returns.test.ts',
  },
  {
    name: 'a verb’s write ignores the lease’s end',
    file: OPERATE,
    find: "(l.state <> 'L' OR l.lease_until",
    replace: '(l.fence IS NOT NULL OR l.lease_until',
    caughtBy: 'test/conformance/intent-source.test.ts',
  },
  {
    name: 'a released key keeps its fence',
    file: OPERATE,
    find: "const NEXT_FENCE = 'greatest(l.fence + 1,",
    replace: "const NEXT_FENCE = 'least(l.fence,",
    caughtBy: 'test/locks/races.test.ts',
  },
  {
    name: 'the kill switch is not asked just before the call',
    file: 'lib/actions/execute.ts',
    find: 'return off === null ? next',
    replace: 'return off !== undefined ? next',
    caughtBy: 'test/locks/races.test.ts',
  },
  {
    name: 'evidence that changed since the approval is overlooked',
    file: `${EXECUTE}/execute.ts`,
    find: 'if (gathered.hash !== action.evidenceHash)',
    replace: 'if (gathered.hash === null)',
    caughtBy: 'test/reconcile/corrections.test.ts',
  },
  {
    name: 'an approval never expires',
    file: `${EXECUTE}/execute.ts`,
    find: 'action.expiresAt === null || action.expiresAt <= ctx.clock.now()',
    replace: 'action.expiresAt === null || ctx.clock.now() === null',
    caughtBy: 'test/reconcile/corrections.test.ts',
  },
  {
    name: 'money that changed since the approval is overlooked',
    file: `${EXECUTE}/send.ts`,
    find: 'whatChanged(live, action.evidence)\n  if (changed !== null)',
    replace: "whatChanged(live, action.evidence)\n  if (changed === '')",
    caughtBy: 'test/reconcile/refund-money.test.ts',
  },
  {
    name: 'a feed forgets who was still open',
    file: 'lib/sources/postgres-feed/horizon.ts',
    find: 'const from = lowest([last.mark, ...ended.map((each) => each.from)])',
    replace: 'const from = ended.length < 0 ? null : lowest([last.mark])',
    caughtBy: 'test/sources/feeds.test.ts',
  },
  {
    name: 'a charge that is captured late counts from its authorisation',
    file: 'lib/reconcile/classify/aspects/existence-effect.ts',
    find: 'latest(charge.createdAt, charge.takenAt, life?.completedAt)',
    replace: 'latest(charge.createdAt, life?.completedAt)',
    caughtBy: 'test/reconcile/classify-evidence.test.ts',
  },
  {
    name: 'a policy collects keys that can still be replayed',
    file: 'lib/sources/mapped/collect-rows.ts',
    find: 'belowFloor.includes(endpoint)',
    replace: 'belowFloor.length >= 0 && endpoint.length > 0',
    caughtBy: 'test/retention/floor.test.ts',
  },
]

import { readUnknownOutcomes, readWaitingApprovals, type WaitingActions } from '@/lib/actions/read-waiting'
import { termsAt } from '@/lib/conditions/terms'
import { readLastEnded } from '@/lib/runs/read-late'
import { EXAMPLES_MAX, type Group } from '../group'
import { ago, type Family } from './family'

export const actionGroup = ({ examples, ...waiting }: WaitingActions): Group => ({
  ...waiting,
  examples: examples.map(({ label, caseId }) => ({
    label,
    path: caseId === null ? '/reconciliation' : `/reconciliation/cases/${caseId}`,
  })),
})

const approvals: Family = {
  kinds: ['approvals_waiting'],
  async find({ ctx, now, rules }) {
    const before = ago(now, termsAt(rules, 'approvals_waiting').limits.olderThanMs)
    const waiting = await readWaitingApprovals(ctx.db, before, EXAMPLES_MAX)
    return waiting.count === 0
      ? []
      : [{ kind: 'approvals_waiting', subject: 'all', detail: actionGroup(waiting) }]
  },
}

const unknown: Family = {
  kinds: ['unknown_outcomes'],
  async find({ ctx, now, rules }) {
    const before = ago(now, termsAt(rules, 'unknown_outcomes').limits.olderThanMs)
    const waiting = await readUnknownOutcomes(ctx.db, before, EXAMPLES_MAX)
    return waiting.count === 0
      ? []
      : [{ kind: 'unknown_outcomes', subject: 'all', detail: actionGroup(waiting) }]
  },
}

/** The last one counts: what was incomplete before it is answered by it. */
const reconciliation: Family = {
  kinds: ['reconciliation_incomplete'],
  async find({ ctx }) {
    const last = await readLastEnded(ctx.db, 'reconciliation')
    if (last === null || (last.state === 'done' && last.outcome !== 'incomplete')) return []
    const detail = { name: 'all systems', error: last.error, runId: last.id }
    return [{ kind: 'reconciliation_incomplete', subject: 'all', detail }]
  },
}

export const work: readonly Family[] = [approvals, unknown, reconciliation]

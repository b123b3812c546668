import { countUnsealed } from '@/lib/audit/count-unsealed'
import { termsAt } from '@/lib/conditions/terms'
import type { Finding } from '@/lib/conditions/write-conditions'
import { readProcesses } from '@/lib/runs/processes'
import { readLastEnded, readWaitingRuns } from '@/lib/runs/read-late'
import { readFreshness } from '@/lib/telemetry/read/freshness'
import { hasDirtyMinutes } from '@/lib/telemetry/rollup/has-dirty-minutes'
import { EXAMPLES_MAX, type Group } from '../group'
import { readFailingReceivers } from '../notify/read-failing'
import { ago, type Family, type Look } from './family'

/** The console's own processes: without them nothing is measured, checked or told. */
const processes: Family = {
  kinds: ['worker_dead', 'receiver_dead'],
  async find({ ctx, now, rules }: Look) {
    const [all, services] = await Promise.all([readProcesses(ctx.db, ctx.clock), readFreshness(ctx.db, now)])
    const silent = (kind: string, silentMs: number): { lastAt: string | null } | null => {
      const lastMs = Math.max(
        ...all.filter((each) => each.kind === kind).map((each) => Date.parse(each.seenAt)),
      )
      if (now.getTime() - lastMs < silentMs) return null
      return { lastAt: Number.isFinite(lastMs) ? new Date(lastMs).toISOString() : null }
    }
    const worker = silent('worker', termsAt(rules, 'worker_dead').limits.silentMs)
    const receiver = silent('receiver', termsAt(rules, 'receiver_dead').limits.silentMs)
    // A console to which no service ever sent needs no receiver.
    const receives = services.length > 0 || (receiver !== null && receiver.lastAt !== null)
    return [
      ...(worker === null ? [] : [{ kind: 'worker_dead' as const, subject: 'all', detail: worker }]),
      ...(receiver === null || !receives
        ? []
        : [{ kind: 'receiver_dead' as const, subject: 'all', detail: receiver }]),
    ]
  },
}

const queue: Family = {
  kinds: ['queue_stuck'],
  async find({ ctx, now, rules }) {
    const before = ago(now, termsAt(rules, 'queue_stuck').limits.olderThanMs)
    const { examples, ...waiting } = await readWaitingRuns(ctx.db, before, EXAMPLES_MAX)
    if (waiting.count === 0) return []
    const group: Group = {
      ...waiting,
      money: [],
      examples: examples.map(({ id, kind }) => ({
        label: kind.replaceAll('_', ' '),
        path: `/reconciliation/runs/${id}`,
      })),
    }
    return [{ kind: 'queue_stuck', subject: 'all', detail: group }]
  },
}

const rollUp: Family = {
  kinds: ['roll_up_late'],
  async find({ ctx, now, rules }): Promise<Finding[]> {
    const [dirty, last] = await Promise.all([hasDirtyMinutes(ctx.db), readLastEnded(ctx.db, 'roll_up')])
    const { olderThanMs } = termsAt(rules, 'roll_up_late').limits
    const lastAt = last?.state === 'done' ? last.finishedAt : null
    if (!dirty || last === null || (lastAt !== null && now.getTime() - lastAt.getTime() < olderThanMs))
      return []
    return [{ kind: 'roll_up_late', subject: 'all', detail: { lastAt: lastAt?.toISOString() ?? null } }]
  },
}

const audit: Family = {
  kinds: ['audit_unsealed'],
  async find({ ctx, now, rules }) {
    const before = ago(now, termsAt(rules, 'audit_unsealed').limits.olderThanMs)
    const { count, oldestAt } = await countUnsealed(ctx.db, before)
    if (count === 0) return []
    const group: Group = { count, oldestAt, money: [], examples: [{ label: 'Audit', path: '/audit' }] }
    return [{ kind: 'audit_unsealed', subject: 'all', detail: group }]
  },
}

/** Who is told by it alone is not told: the others are. */
const receivers: Family = {
  kinds: ['notification_failing'],
  async find({ ctx, now }) {
    const failing = await readFailingReceivers(ctx.db, now)
    return failing.map(
      ({ id, name, failures, lastAt, lastError }): Finding => ({
        kind: 'notification_failing',
        subject: id,
        detail: { name, failures, lastAt, error: lastError },
      }),
    )
  },
}

export const console: readonly Family[] = [processes, queue, rollUp, audit, receivers]

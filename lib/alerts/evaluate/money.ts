import { termsAt } from '@/lib/conditions/terms'
import type { Finding } from '@/lib/conditions/write-conditions'
import { moneyToJson, sumByCurrency } from '@/lib/core/money'
import { readUnansweredOrphans } from '@/lib/effects/read-unanswered-orphans'
import { type OldCases, readOldCases } from '@/lib/reconcile/triage/read-old-cases'
import { EXAMPLES_MAX, type Group } from '../group'
import { ago, type Family, type Look } from './family'

const orphans: Family = {
  kinds: ['orphaned_effects'],
  async find({ ctx, now, rules }) {
    const { olderThanMs } = termsAt(rules, 'orphaned_effects').limits
    const old = await readUnansweredOrphans(ctx.db, ago(now, olderThanMs))
    const [oldest] = old
    if (oldest === undefined) return []
    const group: Group = {
      count: old.length,
      oldestAt: oldest.foundAt.toISOString(),
      money: sumByCurrency(old.flatMap(({ amount }) => amount ?? [])).map(moneyToJson),
      examples: old.slice(0, EXAMPLES_MAX).map(({ effectId, name }) => ({
        label: effectId === '' ? name : effectId,
        path: '/effects?kind=orphan',
      })),
    }
    return [{ kind: 'orphaned_effects', subject: 'all', detail: group }]
  },
}

/** Cases of one sort that are open for too long, one alert a system. */
const openCases = (
  kind: 'p1_cases' | 'suspected_duplicates',
  which: { severity: 'P1' } | { class: 'duplicate_semantic' },
): Family => ({
  kinds: [kind],
  async find({ ctx, now, rules }: Look) {
    const systems = await ctx.db.prisma.reconciliationCase.findMany({
      where: { lifecycle: { not: 'resolved' } },
      select: { system: true },
      distinct: ['system'],
    })
    const found = await Promise.all(
      systems.map(async ({ system }): Promise<Finding[]> => {
        const before = ago(now, termsAt(rules, kind, { system }).limits.olderThanMs)
        const old = await readOldCases(ctx.db, { system, before, ...which }, EXAMPLES_MAX)
        return old.count === 0 ? [] : [{ kind, subject: system, detail: { system, ...groupOf(old) } }]
      }),
    )
    return found.flat()
  },
})

const groupOf = ({ examples, ...cases }: OldCases): Group => ({
  ...cases,
  examples: examples.map(({ id, title }) => ({ label: title, path: `/reconciliation/cases/${id}` })),
})

export const money: readonly Family[] = [
  orphans,
  openCases('p1_cases', { severity: 'P1' }),
  openCases('suspected_duplicates', { class: 'duplicate_semantic' }),
]

import { readUnsettledCorrections } from '@/lib/actions/read-waiting'
import { termsAt } from '@/lib/conditions/terms'
import type { Finding } from '@/lib/conditions/write-conditions'
import { readStuckKeys, type StuckKeys } from '@/lib/locks/read-stuck'
import { keySettings } from '@/lib/locks/settings'
import { EXAMPLES_MAX, type Group } from '../group'
import { ago, type Family, type Look } from './family'
import { actionGroup } from './work'

/** One for each system that has a store. */
async function systemsOf({ ctx }: Look): Promise<string[]> {
  const rows = await ctx.db.prisma.source.findMany({
    where: { kind: 'intent', enabled: true },
    select: { system: true },
    distinct: ['system'],
  })
  return rows.map(({ system }) => system).toSorted()
}

const groupOf = ({ examples, ...stuck }: StuckKeys): Group => ({
  ...stuck,
  examples: examples.map(({ id, scope }) => ({ label: scope, path: `/locks?lock=${id}` })),
})

/** Any behind which money may have moved and that is old, or too many at once: one alert a system. */
async function stuckIn(look: Look, system: string): Promise<Finding[]> {
  const { ctx, now, rules } = look
  const { olderThanMs, countMax } = termsAt(rules, 'stuck_keys', { system }).limits
  const [all, old] = await Promise.all([
    readStuckKeys(ctx.db, { system, before: now, moneyOnly: false }, EXAMPLES_MAX),
    readStuckKeys(ctx.db, { system, before: ago(now, olderThanMs), moneyOnly: true }, EXAMPLES_MAX),
  ])
  const many = all.count > countMax
  if (!many && old.count === 0) return []
  return [{ kind: 'stuck_keys', subject: system, detail: { system, ...groupOf(many ? all : old) } }]
}

/** A provider answers a repeated key with the same object for so long: until then a retry is safe. */
async function closingIn({ ctx, now, rules }: Look, system: string): Promise<Finding[]> {
  const { withinMs } = termsAt(rules, 'window_closing', { system }).limits
  const { providerWindowMs } = keySettings()
  const before = ago(now, providerWindowMs - withinMs)
  const closing = await readStuckKeys(ctx.db, { system, before, moneyOnly: true }, EXAMPLES_MAX)
  if (closing.count === 0 || closing.oldestAt === null) return []
  const closesAt = new Date(Date.parse(closing.oldestAt) + providerWindowMs).toISOString()
  return [{ kind: 'window_closing', subject: system, detail: { system, ...groupOf(closing), closesAt } }]
}

/** A correction whose end is not known may be sent again under its key only as long as the provider knows the key. */
async function closingCorrections({ ctx, now, rules }: Look): Promise<Finding[]> {
  const { withinMs } = termsAt(rules, 'window_closing').limits
  const { providerWindowMs } = keySettings()
  const sentBefore = ago(now, providerWindowMs - withinMs)
  const closing = await readUnsettledCorrections(ctx.db, sentBefore, EXAMPLES_MAX)
  if (closing.count === 0) return []
  return [
    {
      kind: 'window_closing',
      subject: 'corrections',
      detail: { name: 'corrections', ...actionGroup(closing) },
    },
  ]
}

/** Both are decided from the locks. */
const stuck: Family = {
  kinds: ['stuck_keys', 'window_closing'],
  async find(look) {
    const systems = await systemsOf(look)
    const found = await Promise.all([
      ...systems.flatMap((system) => [stuckIn(look, system), closingIn(look, system)]),
      closingCorrections(look),
    ])
    return found.flat()
  },
}

export const keys: readonly Family[] = [stuck]

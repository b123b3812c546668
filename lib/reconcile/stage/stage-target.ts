import { inTransaction } from '@/lib/db'
import { lockMirror } from '@/lib/mirror/apply'
import { alias } from '@/lib/mirror/object'
import { assignOperations } from '@/lib/mirror/operations'
import { unassignedBy } from '@/lib/mirror/read/unassigned'
import { openSystem } from '@/lib/sources/registry'
import { lookUpKey } from '../classify/finding'
import { LOOK_UPS_MAX, lookUp } from '../classify/read/look-up'
import { readOperations } from '../classify/read/read-operations'
import { questionsOf } from '../corrections/execute/gather'
import type { ReconcileSettings } from '../settings'
import type { StageContext } from './batch'
import { earliestOf, readProviderClock } from './source-clock'
import { type Side, type SideState, type StageOutcome, sidesOf } from './stage'

/** What a run on demand may be about, instead of a window. */
export type Target = { scope: string; key: string } | { reference: string }

/**
 * Everything about one key or one order, asked by id: the store for the key, then provider and ledger for whatever is
 * known of its operation. Nothing is listed, so what nobody has heard of is not found here.
 */
export async function stageTarget(
  ctx: StageContext,
  system: string,
  target: Target,
  settings: ReconcileSettings,
): Promise<StageOutcome & { operations: bigint[] }> {
  const sources = await openSystem(ctx, system)
  const clocks = sources.providers.map((open) => readProviderClock(ctx, open, settings))
  const asOf = await earliestOf(ctx, clocks)
  const ask = 'key' in target ? [{ kind: 'key' as const, ...target }] : []
  const first = await lookUp(ctx, sources, ask, { left: LOOK_UPS_MAX }, settings)
  const operations = await operationsOf(ctx, system, target)
  const wanted = (await readOperations(ctx.db, system, operations)).flatMap(questionsOf)
  const answered = await lookUp(ctx, sources, wanted, { left: LOOK_UPS_MAX }, settings)
  const whole = first.size === ask.length && wanted.every((question) => answered.has(lookUpKey(question)))
  const sides = sidesOf(sources)
  const state = (side: Side): SideState => (sides[side] === 'complete' && !whole ? 'incomplete' : sides[side])
  return {
    system,
    asOf,
    operations,
    sides: {
      intent: state('intent'),
      ledger: state('ledger'),
      provider: state('provider'),
    },
    failures: [],
    read: wanted.length,
  }
}

/** The operation that the target's alias leads to, given one now where it has none yet. */
async function operationsOf(ctx: StageContext, system: string, target: Target): Promise<bigint[]> {
  const wanted = 'key' in target ? alias.key(target.scope, target.key) : alias.reference(target.reference)
  return inTransaction(ctx.db.pool, async (client) => {
    await lockMirror(client, system)
    const rows = await unassignedBy(client, system, [wanted])
    const members = rows.map(({ aliases, ...row }) => ({ aliases, eager: true, row }))
    const asked = { aliases: [wanted], eager: rows.length > 0 }
    const { operations } = await assignOperations(client, system, ctx.clock.now(), [asked, ...members])
    await ctx.inBatch?.(client)
    return [...new Set(operations.flatMap((id) => id ?? []))]
  })
}

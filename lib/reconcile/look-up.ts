import { RunCancelledError, RunLostError } from '@/lib/runs/handle'
import type { ProviderSource } from '@/lib/sources/contracts'
import { leaseObject, ledgerObject, recordObject, type StagedObject } from '@/lib/sources/mirror/object'
import { absentObject, providerObject } from '@/lib/sources/mirror/provider-object'
import type { OpenSource, SystemSources } from '@/lib/sources/registry'
import { commitBatch, type StageContext } from './batch'
import { type LookUp, lookUpKey } from './classify/finding'
import type { ReconcileSettings } from './settings'

const LEDGER_REFS_A_QUERY = 500
const AT_ONCE = 4

/** How many single questions a run may ask; what is left is asked by the next. */
export type LookUpBudget = { left: number }
export const LOOK_UPS_MAX = 1_000

/**
 * Asks by id for what is about to be called missing. Answers go through the mirror; returns what was answered. A source
 * that fails leaves its questions open, and the findings that rest on them pending.
 */
export async function lookUp(
  ctx: StageContext,
  sources: SystemSources,
  wanted: readonly LookUp[],
  budget: LookUpBudget,
  settings: ReconcileSettings,
): Promise<Set<string>> {
  const unique = [...new Map(wanted.map((each) => [lookUpKey(each), each])).values()]
  const answered = new Set<string>()
  const refs = unique.flatMap((each) => (each.kind === 'ledger' ? each.ref : []))
  for (let first = 0; first < refs.length; first += LEDGER_REFS_A_QUERY) {
    const part = refs.slice(first, first + LEDGER_REFS_A_QUERY)
    if (await guarded(ctx, () => askLedgers(ctx, sources, part))) {
      for (const ref of part) answered.add(lookUpKey({ kind: 'ledger', ref }))
    }
  }
  const singles = unique.filter(({ kind }) => kind !== 'ledger').slice(0, Math.max(0, budget.left))
  budget.left -= singles.length
  for (let first = 0; first < singles.length; first += AT_ONCE) {
    const part = singles.slice(first, first + AT_ONCE)
    const done = await Promise.all(
      part.map((each) => guarded(ctx, () => askOne(ctx, sources, each, settings))),
    )
    part.forEach((each, place) => {
      if (done[place]) answered.add(lookUpKey(each))
    })
  }
  return answered
}

async function guarded(ctx: StageContext, ask: () => Promise<void>): Promise<boolean> {
  try {
    await ask()
    return true
  } catch (error) {
    if (error instanceof RunLostError || error instanceof RunCancelledError) throw error
    ctx.log.warn({ err: error }, 'a look-up failed')
    return false
  }
}

async function askLedgers(ctx: StageContext, sources: SystemSources, refs: readonly string[]): Promise<void> {
  for (const open of sources.ledgers) {
    const observedAt = ctx.clock.now()
    const rows = await open.source.readByProviderRefs(refs)
    await commitBatch(
      ctx,
      open,
      rows.map((row) => ledgerObject(row, observedAt)),
      null,
      async () => undefined,
    )
  }
}

async function askOne(
  ctx: StageContext,
  sources: SystemSources,
  wanted: LookUp,
  settings: ReconcileSettings,
): Promise<void> {
  if (wanted.kind === 'key') return askStores(ctx, sources, wanted, settings)
  if (wanted.kind !== 'ledger') return askProviders(ctx, sources, wanted, settings)
}

async function askStores(
  ctx: StageContext,
  sources: SystemSources,
  wanted: { scope: string; key: string },
  settings: ReconcileSettings,
): Promise<void> {
  for (const open of sources.intents) {
    const { now, lease, record } = await open.source.readKey(wanted.scope, wanted.key)
    const objects: StagedObject[] = []
    if (lease !== null) objects.push(leaseObject(lease, now, settings.keySecret))
    if (record !== null) objects.push(recordObject(record, settings.keySecret))
    await commitBatch(ctx, open, objects, null, async () => undefined)
  }
}

/** Present at one provider, or absent at all of them. What none of them can look up is neither: nothing is staged. */
async function askProviders(
  ctx: StageContext,
  sources: SystemSources,
  wanted: { kind: 'charge' | 'refund' | 'dispute'; id: string },
  settings: ReconcileSettings,
): Promise<void> {
  const observedAt = ctx.clock.now()
  let denied: OpenSource<ProviderSource> | null = null
  for (const open of sources.providers) {
    const { source } = open
    const resolved = await source.resolve(wanted.id)
    if (resolved.kind === 'absent') denied ??= open
    if (resolved.kind !== 'found') continue
    const objects = resolved.objects.map((object) =>
      providerObject(object, observedAt, source.mode, settings.keySecret),
    )
    return commitBatch(ctx, open, objects, source.effectNames, async () => undefined)
  }
  if (denied === null) return
  const absent = absentObject(wanted.kind, wanted.id, observedAt)
  return commitBatch(ctx, denied, [absent], denied.source.effectNames, async () => undefined)
}

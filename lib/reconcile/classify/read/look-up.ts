import { readCursor } from '@/lib/mirror/cursor'
import {
  leaseObject,
  ledgerObject,
  recordObject,
  type StagedObject,
  unreadableKey,
} from '@/lib/mirror/object'
import { absentObject, providerObject, type Reading } from '@/lib/mirror/provider-object'
import { firstNotListed } from '@/lib/mirror/read/coverage'
import { noteLate, notStaged } from '@/lib/mirror/unreadable'
import { nextVersion } from '@/lib/mirror/version'
import type { ReconcileSettings } from '@/lib/reconcile/settings'
import { commitBatch, type StageContext } from '@/lib/reconcile/stage/batch'
import type { Side } from '@/lib/reconcile/stage/stage'
import { LEDGER_FEED } from '@/lib/reconcile/stage/stage-ledger'
import { overlapMs, rewindProvider } from '@/lib/reconcile/stage/stage-provider'
import { RunCancelledError, RunLostError } from '@/lib/runs/handle'
import {
  type IntentSource,
  type LedgerRow,
  type LedgerSource,
  type ProviderRecord,
  type ProviderSource,
  UnreadableKeyError,
} from '@/lib/sources/contracts'
import type { OpenSource, SystemSources } from '@/lib/sources/registry'
import { type LookUp, lookUpKey } from '../finding'

const LEDGER_REFS_A_QUERY = 500
const AT_ONCE = 4

/** How many single questions a run may ask; what is left is asked by the next. `failed`: sources that did not answer. */
export type LookUpBudget = { left: number; failed?: Map<string, FailedSource> }
export const LOOK_UPS_MAX = 1_000

export type FailedSource = { side: Side; sourceId: string; name: string; message: string }

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
    if (await guarded(ctx, budget, () => askLedgers(ctx, sources, part))) {
      for (const ref of part) answered.add(lookUpKey({ kind: 'ledger', ref }))
    }
  }
  const singles = unique.filter(({ kind }) => kind !== 'ledger').slice(0, Math.max(0, budget.left))
  budget.left -= singles.length
  for (let first = 0; first < singles.length; first += AT_ONCE) {
    const part = singles.slice(first, first + AT_ONCE)
    const done = await Promise.all(
      part.map((each) => guarded(ctx, budget, () => askOne(ctx, sources, each, settings))),
    )
    part.forEach((each, place) => {
      if (done[place]) answered.add(lookUpKey(each))
    })
  }
  return answered
}

async function guarded(ctx: StageContext, budget: LookUpBudget, ask: () => Promise<void>): Promise<boolean> {
  try {
    await ask()
    return true
  } catch (error) {
    if (error instanceof RunLostError || error instanceof RunCancelledError) throw error
    if (error instanceof NoAnswer) budget.failed?.set(error.source.sourceId, error.source)
    ctx.log.warn({ err: error }, 'a look-up failed')
    return false
  }
}

class NoAnswer extends Error {
  constructor(
    readonly source: FailedSource,
    cause: unknown,
  ) {
    super(source.message, { cause })
  }
}

/** The answer of one source, or its failure under its name. */
async function answerOf<T>(side: Side, open: OpenSource, answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new NoAnswer({ side, sourceId: open.id, name: open.name, message }, error)
  }
}

async function askLedgers(ctx: StageContext, sources: SystemSources, refs: readonly string[]): Promise<void> {
  for (const open of sources.ledgers) {
    const version = await nextVersion(ctx.db)
    const rows = await answerOf('ledger', open, open.source.readByProviderRefs(refs))
    const late = await lateRows(ctx, open, rows)
    await commitBatch(
      ctx,
      open,
      rows.map((row) => ledgerObject(row, version)),
      null,
      (client, now) => noteLate(client, open, now, late),
    )
  }
}

/** Rows that the feed has passed without reading them: they were booked into the past, and others may have been. */
async function lateRows(
  ctx: StageContext,
  open: OpenSource<LedgerSource>,
  rows: readonly LedgerRow[],
): Promise<{ objectId: string; reason: string }[]> {
  const cursor = await readCursor(ctx.db, open.id, LEDGER_FEED)
  const passed = cursor === null ? [] : await open.source.passedRows(cursor, rows)
  if (passed.length === 0) return []
  const missing = await notStaged(
    ctx.db,
    open.id,
    passed.map(({ entryId }) => entryId),
  )
  return passed
    .filter(({ entryId }) => missing.has(entryId))
    .map(({ entryId, bookedAt }) => ({
      objectId: entryId,
      reason: `it is booked at ${bookedAt.toISOString()}, which its feed had passed when it was inserted`,
    }))
}

async function askOne(
  ctx: StageContext,
  sources: SystemSources,
  wanted: LookUp,
  settings: ReconcileSettings,
): Promise<void> {
  if (wanted.kind === 'key') return askStores(ctx, sources, wanted, settings)
  if (wanted.kind === 'payments') return askPayments(ctx, sources, wanted, settings)
  if (wanted.kind !== 'ledger') return askProviders(ctx, sources, wanted, settings)
}

async function askStores(
  ctx: StageContext,
  sources: SystemSources,
  wanted: { scope: string; key: string },
  settings: ReconcileSettings,
): Promise<void> {
  for (const open of sources.intents) {
    const objects = await answerOf('intent', open, readKeyObjects(open.source, wanted, settings))
    await commitBatch(ctx, open, objects, null, async () => undefined)
  }
}

/** A row that is there and cannot be understood is an answer: a key whose state is not known. */
async function readKeyObjects(
  source: IntentSource,
  { scope, key }: { scope: string; key: string },
  { keySecret }: ReconcileSettings,
): Promise<StagedObject[]> {
  try {
    const { now, lease, record } = await source.readKey(scope, key)
    return [
      ...(lease === null ? [] : [leaseObject(lease, now, keySecret)]),
      ...(record === null ? [] : [recordObject(record, keySecret)]),
    ]
  } catch (error) {
    if (error instanceof UnreadableKeyError) return [unreadableKey(error.row, error.now, keySecret)]
    throw error
  }
}

/** Present at one provider, or absent at all of them. What none of them can look up is neither: nothing is staged. */
async function askProviders(
  ctx: StageContext,
  sources: SystemSources,
  wanted: { kind: 'charge' | 'refund' | 'dispute'; id: string },
  settings: ReconcileSettings,
): Promise<void> {
  let denied: { open: OpenSource<ProviderSource>; reading: Reading } | null = null
  for (const open of sources.providers) {
    const { source } = open
    const version = await nextVersion(ctx.db)
    const resolved = await answerOf('provider', open, source.resolve(wanted.id))
    if (resolved.kind === 'absent') denied ??= { open, reading: { version, at: resolved.at } }
    if (resolved.kind !== 'found') continue
    await doubtListing(ctx, open, resolved.objects, settings)
    const objects = resolved.objects.map((object) =>
      providerObject(object, { version, at: resolved.at }, { mode: source.mode, ...settings }),
    )
    return commitBatch(ctx, open, objects, source.effectNames, async () => undefined)
  }
  if (denied === null) return
  const { open, reading } = denied
  const absent = absentObject(wanted.kind, wanted.id, reading)
  return commitBatch(ctx, open, [absent], open.source.effectNames, async () => undefined)
}

/**
 * An object that is found by its id, and that the listing of its time did not show, proves that listing incomplete: it is
 * read again from then on, and nothing that it did not show counts as absent.
 */
async function doubtListing(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  objects: readonly ProviderRecord[],
  settings: ReconcileSettings,
): Promise<void> {
  const listed = objects.filter(({ kind }) => kind === 'charge' || kind === 'refund')
  const dated = listed.flatMap(({ id, createdAt }) => (createdAt === null ? [] : [{ id, createdAt }]))
  const first = await firstNotListed(ctx.db, open.id, dated, overlapMs(settings))
  if (first === null) return
  ctx.log.warn({ source: open.id, since: first }, 'a listing did not show what is there: listing again')
  await rewindProvider(ctx, open.id, first)
}

/** What is found is staged: it ties the charge to whoever kept, or tagged, its session or invoice. */
async function askPayments(
  ctx: StageContext,
  sources: SystemSources,
  { id }: { id: string },
  settings: ReconcileSettings,
): Promise<void> {
  for (const open of sources.providers) {
    const { source } = open
    const version = await nextVersion(ctx.db)
    const payments = await answerOf('provider', open, source.paymentsAbove(id))
    const objects = payments.map((payment) =>
      providerObject(payment, { version, at: null }, { mode: source.mode, ...settings }),
    )
    await commitBatch(ctx, open, objects, source.effectNames, async () => undefined)
  }
}

import type { Aspect } from '@/lib/core/case-classes'
import type { World } from '../world/world'
import { type Booked, type Difference, findDifferences } from './differences'

/** What was true when a run began: it has to be known to that run, whatever commits out of order and whose clock is wrong. */
export type Truth = {
  atMs: number
  /** Of postings that were committed and not reversed: their kind and the provider's id. */
  booked: Set<string>
  /** Of all that were committed: their id and the provider's. */
  committed: Set<string>
  /** Charges and refunds whose money has moved. */
  paid: Set<string>
  /** Authorisations that nobody has captured, and those that were given up. */
  unmoved: Set<string>
  differences: Difference[]
}

/** Younger than this, the provider may not list it yet. */
const LISTED_MS = 10_000
/** Older than this, nothing is pending any more. */
const RIPE_MS = 150_000
/** Younger than this, its booking may still come: a run's grace, and the second that the provider rounds down to. */
const BOOKED_MS = 14_000
/** A run's grace from the end of a key or of its lease, and its settle delay. */
const ENDED_MS = 20_000

export async function readTruth(world: World): Promise<Truth> {
  const { rows } = await world.env.admin.query<Booked>('SELECT * FROM ledger_entry')
  const nowMs = world.env.time.nowMs
  const { provider } = world
  const isListed = ({ id }: { id: string }, atMs: number | undefined) =>
    atMs !== undefined && nowMs - atMs >= LISTED_MS ? [id] : []
  const charges = provider.charges().filter(({ status }) => status === 'succeeded')
  return {
    atMs: nowMs,
    booked: new Set(
      rows
        .filter(({ reversed_at }) => reversed_at === null)
        .map(({ entry_kind, provider_ref }) => `${entry_kind} ${provider_ref}`),
    ),
    committed: new Set(rows.map(({ entry_id, provider_ref }) => `${entry_id} ${provider_ref}`)),
    paid: new Set([
      ...charges.flatMap((charge) => isListed(charge, provider.capturedAtMs.get(charge.id))),
      ...provider
        .refunds()
        .filter(({ status }) => status === 'succeeded')
        .flatMap((refund) => isListed(refund, refund.createdS * 1000)),
    ]),
    unmoved: new Set(
      [...charges.filter(({ captured }) => !captured), ...provider.releases()].map(({ id }) => id),
    ),
    differences: findDifferences(world, rows),
  }
}

type Shown = {
  class: string
  aspect: Aspect
  severity: string
  outcome: string
  objectId: string
  effectIds: string[]
  reference: string | null
  text: string
  isResolved: boolean
  /** By this very run. */
  endedNow: boolean
}

/** What a run shows once it is complete, and what it does not show any more. */
export async function checkCases(world: World, truth: Truth, runId: string): Promise<void> {
  const { rows } = await world.env.db.pool.query(
    `SELECT class, severity, aspect, outcome, object_id AS "objectId", effect_ids AS "effectIds", reference, evidence::text AS text,
       lifecycle = 'resolved' AS "isResolved", lifecycle = 'resolved' AND last_run_id = $1 AS "endedNow"
     FROM reconciliation_case`,
    [runId],
  )
  const now = await readTruth(world)
  await noRowIsPassed(world, truth, now)
  const shown = (rows as Shown[]).filter(({ isResolved }) => !isResolved)
  for (const each of shown) {
    shownAsMissing(world, truth, now, each)
    shownAsUnpaid(world, truth, each)
  }
  const ended = (rows as Shown[]).filter(({ endedNow }) => endedNow)
  await everyDifferenceIsShown(world, [truth, now], shown, ended)
}

/** However late it was committed: what is there when a run begins is read by it, or was by one before. */
async function noRowIsPassed(world: World, before: Truth, now: Truth): Promise<void> {
  const { env } = world
  const { rows } = await env.db.pool.query(
    `SELECT object_id || ' ' || provider_ref AS posting FROM mirror.object WHERE source_id = $1`,
    [env.sources.ledger],
  )
  const read = new Set(rows.map(({ posting }) => posting))
  for (const posting of before.committed)
    if (now.committed.has(posting) && !read.has(posting))
      world.break('no row is passed', `posting ${posting} was there when the run began, and is not read`)
}

function shownAsMissing(world: World, before: Truth, now: Truth, shown: Shown): void {
  if (shown.class === 'refund_unbooked' && before.booked.has(`refund ${shown.objectId}`))
    world.break('what is booked is not shown as missing', `${shown.objectId} is booked, and ${shown.class}`)
  const unmoved = [...shown.effectIds, shown.objectId].find(
    (id) => before.unmoved.has(id) && now.unmoved.has(id),
  )
  if (unmoved !== undefined && MOVED.includes(shown.class))
    world.break('what moved no money is not shown as money', `${unmoved} moved none, and ${shown.class}`)
  if (shown.class !== 'orphan_effect' && shown.class !== 'ledger_missing') return
  const charge = world.provider.charges().find(({ id }) => shown.effectIds.includes(id))
  const names = charge === undefined ? [] : [charge.id, charge.paymentIntent]
  if (names.some((name) => before.booked.has(`charge ${name}`) && now.booked.has(`charge ${name}`)))
    world.break('what is booked is not shown as missing', `${charge?.id} is booked, and ${shown.class}`)
  const capturedMs = world.provider.capturedAtMs.get(charge?.id ?? '')
  if (shown.outcome === 'break' && capturedMs !== undefined && now.atMs - capturedMs < BOOKED_MS)
    world.break(
      'what may still be booked is not shown as missing',
      `${charge?.id} is new, and ${shown.class}`,
    )
}

/** Classes that say of money that it was taken or given back. */
const MOVED = ['orphan_effect', 'ledger_missing', 'failed_but_charged', 'refund_unbooked']

function shownAsUnpaid(world: World, { paid }: Truth, shown: Shown): void {
  if (!['phantom_ledger', 'refund_unsent'].includes(shown.class) || !paid.has(shown.objectId)) return
  world.break('what is paid is not shown as unpaid', `${shown.objectId} was paid, and ${shown.class}`)
}

/** Where a difference is shown: a case of another aspect is about something else, and may end while it stands. */
const ASPECTS: Record<Difference['what'], readonly Aspect[]> = {
  'a charge is not booked': ['existence', 'uniqueness'],
  'a customer is charged twice': ['existence', 'uniqueness'],
  'a refund is not booked': ['refund', 'uniqueness'],
  'a refund was not paid': ['refund'],
  'a wrong fee is booked': ['value'],
}

/** What differed when the run began and still does: once it is ripe a case says so, and no case of it ends. */
async function everyDifferenceIsShown(
  world: World,
  [before, now]: readonly [Truth, Truth],
  shown: readonly Shown[],
  ended: readonly Shown[],
): Promise<void> {
  const unripe = await readUnripeKeys(world, before.atMs)
  const lasting = before.differences.filter(({ what, id }) =>
    now.differences.some((each) => each.what === what && each.id === id),
  )
  // Of what floods itself, a part is opened.
  if (lasting.length > world.floodCap) return
  for (const { what, id, names, reference, sinceMs } of lasting) {
    if (names.some((name) => world.lostPostings.has(name))) continue
    const tells = (each: Shown) =>
      names.some((name) => JSON.stringify(each).includes(name)) &&
      (what !== 'a customer is charged twice' || each.severity === 'P1')
    const isOfCharge = what === 'a charge is not booked'
    if (unripe.has(reference)) continue
    const isAbout = ({ aspect }: Shown) => ASPECTS[what].includes(aspect)
    if (shown.some((each) => isAbout(each) && (tells(each) || (isOfCharge && each.reference === reference))))
      continue
    const closed = ended.find(
      (each) => isAbout(each) && [each.objectId, ...each.effectIds].some((id) => names.includes(id)),
    )
    if (closed !== undefined)
      world.break(
        'no case ends while its difference stands',
        `${what}: ${id}, and ${closed.class} was resolved`,
      )
    if (before.atMs - sinceMs >= RIPE_MS)
      world.break('every difference is shown', `${what}: ${id} of ${reference}, and no case says so`)
  }
}

/**
 * Keys that somebody was at when the run began, or had let go or completed a moment before: their case has ended, or begins
 * once they stop, and their booking may still come. The store's clock in the provider's time, as a run compares them.
 */
async function readUnripeKeys(world: World, begunMs: number): Promise<Set<string>> {
  const { rows } = await world.env.admin.query(
    `SELECT idem_key_text(key) AS key FROM idem_lease WHERE lease_until > $1
     UNION ALL SELECT idem_key_text(key) FROM idem_record JOIN idem_tier USING (tier)
     WHERE expires_at - ttl_ms * interval '1 millisecond' > $1`,
    [new Date(begunMs - ENDED_MS)],
  )
  return new Set(rows.map(({ key }) => key))
}

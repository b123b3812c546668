import type { World } from '../world/world'

/** What was true when a run began: it has to be known to that run, whatever commits out of order and whose clock is wrong. */
export type Truth = {
  atMs: number
  /** Of postings that were committed and not reversed: their kind and the provider's id. */
  booked: Set<string>
  /** Charges and refunds whose money has moved. */
  paid: Set<string>
  /** Charges that the merchant still has in whole, with what can stand for them in a case. */
  charges: { id: string; intent: string; reference: string; ageMs: number }[]
}

/** Younger than this, the provider may not list it yet. */
const LISTED_MS = 10_000
/** Older than this, nothing is pending any more. */
const RIPE_MS = 150_000
/** A run's grace from the end of a key, and its settle delay. */
const COMPLETED_MS = 20_000

export async function readTruth(world: World): Promise<Truth> {
  const { rows } = await world.env.admin.query(
    'SELECT entry_kind, provider_ref FROM ledger_entry WHERE reversed_at IS NULL',
  )
  const nowMs = world.env.time.nowMs
  const isListed = ({ createdS }: { createdS: number }) => nowMs - createdS * 1000 >= LISTED_MS
  const paid = [...world.provider.charges(), ...world.provider.refunds()].filter(
    (each) => each.status === 'succeeded' && isListed(each),
  )
  return {
    atMs: nowMs,
    booked: new Set(rows.map(({ entry_kind, provider_ref }) => `${entry_kind} ${provider_ref}`)),
    paid: new Set(paid.map(({ id }) => id)),
    charges: world.provider
      .liveCharges()
      .filter(({ amountRefunded }) => amountRefunded === 0)
      .map((charge) => ({
        id: charge.id,
        intent: charge.paymentIntent,
        reference: charge.description ?? '',
        ageMs: nowMs - charge.createdS * 1000,
      })),
  }
}

type Shown = { class: string; objectId: string; effectIds: string[]; reference: string | null; text: string }

/** What a run shows once it is complete. */
export async function checkCases(world: World, truth: Truth): Promise<void> {
  const { rows } = await world.env.db.pool.query(
    `SELECT class, object_id AS "objectId", effect_ids AS "effectIds", reference, evidence::text AS text
     FROM reconciliation_case WHERE lifecycle <> 'resolved'`,
  )
  for (const shown of rows as Shown[]) {
    shownAsMissing(world, truth, shown)
    shownAsUnpaid(world, truth, shown)
  }
  await everyUnbookedChargeIsShown(world, truth, rows)
}

function shownAsMissing(world: World, { booked, charges }: Truth, shown: Shown): void {
  if (shown.class === 'refund_unbooked' && booked.has(`refund ${shown.objectId}`))
    world.break('what is booked is not shown as missing', `${shown.objectId} is booked, and ${shown.class}`)
  if (shown.class !== 'orphan_effect' && shown.class !== 'ledger_missing') return
  for (const { id, intent } of charges)
    if (shown.effectIds.includes(id) && (booked.has(`charge ${id}`) || booked.has(`charge ${intent}`)))
      world.break('what is booked is not shown as missing', `${id} is booked, and ${shown.class}`)
}

function shownAsUnpaid(world: World, { paid }: Truth, shown: Shown): void {
  if (!['phantom_ledger', 'refund_unsent'].includes(shown.class) || !paid.has(shown.objectId)) return
  world.break('what is paid is not shown as unpaid', `${shown.objectId} was paid, and ${shown.class}`)
}

async function everyUnbookedChargeIsShown(world: World, truth: Truth, shown: Shown[]): Promise<void> {
  const now = await readTruth(world)
  const unripe = await readUnripeKeys(world, now.atMs - truth.atMs)
  for (const { id, intent, reference, ageMs } of truth.charges) {
    if (unripe.has(reference)) continue
    if (ageMs < RIPE_MS || [now, truth].some(({ booked }) => isBooked(booked, id, intent))) continue
    if (!now.charges.some((each) => each.id === id)) continue
    const named = shown.some(
      (each) =>
        each.reference === reference || [id, intent].some((name) => JSON.stringify(each).includes(name)),
    )
    if (!named)
      world.break('what is not booked is shown', `${id} of ${reference} is not booked, and no case says so`)
  }
}

/**
 * Keys that somebody has taken over and is at: their case has ended, or begins when they stop. And keys that were completed
 * a moment before the run began, or since: whoever completed them, their booking may still come.
 */
async function readUnripeKeys(world: World, sinceRunMs: number): Promise<Set<string>> {
  const { rows } = await world.env.admin.query(
    `SELECT idem_key_text(key) AS key FROM idem_lease WHERE state = 'L' AND lease_until > clock_timestamp()
     UNION ALL SELECT idem_key_text(key) FROM idem_record JOIN idem_tier USING (tier)
     WHERE expires_at - ttl_ms * interval '1 millisecond' > clock_timestamp() - $1 * interval '1 millisecond'`,
    [sinceRunMs + COMPLETED_MS],
  )
  return new Set(rows.map(({ key }) => key))
}

const isBooked = (booked: Set<string>, id: string, intent: string): boolean =>
  booked.has(`charge ${id}`) || booked.has(`charge ${intent}`)

import type { Db } from '@/lib/db'
import {
  couldBe,
  type ListedObject,
  stagedOrNamed,
  type UntaggedObject,
  untaggedObjects,
  untaggedOfListed,
} from '@/lib/mirror/read/untagged'
import type { LeaseRow, SoughtEffect, StoredEffect, TimeRange } from '@/lib/sources/contracts'
import type { Candidate } from './provider-answer'

/**
 * Objects without a key that could be an effect of this one: made while it can have made some, with an amount that fits.
 * Where the store knows no amount of an effect that was begun, or of none that was, any amount fits. `listed`: what
 * providers show beyond what is staged, by the id of their source. `anyStaged`: whether something without a key is staged.
 */
export async function possibleEffects(
  db: Db,
  subject: { system: string; lease: Pick<LeaseRow, 'scope' | 'key' | 'effects'> },
  made: TimeRange,
  listed: readonly { source: string; objects: readonly ListedObject[] }[],
  anyStaged: () => Promise<boolean>,
): Promise<Candidate[]> {
  const { system, lease } = subject
  const seeker = { system, scope: lease.scope, key: lease.key }
  const sought = soughtEffects(lease.effects, made)
  const found = new Map<string, Candidate>()
  const fresh = listed.flatMap(({ source, objects }) =>
    objects
      .filter((object) => sought.some((effect) => couldBe(object, effect)))
      .map((object) => ({ source, object })),
  )
  const known = await stagedOrNamed(
    db,
    seeker,
    fresh.map(({ object: { id, paymentIntentId } }) => ({ id, parentId: paymentIntentId })),
  )
  // After that: what is staged meanwhile is then in the one or the other.
  for (const effect of known.size > 0 || (await anyStaged()) ? sought : []) {
    for (const object of await untaggedObjects(db, seeker, effect)) found.set(object.id, toCandidate(object))
  }
  for (const { source, object } of fresh) {
    if (!known.has(object.id)) found.set(object.id, toCandidate(untaggedOfListed(source, object)))
  }
  return [...found.values()].sort((a, b) =>
    a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0,
  )
}

/** The recorded steps whose end nobody knows; of a key that records none, whatever its handler may have called. */
function soughtEffects(effects: LeaseRow['effects'], window: TimeRange): SoughtEffect[] {
  const calls = effects.filter(isProviderCall)
  if (calls.length === 0) return BOTH.map((kind) => ({ kind, window, amount: null }))
  return calls
    .filter(({ state }) => state === 'begun' || state === 'unknown')
    .flatMap((effect) => kindsOf(effect.name).map((kind) => ({ kind, window, amount: amountOf(effect) })))
}

/** What a service does in its own database, or sends to a broker, is at no provider. */
export const isProviderCall = ({ kind }: Pick<StoredEffect, 'kind'>): boolean =>
  kind !== 'db' && kind !== 'message'

const BOTH: SoughtEffect['kind'][] = ['charge', 'refund']

/** By the last part of its name (`stripe.charge`); another name can stand for either. */
const kindsOf = (name: string): SoughtEffect['kind'][] => {
  const last = name.slice(name.lastIndexOf('.') + 1)
  return last === 'charge' || last === 'refund' ? [last] : BOTH
}

const amountOf = ({ amountMinor, currency }: StoredEffect): SoughtEffect['amount'] =>
  amountMinor === null || currency === null ? null : { minor: amountMinor, currency }

const toCandidate = ({ sourceId, kind, id, status, amount, createdAt }: UntaggedObject): Candidate => ({
  source: sourceId,
  kind,
  id,
  status,
  amount: amount === null ? null : { minor: amount.minor.toString(), currency: amount.currency },
  createdAt: createdAt?.toISOString() ?? '',
})

import type { Db } from '@/lib/db'
import { type UntaggedObject, untaggedObjects } from '@/lib/mirror/read/untagged'
import { stagedOrNamed } from '@/lib/mirror/read/untagged-listed'
import type { LeaseRow, SoughtEffect, StoredEffect, TimeRange } from '@/lib/sources/contracts'
import type { Candidate } from './provider-answer'
import type { Listed } from './provider-tail'

const LIVING = new Set(['pending', 'succeeded', 'other'])

/**
 * Objects without a key that could be an effect of this one: made while it can have made some, with an amount that fits.
 * Where the store knows no amount of an effect that was begun, or of none that was, any amount fits. `listed`: what
 * providers show beyond what is staged, by the id of their source. `anyStaged`: something without a key is staged.
 */
export async function possibleEffects(
  db: Db,
  subject: { system: string; lease: Pick<LeaseRow, 'scope' | 'key' | 'effects'> },
  made: TimeRange,
  listed: readonly { source: string; objects: readonly Listed[] }[],
  anyStaged: boolean,
): Promise<Candidate[]> {
  const { system, lease } = subject
  const seeker = { system, scope: lease.scope, key: lease.key }
  const sought = soughtEffects(lease.effects, made)
  const found = new Map<string, Candidate>()
  for (const effect of anyStaged ? sought : []) {
    for (const object of await untaggedObjects(db, seeker, effect)) found.set(object.id, ofStaged(object))
  }
  const fresh = listed.flatMap(({ source, objects }) =>
    objects
      .filter((object) => sought.some((effect) => fits(object, effect)))
      .map((object) => ({ source, object })),
  )
  const known = await stagedOrNamed(
    db,
    seeker,
    fresh.map(({ object: { id, paymentIntentId } }) => ({ id, parentId: paymentIntentId })),
  )
  for (const { source, object } of fresh) {
    if (!known.has(object.id)) found.set(object.id, ofListed(source, object))
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

/** The same test as of staged objects. */
function fits(object: Listed, { kind, window, amount }: SoughtEffect): boolean {
  if (object.key !== null && object.scope !== null) return false
  if (object.actionId !== null) return false
  if (object.kind === 'unreadable') {
    return object.of === kind && (object.createdAt === null || isWithin(object.createdAt, window))
  }
  if (object.kind !== kind || !LIVING.has(object.status) || !isWithin(object.createdAt, window)) return false
  if (object.kind === 'refund' && object.released) return false
  return amount === null || (object.amountMinor === amount.minor && object.currency === amount.currency)
}

const isWithin = (at: Date, { from, to }: TimeRange): boolean => at >= from && at < to

const ofStaged = ({ sourceId, kind, id, status, amount, createdAt }: UntaggedObject): Candidate => ({
  source: sourceId,
  kind,
  id,
  status,
  amount: amount === null ? null : { minor: amount.minor.toString(), currency: amount.currency },
  createdAt: createdAt.toISOString(),
})

const ofListed = (source: string, object: Listed): Candidate => ({
  source,
  kind:
    object.kind === 'refund' || (object.kind === 'unreadable' && object.of === 'refund')
      ? 'refund'
      : 'charge',
  id: object.id,
  status: object.kind === 'unreadable' ? 'other' : object.status,
  amount:
    object.kind === 'unreadable' ? null : { minor: object.amountMinor.toString(), currency: object.currency },
  createdAt: object.createdAt?.toISOString() ?? '',
})

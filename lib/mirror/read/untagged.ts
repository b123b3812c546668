import { z } from 'zod'
import type { Db } from '@/lib/db'
import type {
  ProviderObject,
  ProviderStatus,
  ProviderUnreadable,
  SoughtEffect,
} from '@/lib/sources/contracts'

/** An object that carries no key and that no key names. */
export type UntaggedObject = {
  sourceId: string
  kind: 'charge' | 'refund'
  id: string
  status: ProviderStatus
  /** null = it could not be read. */
  amount: { minor: bigint; currency: string } | null
  createdAt: Date | null
}

/** A declined or cancelled object moved no money. */
const LIVING: readonly ProviderStatus[] = ['pending', 'succeeded', 'other']
const IS_LIVING = `o.status IN (${LIVING.map((status) => `'${status}'`).join(', ')})`
/** Neither a key's nor the console's own. */
const IS_UNTAGGED = '(o.key IS NULL OR o.scope IS NULL) AND o.action_id IS NULL'

/** As many as a person would look at; there being one is what counts. */
const OBJECTS_MAX = 100

/**
 * $1 system, $2 kind, $3–$4 window, $5–$6 amount, $7 customer, $8 payment intent, $9–$10 the key that seeks. What another
 * key's record or lease names, by any of its ids, is that key's effect.
 */
const UNTAGGED = `
  SELECT o.source_id, o.kind, o.object_id, o.status, o.amount_minor, o.currency, o.occurred_at
  FROM source s JOIN mirror.object o ON o.source_id = s.id
  CROSS JOIN LATERAL (SELECT CASE o.kind WHEN 'charge' THEN ARRAY[o.object_id, o.parent_ref]
    ELSE ARRAY[o.object_id] END AS names) own
  WHERE s.system = $1 AND s.kind = 'provider' AND o.side = 'provider' AND o.kind = $2
    AND o.occurred_at >= $3 AND o.occurred_at < $4 AND ${IS_LIVING} AND ${IS_UNTAGGED} AND o.data->>'released' IS NULL
    AND ($5::bigint IS NULL OR o.amount_minor IS NULL OR (o.amount_minor = $5 AND o.currency = $6)
      OR o.data->>'customer' = $7 OR o.parent_ref = $8)
    AND NOT EXISTS (
      SELECT FROM mirror.object p
      WHERE p.system = $1 AND p.operation_id = o.operation_id AND p.kind = 'payment' AND p.key IS NOT NULL
        AND (p.provider_ref = ANY (own.names) OR p.data->'members' ?| own.names))
    AND NOT EXISTS (
      SELECT FROM mirror.object i
      WHERE i.system = $1 AND i.side = 'intent' AND i.provider_ref = ANY (own.names)
        AND (i.scope, i.key) IS DISTINCT FROM ($9, $10))
    AND NOT EXISTS (
      SELECT FROM mirror.object i
      WHERE i.system = $1 AND i.side = 'intent' AND i.operation_id = o.operation_id
        AND (i.scope, i.key) IS DISTINCT FROM ($9, $10)
        AND (i.data->'names' ?| own.names
          OR EXISTS (SELECT FROM jsonb_array_elements(i.data->'effects') effect
            WHERE effect->>'reference' = ANY (own.names))))
  ORDER BY o.occurred_at, o.object_id
  LIMIT ${OBJECTS_MAX}`

const rowSchema = z
  .object({
    source_id: z.string(),
    kind: z.enum(['charge', 'refund']),
    object_id: z.string(),
    status: z.enum(['pending', 'succeeded', 'failed', 'canceled', 'other']),
    amount_minor: z.string().nullable(),
    currency: z.string().nullable(),
    occurred_at: z.date(),
  })
  .transform(
    (row): UntaggedObject => ({
      sourceId: row.source_id,
      kind: row.kind,
      id: row.object_id,
      status: row.status,
      amount:
        row.amount_minor === null || row.currency === null
          ? null
          : { minor: BigInt(row.amount_minor), currency: row.currency },
      createdAt: row.occurred_at,
    }),
  )

/**
 * Staged objects that could be an effect though they carry no tags: made in its window, with its amount, customer or
 * payment intent, and named by no other key. Where there is one, "the provider has nothing" is not proved. Only as
 * complete as the listing of the window.
 */
export async function untaggedObjects(
  db: Db,
  seeker: { system: string; scope: string; key: string },
  sought: SoughtEffect,
): Promise<UntaggedObject[]> {
  const { rows } = await db.pool.query(UNTAGGED, [
    seeker.system,
    sought.kind,
    sought.window.from,
    sought.window.to,
    sought.amount?.minor ?? null,
    sought.amount?.currency ?? null,
    sought.customer ?? null,
    sought.paymentIntentId ?? null,
    seeker.scope,
    seeker.key,
  ])
  return rows.map((row) => rowSchema.parse(row))
}

/** An object as a provider lists it, before it is staged. */
export type ListedObject = ProviderObject | ProviderUnreadable

/** The same test as of staged objects. Of one that cannot be read only the time tells, if anything does. */
export function couldBe(object: ListedObject, sought: SoughtEffect): boolean {
  if ((object.key !== null && object.scope !== null) || object.actionId !== null) return false
  if (object.kind === 'unreadable') {
    return (
      object.of === sought.kind && (object.createdAt === null || isWithin(object.createdAt, sought.window))
    )
  }
  const { amount } = sought
  return (
    object.kind === sought.kind &&
    LIVING.includes(object.status) &&
    isWithin(object.createdAt, sought.window) &&
    !(object.kind === 'refund' && object.released) &&
    (amount === null || (object.amountMinor === amount.minor && object.currency === amount.currency))
  )
}

const isWithin = (at: Date, { from, to }: SoughtEffect['window']): boolean => at >= from && at < to

export const untaggedOfListed = (sourceId: string, object: ListedObject): UntaggedObject =>
  object.kind === 'unreadable'
    ? {
        sourceId,
        kind: object.of === 'refund' ? 'refund' : 'charge',
        id: object.id,
        status: 'other',
        amount: null,
        createdAt: object.createdAt,
      }
    : {
        sourceId,
        kind: object.kind,
        id: object.id,
        status: object.status,
        amount: { minor: object.amountMinor, currency: object.currency },
        createdAt: object.createdAt,
      }

/**
 * $1 system, $2 ids of objects, $3 those of their payment intents, $4–$5 the key that seeks. What is staged is left to
 * `untaggedObjects`, which knows more of it.
 */
const KNOWN = `
  SELECT x.id FROM unnest($2::text[], $3::text[]) AS x(id, parent)
  WHERE EXISTS (SELECT FROM mirror.object o WHERE o.system = $1 AND o.side = 'provider' AND o.provider_ref = x.id)
    OR EXISTS (SELECT FROM mirror.object i WHERE i.system = $1 AND i.side = 'intent'
      AND i.provider_ref IN (x.id, x.parent) AND (i.scope, i.key) IS DISTINCT FROM ($4, $5))`

/** Of objects that a listing shows: the ids of those that are staged already, or that another key's record names. */
export async function stagedOrNamed(
  db: Db,
  seeker: { system: string; scope: string; key: string },
  objects: readonly { id: string; parentId: string | null }[],
): Promise<Set<string>> {
  if (objects.length === 0) return new Set()
  const { rows } = await db.pool.query<{ id: string }>(KNOWN, [
    seeker.system,
    objects.map(({ id }) => id),
    objects.map(({ parentId }) => parentId),
    seeker.scope,
    seeker.key,
  ])
  return new Set(rows.map(({ id }) => id))
}

/** Not more than `untaggedObjects` asks of each: whether a closer look can find something at all. */
const ANY = `
  SELECT FROM source s JOIN mirror.object o ON o.source_id = s.id
  WHERE s.system = $1 AND s.kind = 'provider' AND o.side = 'provider' AND o.kind IN ('charge', 'refund')
    AND o.occurred_at >= $2 AND ${IS_LIVING} AND ${IS_UNTAGGED}
  LIMIT 1`

/** Whether anything without a key is staged that was made at this time or later. */
export async function hasUntagged(db: Db, system: string, from: Date): Promise<boolean> {
  return ((await db.pool.query(ANY, [system, from])).rowCount ?? 0) > 0
}

import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { ProviderStatus, SoughtEffect } from '@/lib/sources/contracts'

/** An object that carries no key and that no key names. */
export type UntaggedObject = {
  sourceId: string
  kind: 'charge' | 'refund'
  id: string
  /** The payment intent of a charge, the charge of a refund. */
  parentId: string | null
  status: ProviderStatus
  /** null = the object could not be read. */
  amount: { minor: bigint; currency: string } | null
  customer: string | null
  reference: string | null
  createdAt: Date
}

/** As many as a person would look at; there being one is what counts. */
const OBJECTS_MAX = 100

/**
 * $1 system, $2 kind, $3–$4 window, $5–$6 amount, $7 customer, $8 payment intent, $9–$10 the key that seeks. What another
 * key's record or lease names, by any of its ids, is that key's effect.
 */
const UNTAGGED = `
  SELECT o.source_id, o.kind, o.object_id, o.parent_ref, o.status, o.amount_minor, o.currency,
    o.data->>'customer' AS customer, o.reference, o.occurred_at
  FROM source s JOIN mirror.object o ON o.source_id = s.id
  CROSS JOIN LATERAL (SELECT CASE o.kind WHEN 'charge' THEN ARRAY[o.object_id, o.parent_ref]
    ELSE ARRAY[o.object_id] END AS names) own
  WHERE s.system = $1 AND s.kind = 'provider' AND o.side = 'provider' AND o.kind = $2
    AND o.occurred_at >= $3 AND o.occurred_at < $4 AND o.status IN ('pending', 'succeeded', 'other')
    AND (o.key IS NULL OR o.scope IS NULL) AND o.action_id IS NULL AND o.data->>'released' IS NULL
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
    parent_ref: z.string().nullable(),
    status: z.enum(['pending', 'succeeded', 'failed', 'canceled', 'other']),
    amount_minor: z.string().nullable(),
    currency: z.string().nullable(),
    customer: z.string().nullable(),
    reference: z.string().nullable(),
    occurred_at: z.date(),
  })
  .transform(
    (row): UntaggedObject => ({
      sourceId: row.source_id,
      kind: row.kind,
      id: row.object_id,
      parentId: row.parent_ref,
      status: row.status,
      amount:
        row.amount_minor === null || row.currency === null
          ? null
          : { minor: BigInt(row.amount_minor), currency: row.currency },
      customer: row.customer,
      reference: row.reference,
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

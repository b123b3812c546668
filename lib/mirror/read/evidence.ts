import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { ProviderStatus, TimeRange } from '@/lib/sources/contracts'

export type MirrorProviderObject = {
  sourceId: string
  kind: 'charge' | 'refund'
  id: string
  /** The payment intent of a charge, the charge of a refund. */
  parentId: string | null
  status: ProviderStatus
  captured: boolean
  step: string | null
  reference: string | null
  /** null = the object could not be read: see its status. */
  money: { amountMinor: bigint; capturedMinor: bigint; refundedMinor: bigint; currency: string } | null
  createdAt: Date
  stagedAt: Date
}

/** What the provider's staged objects say of one key. */
export type ProviderEvidence = {
  objects: MirrorProviderObject[]
  /** The newest contiguous complete listing of each of the system's providers; null = none yet. */
  coverage: { sourceId: string; covered: TimeRange | null }[]
}

const evidenceRow = z.object({
  source_id: z.string(),
  kind: z.enum(['charge', 'refund']),
  object_id: z.string(),
  parent_ref: z.string().nullable(),
  status: z.enum(['pending', 'succeeded', 'failed', 'canceled', 'other']),
  captured: z.boolean(),
  step: z.string().nullable(),
  reference: z.string().nullable(),
  amount_minor: z.coerce.bigint().nullable(),
  captured_minor: z.coerce.bigint(),
  refunded_minor: z.coerce.bigint(),
  currency: z.string().nullable(),
  occurred_at: z.date(),
  staged_at: z.date(),
})

/**
 * $1 system, $2 scope, $3 key. One branch a way to an object, so that each uses its own index. The planner takes every list
 * in a document for a hundred rows, and would read the whole table for so many: OFFSET 0 keeps each look-up by itself.
 */
const EVIDENCE = `
  WITH named AS (
    SELECT effect->>'reference' AS id
    FROM mirror.object i CROSS JOIN LATERAL jsonb_array_elements(i.data->'effects') effect
    WHERE i.system = $1 AND i.side = 'intent' AND i.key = $3 AND i.scope = $2 AND effect->>'reference' IS NOT NULL
  ), payment AS (
    SELECT p.object_id, p.data FROM mirror.object p
    WHERE p.system = $1 AND p.side = 'provider' AND p.kind = 'payment' AND p.key = $3 AND p.scope = $2
    UNION SELECT p.object_id, p.data FROM named CROSS JOIN LATERAL (
      SELECT o.object_id, o.data FROM mirror.object o
      WHERE o.provider_ref = named.id AND o.system = $1 AND o.side = 'provider' AND o.kind = 'payment' OFFSET 0) p
  ), id AS (
    SELECT id FROM named
    UNION SELECT object_id FROM payment
    UNION SELECT jsonb_array_elements_text(data->'members') FROM payment
  ), own AS (
    SELECT o.source_id, o.object_id FROM mirror.object o WHERE o.system = $1 AND o.key = $3 AND o.scope = $2
    UNION SELECT p.source_id, p.object_id FROM id CROSS JOIN LATERAL (
      SELECT o.source_id, o.object_id FROM mirror.object o WHERE o.provider_ref = id.id AND o.system = $1 OFFSET 0) p
    UNION SELECT c.source_id, c.object_id FROM id CROSS JOIN LATERAL (
      SELECT o.source_id, o.object_id FROM mirror.object o
      WHERE o.parent_ref = id.id AND o.system = $1 AND o.kind = 'charge'
        AND o.parent_ref IS DISTINCT FROM o.provider_ref OFFSET 0) c
  )
  SELECT o.source_id, o.kind, o.object_id, o.parent_ref, o.status, coalesce((o.data->>'captured')::boolean, false) AS captured,
    o.step, o.reference, o.amount_minor, coalesce(o.captured_minor, 0) AS captured_minor,
    coalesce(o.refunded_minor, 0) AS refunded_minor, o.currency, o.occurred_at, o.staged_at
  FROM own CROSS JOIN LATERAL (
    SELECT * FROM mirror.object o WHERE o.source_id = own.source_id AND o.object_id = own.object_id OFFSET 0) o
  WHERE o.side = 'provider' AND o.status <> 'absent' AND o.kind IN ('charge', 'refund')
  ORDER BY o.occurred_at, o.object_id
  LIMIT 100`

/**
 * Charges and refunds of a key: those whose metadata carries it, those that its recorded effects name, and those that
 * were made under a payment of either kind. Oldest first. At most 100: a key with more effects than that is broken
 * beyond counting.
 */
export async function providerEvidenceForKey(
  db: Db,
  subject: { system: string; scope: string; key: string },
): Promise<ProviderEvidence> {
  const { rows } = await db.pool.query(EVIDENCE, [subject.system, subject.scope, subject.key])
  const objects = rows.map((row) => {
    const o = evidenceRow.parse(row)
    return {
      sourceId: o.source_id,
      kind: o.kind,
      id: o.object_id,
      parentId: o.parent_ref,
      status: o.status,
      captured: o.captured,
      step: o.step,
      reference: o.reference,
      money: moneyOf(o),
      createdAt: o.occurred_at,
      stagedAt: o.staged_at,
    }
  })
  return { objects, coverage: await newestCoverage(db, subject.system) }
}

const moneyOf = (o: z.infer<typeof evidenceRow>): MirrorProviderObject['money'] =>
  o.amount_minor === null || o.currency === null
    ? null
    : {
        amountMinor: o.amount_minor,
        capturedMinor: o.captured_minor,
        refundedMinor: o.refunded_minor,
        currency: o.currency,
      }

const coverageRow = z.object({
  source_id: z.string(),
  from_at: z.date().nullable(),
  to_at: z.date().nullable(),
})

async function newestCoverage(db: Db, system: string): Promise<ProviderEvidence['coverage']> {
  const { rows } = await db.pool.query(
    `SELECT s.id AS source_id, c.from_at, c.to_at
     FROM source s
     LEFT JOIN LATERAL (
       SELECT from_at, to_at FROM mirror.coverage c WHERE c.source_id = s.id ORDER BY from_at DESC LIMIT 1
     ) c ON true
     WHERE s.system = $1 AND s.kind = 'provider' AND s.enabled
     ORDER BY s.id`,
    [system],
  )
  return rows.map((row) => {
    const c = coverageRow.parse(row)
    return { sourceId: c.source_id, covered: c.from_at && c.to_at ? { from: c.from_at, to: c.to_at } : null }
  })
}

/** The spans of time for which the provider's listing is complete, oldest first, at most 1000. */
export async function coverageOf(db: Db, sourceId: string): Promise<TimeRange[]> {
  const { rows } = await db.pool.query(
    `SELECT source_id, from_at, to_at FROM mirror.coverage WHERE source_id = $1 ORDER BY from_at DESC LIMIT 1000`,
    [sourceId],
  )
  return rows
    .map((row) => coverageRow.parse(row))
    .flatMap((c) => (c.from_at && c.to_at ? [{ from: c.from_at, to: c.to_at }] : []))
    .reverse()
}

/** What a live read must still list for [from, to] to be complete; null = the staged listing covers it. */
export async function tailGap(db: Db, sourceId: string, wanted: TimeRange): Promise<TimeRange | null> {
  const covering = (await coverageOf(db, sourceId)).find((c) => c.from <= wanted.from && c.to > wanted.from)
  if (covering === undefined) return wanted
  return covering.to >= wanted.to ? null : { from: covering.to, to: wanted.to }
}

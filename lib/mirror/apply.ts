import type pg from 'pg'
import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { MirrorSource, StagedObject } from './object'
import { assignOperations, type Member } from './operations'
import { aliasesOfColumns } from './read/unassigned'
import { noteUnreadable } from './unreadable'

/**
 * Serialises what changes the mirror of a system, for the short time of one batch. The watermark takes the same lock, so
 * every number up to the watermark is committed; reading from the sources goes on beside it.
 */
export async function lockMirror(client: pg.PoolClient, system: string): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('mirror.' || $1, 0))`, [system])
}

/**
 * A newer version replaces an older one; an older one that arrives late changes nothing; equal content keeps its
 * number and only its version moves (measured: most rows of an overlap, all of them HOT updates).
 */
const UPSERT = `
  INSERT INTO mirror.object AS o (version, seq, born_seq, operation_id, occurred_at, staged_at, lease_until, expires_at,
    amount_minor, captured_minor, refunded_minor, http_status, source_id, object_id, system, side, kind, status, scope,
    key, step, reference, provider_ref, parent_ref, currency, action_id, key_hash, content_hash, data, observed_at)
  SELECT x.version, x.seq, x.seq, x.operation_id, x.occurred_at, $4, x.lease_until, x.expires_at,
    x.amount_minor, x.captured_minor, x.refunded_minor, x.http_status, $2, x.object_id, $3, x.side, x.kind, x.status,
    x.scope, x.key, x.step, x.reference, x.provider_ref, x.parent_ref, x.currency, x.action_id,
    decode(x.key_hash, 'hex'), decode(x.content_hash, 'hex'), x.data, x.observed_at
  FROM (SELECT r.*, nextval('mirror.seq') AS seq FROM jsonb_to_recordset($1::jsonb) AS r(version bigint, operation_id bigint, occurred_at timestamptz,
    lease_until timestamptz, expires_at timestamptz, amount_minor bigint, captured_minor bigint,
    refunded_minor bigint, http_status smallint, object_id text, side text, kind text, status text, scope text,
    key text, step text, reference text, provider_ref text, parent_ref text, currency text, action_id text,
    key_hash text, content_hash text, data jsonb, observed_at timestamptz)) x
  ON CONFLICT (source_id, object_id) DO UPDATE SET
    version = excluded.version, observed_at = excluded.observed_at, gone_at = NULL, occurred_at = excluded.occurred_at,
    lease_until = excluded.lease_until, expires_at = excluded.expires_at, amount_minor = excluded.amount_minor,
    captured_minor = excluded.captured_minor, refunded_minor = excluded.refunded_minor,
    http_status = excluded.http_status, kind = excluded.kind, status = excluded.status, scope = excluded.scope,
    key = excluded.key, step = excluded.step, reference = excluded.reference, provider_ref = excluded.provider_ref,
    parent_ref = excluded.parent_ref, currency = excluded.currency, action_id = excluded.action_id,
    key_hash = excluded.key_hash, content_hash = excluded.content_hash, data = excluded.data,
    operation_id = coalesce(excluded.operation_id, o.operation_id),
    seq = CASE WHEN o.content_hash <> excluded.content_hash OR o.gone_at IS NOT NULL
                 OR coalesce(excluded.operation_id, o.operation_id) IS DISTINCT FROM o.operation_id THEN excluded.seq ELSE o.seq END,
    staged_at = CASE WHEN o.content_hash <> excluded.content_hash OR o.gone_at IS NOT NULL
                  THEN excluded.staged_at ELSE o.staged_at END
  WHERE excluded.version > o.version`

/** Stages a batch of one source. The caller has locked the system's mirror in this transaction. */
export async function applyObjects(
  client: pg.PoolClient,
  source: MirrorSource,
  now: Date,
  objects: readonly StagedObject[],
): Promise<void> {
  const newest = newestOfEach(objects)
  if (newest.length === 0) return
  const { operations } = await assignOperations(client, source.system, now, newest.map(memberOf))
  const rows = newest.map((object, place) => toRow(object, operations[place]))
  await client.query(UPSERT, [JSON.stringify(rows), source.id, source.system, now])
  await noteUnreadable(client, source, now, newest)
}

/** What the columns do not show must be written down as an alias at once; the rest is found when it is needed. */
function memberOf(object: StagedObject): Member {
  const shown = new Set(aliasesOfColumns(object))
  return { aliases: object.aliases, eager: object.aliases.some((each) => !shown.has(each)) }
}

/** One statement cannot change a row twice: the newest version of each object is enough. */
function newestOfEach(objects: readonly StagedObject[]): StagedObject[] {
  const newest = new Map<string, StagedObject>()
  for (const object of objects) {
    const other = newest.get(object.objectId)
    if (other === undefined || object.version >= other.version) newest.set(object.objectId, object)
  }
  return [...newest.values()]
}

const toRow = (o: StagedObject, operation: bigint | null | undefined) => ({
  version: o.version.toString(),
  operation_id: operation?.toString(),
  occurred_at: o.occurredAt,
  lease_until: o.leaseUntil,
  expires_at: o.expiresAt,
  amount_minor: o.amountMinor?.toString(),
  captured_minor: o.capturedMinor?.toString(),
  refunded_minor: o.refundedMinor?.toString(),
  http_status: o.httpStatus,
  object_id: o.objectId,
  side: o.side,
  kind: o.kind,
  status: o.status,
  scope: o.scope,
  key: o.key,
  step: o.step,
  reference: o.reference,
  provider_ref: o.providerRef,
  parent_ref: o.parentRef,
  currency: o.currency,
  action_id: o.actionId,
  key_hash: o.keyHash,
  content_hash: o.contentHash,
  data: jsonSafe(o.data),
  observed_at: o.observedAt,
})

/** bigint has no JSON of its own: decimal strings. */
const jsonSafe = (data: Record<string, unknown>): unknown =>
  JSON.parse(
    JSON.stringify(data, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
  )

const hashRow = z.object({ object_id: z.string(), content_hash: z.string(), gone: z.boolean() })

/** Those that the mirror does not have in this form: what observations of effects have to be told. */
export async function changedObjects(
  db: Db,
  source: MirrorSource,
  objects: readonly StagedObject[],
): Promise<StagedObject[]> {
  if (objects.length === 0) return []
  const { rows } = await db.pool.query(
    `SELECT object_id, encode(content_hash, 'hex') AS content_hash, gone_at IS NOT NULL AS gone
     FROM mirror.object WHERE source_id = $1 AND object_id = ANY ($2)`,
    [source.id, objects.map(({ objectId }) => objectId)],
  )
  const known = new Map(rows.map((raw) => hashRow.parse(raw)).map((row) => [row.object_id, row]))
  return objects.filter(({ objectId, contentHash }) => {
    const row = known.get(objectId)
    return row === undefined || row.gone || row.content_hash !== contentHash
  })
}

const observedRow = z.object({ object_id: z.string(), observed_at: z.date() })

/** When the source was last asked for each of these objects, by its own clock; absent = not known. */
export async function observedTimes(
  db: Db,
  sourceId: string,
  objectIds: readonly string[],
): Promise<Map<string, Date>> {
  if (objectIds.length === 0) return new Map()
  const { rows } = await db.pool.query(
    `SELECT object_id, observed_at FROM mirror.object
     WHERE source_id = $1 AND object_id = ANY ($2) AND observed_at IS NOT NULL`,
    [sourceId, objectIds],
  )
  return new Map(
    rows.map((raw) => {
      const row = observedRow.parse(raw)
      return [row.object_id, row.observed_at]
    }),
  )
}

/**
 * Live keys that a complete reading at `readAt` no longer showed, and that left no record: given back, or collected.
 * A record that is staged later brings the life back.
 */
export async function markGone(
  client: pg.PoolClient,
  source: MirrorSource,
  now: Date,
  /** `wholeUntil`: what was acquired later may be missing from the reading; null = nothing is. */
  reading: { readAt: Date; wholeUntil: string | null; seenObjectIds: readonly string[] },
): Promise<number> {
  const { rowCount } = await client.query(
    `UPDATE mirror.object SET gone_at = $2, staged_at = $2, seq = nextval('mirror.seq')
     WHERE source_id = $1 AND side = 'intent' AND status IN ('leased', 'retryable', 'unknown') AND gone_at IS NULL
       AND version < $3 AND NOT (object_id = ANY ($4)) AND NOT data ? 'unreadable'
       AND ($5::timestamptz IS NULL OR occurred_at < $5)`,
    [source.id, now, BigInt(reading.readAt.getTime()) * 1000n, reading.seenObjectIds, reading.wholeUntil],
  )
  return rowCount ?? 0
}

import type pg from 'pg'
import { z } from 'zod'
import { alias } from '../object'

/** A row that has no operation yet, with everything that may lead to one. */
export type UnassignedRow = { sourceId: string; objectId: string; aliases: string[] }

type Columns = {
  scope: string | null
  key: string | null
  reference: string | null
  providerRef: string | null
  parentRef: string | null
}

/** What a row is found by without an entry in the table of aliases: its own columns. */
export function aliasesOfColumns(row: Columns): string[] {
  return [
    row.scope === null || row.key === null ? null : alias.key(row.scope, row.key),
    row.providerRef === null ? null : alias.provider(row.providerRef),
    row.parentRef === null ? null : alias.provider(row.parentRef),
    row.reference === null ? null : alias.reference(row.reference),
  ].filter((value) => value !== null)
}

const rowSchema = z
  .object({
    source_id: z.string(),
    object_id: z.string(),
    scope: z.string().nullable(),
    key: z.string().nullable(),
    reference: z.string().nullable(),
    provider_ref: z.string().nullable(),
    parent_ref: z.string().nullable(),
  })
  .transform((row): UnassignedRow => {
    const aliases = aliasesOfColumns({ ...row, providerRef: row.provider_ref, parentRef: row.parent_ref })
    return {
      sourceId: row.source_id,
      objectId: row.object_id,
      aliases: aliases.length > 0 ? aliases : [alias.object(row.source_id, row.object_id)],
    }
  })

const COLUMNS = 'o.source_id, o.object_id, o.scope, o.key, o.reference, o.provider_ref, o.parent_ref'

/** One branch a column, so that each uses its own index. */
const BY_ALIASES = `
  SELECT ${COLUMNS} FROM mirror.object o
  WHERE o.system = $1 AND o.operation_id IS NULL AND o.provider_ref = ANY ($2)
  UNION SELECT ${COLUMNS} FROM mirror.object o
  WHERE o.system = $1 AND o.operation_id IS NULL AND o.parent_ref = ANY ($2)
    AND o.parent_ref IS NOT NULL AND o.parent_ref IS DISTINCT FROM o.provider_ref
  UNION SELECT ${COLUMNS} FROM mirror.object o
  WHERE o.system = $1 AND o.operation_id IS NULL AND o.reference = ANY ($3)
  UNION SELECT ${COLUMNS} FROM unnest($4::text[], $5::text[]) AS k(scope, key)
  JOIN mirror.object o ON o.key = k.key AND o.scope = k.scope
  WHERE o.system = $1 AND o.operation_id IS NULL`

/** Rows without an operation that one of these aliases leads to. */
export async function unassignedBy(
  client: pg.PoolClient,
  system: string,
  aliases: readonly string[],
): Promise<UnassignedRow[]> {
  const of = (prefix: string) => aliases.flatMap((each) => (each.startsWith(prefix) ? each.slice(2) : []))
  const keys = of('k:').map((each) => each.split('\u001f'))
  const { rows } = await client.query(BY_ALIASES, [
    system,
    of('p:'),
    of('r:'),
    keys.map(([scope]) => scope ?? ''),
    keys.map(([, key]) => key ?? ''),
  ])
  return rows.map((row) => rowSchema.parse(row))
}

/** The next rows of a run that did not pair up and still have no operation. */
export async function unmatchedRows(
  client: pg.PoolClient,
  runId: string,
  limit: number,
): Promise<UnassignedRow[]> {
  const { rows } = await client.query(
    `SELECT ${COLUMNS} FROM mirror.unmatched l
     JOIN mirror.object o ON o.source_id = l.source_id AND o.object_id = l.object_id
     WHERE l.run_id = $1 AND o.operation_id IS NULL LIMIT $2`,
    [runId, limit],
  )
  return rows.map((row) => rowSchema.parse(row))
}

export type PlacedRow = { side: string; seq: bigint; occurredAt: Date }
const placedRow = z
  .object({ side: z.string(), seq: z.coerce.bigint(), occurred_at: z.date() })
  .transform(({ side, seq, occurred_at: occurredAt }): PlacedRow => ({ side, seq, occurredAt }))

/** Gives rows their operation; returns those that had none. */
export async function setOperations(
  client: pg.PoolClient,
  rows: readonly { sourceId: string; objectId: string; operation: bigint }[],
): Promise<PlacedRow[]> {
  if (rows.length === 0) return []
  const { rows: placed } = await client.query(
    `UPDATE mirror.object o SET operation_id = x.operation
     FROM unnest($1::text[], $2::text[], $3::bigint[]) AS x(source_id, object_id, operation)
     WHERE o.source_id = x.source_id AND o.object_id = x.object_id AND o.operation_id IS NULL
     RETURNING o.side, o.seq, o.occurred_at`,
    [
      rows.map(({ sourceId }) => sourceId),
      rows.map(({ objectId }) => objectId),
      rows.map(({ operation }) => operation),
    ],
  )
  return placed.map((row) => placedRow.parse(row))
}

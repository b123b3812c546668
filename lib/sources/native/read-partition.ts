import { z } from 'zod'
import type { PartitionPage } from '../contracts'
import type { SourcePool } from '../postgres-pool'

const positionSchema = z.object({ scopeId: z.number(), keyHex: z.string() })
const rowSchema = z.object({
  scope: z.string(),
  key: z.string(),
  created_text: z.string(),
  expires_text: z.string(),
  scope_id: z.number(),
  key_hex: z.string(),
  page_rows: z.coerce.number(),
  row: z.record(z.string(), z.unknown()),
})

/** Of bodies in one page: with their hex it is twice as much in memory. One row is always read, however large. */
const PAGE_BODY_BYTES_MAX = 16 * 1024 * 1024

/** The partition's bounds come from the catalogue; its rows are then read through the parent, in the order of its index. */
const PAGE = `
  SELECT x.scope, x.key, x.created_text, x.expires_text, x.scope_id, x.key_hex, x.page_rows,
    x.row || jsonb_build_object('body', x.body) AS row
  FROM (
    SELECT p.*, count(*) OVER () AS page_rows, row_number() OVER in_order AS place, sum(p.body_bytes) OVER in_order AS bytes
    FROM (
      SELECT s.name AS scope, idem_key_text(r.key) AS key, r.created_at::text AS created_text, r.expires_at::text AS expires_text,
        r.scope_id, encode(r.key, 'hex') AS key_hex, coalesce(octet_length(b.body), 0) AS body_bytes,
        to_jsonb(r) || jsonb_build_object('headers', b.headers, 'effects', b.effects) AS row, b.body, r.key AS key_bytes
      FROM idem_partitions() l
      JOIN idem_record r ON r.tier = l.tier AND r.expires_at >= l.lower_bound AND r.expires_at < l.upper_bound
      JOIN idem_scope s ON s.scope_id = r.scope_id
      LEFT JOIN idem_body b ON b.tier = r.tier AND b.expires_at = r.expires_at AND b.scope_id = r.scope_id AND b.key = r.key
      WHERE l.partition = $1 AND (r.scope_id, r.key) > ($2, decode($3, 'hex'))
      ORDER BY r.scope_id, r.key LIMIT $4
    ) p
    WINDOW in_order AS (ORDER BY p.scope_id, p.key_bytes)
  ) x
  WHERE x.place = 1 OR x.bytes <= ${PAGE_BODY_BYTES_MAX}
  ORDER BY x.scope_id, x.key_bytes`

export async function readPartition(
  pool: SourcePool,
  partition: string,
  position: string | null,
  limit: number,
): Promise<PartitionPage> {
  const from = position === null ? { scopeId: -1, keyHex: '' } : positionSchema.parse(JSON.parse(position))
  const rows = (await pool.query(PAGE, [partition, from.scopeId, from.keyHex, limit])).map((raw) =>
    rowSchema.parse(raw),
  )
  const last = rows.at(-1)
  return {
    rows: rows.map((row) => ({
      scope: row.scope,
      key: row.key,
      createdAt: row.created_text,
      expiresAt: row.expires_text,
      row: row.row,
    })),
    next:
      last === undefined || (last.page_rows < limit && rows.length === last.page_rows)
        ? null
        : JSON.stringify({ scopeId: last.scope_id, keyHex: last.key_hex }),
  }
}

import type { Writable } from 'node:stream'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { z } from 'zod'
import type { MirrorSource } from './object'
import { assignOperations } from './operations'
import { aliasesOfColumns } from './read/unassigned'
import { noteIncomingUnreadable } from './unreadable'

/** In the order of the COPY that a ledger writes. */
const INCOMING = `
  CREATE TEMP TABLE IF NOT EXISTS incoming (
    entry_id text NOT NULL, kind text NOT NULL, raw_kind text NOT NULL, provider_ref text, charge_ref text,
    reference text, amount_minor bigint, currency text, booked_at timestamptz NOT NULL,
    reversed_at timestamptz, correction_id text, unreadable text)`

/** Where the rows of a range arrive: a table of this session only, without an index or a line in the log. */
export async function openIncoming(client: pg.PoolClient): Promise<Writable> {
  await client.query(INCOMING)
  await client.query('TRUNCATE incoming')
  return client.query(copyFrom('COPY incoming FROM STDIN'))
}

/** `ledgerObject` makes the same hash row by row. */
const HASH = `substring(sha256(convert_to(concat_ws(chr(31), i.kind, i.raw_kind, coalesce(i.provider_ref, ''),
  coalesce(i.charge_ref, ''), coalesce(i.reference, ''), coalesce(i.amount_minor::text, ''), coalesce(i.currency, ''),
  floor(extract(epoch FROM i.booked_at) * 1000)::bigint,
  coalesce(floor(extract(epoch FROM i.reversed_at) * 1000)::bigint::text, ''), coalesce(i.correction_id, '')), 'UTF8')) FROM 1 FOR 16)`

/**
 * From the table of this session into the mirror, in the order of the primary key, which keeps its pages warm. Rows that
 * share an id, such as two without one, are one object: a statement cannot change it twice.
 */
const INSERT = `
  INSERT INTO mirror.object AS o (version, seq, born_seq, occurred_at, staged_at, amount_minor, source_id, object_id,
    system, side, kind, status, reference, provider_ref, parent_ref, currency, action_id, content_hash, data)
  SELECT $3, s.seq, s.seq, s.booked_at, $4, s.amount_minor, $1, s.entry_id, $2, 'ledger', s.kind,
    CASE WHEN s.reversed_at IS NULL THEN 'booked' ELSE 'reversed' END, s.reference, s.provider_ref, s.charge_ref,
    s.currency, s.correction_id, s.hash, jsonb_build_object('rawKind', s.raw_kind, 'reversedAt', s.reversed_at)
      || CASE WHEN s.unreadable IS NULL THEN '{}' ELSE jsonb_build_object('unreadable', s.unreadable) END
  FROM (SELECT DISTINCT ON (i.entry_id) i.*, ${HASH} AS hash, nextval('mirror.seq') AS seq FROM incoming i ORDER BY i.entry_id) s
  ON CONFLICT (source_id, object_id) DO UPDATE SET
    version = excluded.version, occurred_at = excluded.occurred_at, amount_minor = excluded.amount_minor,
    kind = excluded.kind, status = excluded.status, reference = excluded.reference,
    provider_ref = excluded.provider_ref, parent_ref = excluded.parent_ref, currency = excluded.currency,
    action_id = excluded.action_id, content_hash = excluded.content_hash, data = excluded.data,
    seq = CASE WHEN o.content_hash <> excluded.content_hash THEN excluded.seq ELSE o.seq END,
    staged_at = CASE WHEN o.content_hash <> excluded.content_hash THEN excluded.staged_at ELSE o.staged_at END
  WHERE excluded.version > o.version`

/** Those of them that an operation is waiting for. */
const LINKED = `
  SELECT i.entry_id, i.provider_ref, i.charge_ref, i.reference FROM incoming i
  WHERE EXISTS (SELECT FROM mirror.alias a WHERE a.system = $1 AND a.alias = 'p:' || i.provider_ref)
     OR EXISTS (SELECT FROM mirror.alias a WHERE a.system = $1 AND a.alias = 'p:' || i.charge_ref)
     OR EXISTS (SELECT FROM mirror.alias a WHERE a.system = $1 AND a.alias = 'r:' || i.reference)`

const linkedRow = z.object({
  entry_id: z.string(),
  provider_ref: z.string().nullable(),
  charge_ref: z.string().nullable(),
  reference: z.string().nullable(),
})

/** Moves what has arrived into the mirror. The caller has locked the system's mirror in this transaction. */
export async function moveIncoming(
  client: pg.PoolClient,
  source: MirrorSource,
  at: { version: bigint; now: Date },
): Promise<number> {
  const { rowCount } = await client.query(INSERT, [source.id, source.system, at.version, at.now])
  await noteIncomingUnreadable(client, source, at.now)
  const { rows: some } = await client.query('SELECT FROM mirror.alias WHERE system = $1 LIMIT 1', [
    source.system,
  ])
  if (some.length > 0) {
    await client.query('ANALYZE incoming')
    const { rows } = await client.query(LINKED, [source.system])
    const members = rows.map((raw) => {
      const row = linkedRow.parse(raw)
      const columns = {
        ...row,
        scope: null,
        key: null,
        providerRef: row.provider_ref,
        parentRef: row.charge_ref,
      }
      const placed = { sourceId: source.id, objectId: row.entry_id }
      return { aliases: aliasesOfColumns(columns), eager: false, row: placed }
    })
    await assignOperations(client, source.system, at.now, members)
  }
  return rowCount ?? 0
}

import { z } from 'zod'
import type { Db } from '@/lib/db'

/** What the latest keys of a scope are like. */
export type ScopeFacts = {
  /** The shortest time from first acquire to expiry; null = none has ended with an expiry. */
  keptMs: number | null
  /** Of the effects that they recorded. */
  effects: { name: string; kind: string }[]
}

/** The last ones are what the store's writers do now; a change of theirs is among them soon. */
const KEYS_READ = 500

const SQL = `
  WITH latest AS MATERIALIZED (
    SELECT o.occurred_at, o.expires_at, o.data FROM mirror.object o
    WHERE o.scope = $2 AND o.source_id = $1 AND o.side = 'intent' AND o.kind = 'key' AND o.gone_at IS NULL
    ORDER BY o.seq DESC LIMIT ${KEYS_READ}
  )
  SELECT (SELECT min(extract(epoch FROM l.expires_at - l.occurred_at) * 1000)::float8 FROM latest l) AS kept_ms,
    (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_object('name', e->>'name', 'kind', e->>'kind')), '[]')
     FROM latest l CROSS JOIN LATERAL jsonb_array_elements(
       CASE WHEN jsonb_typeof(l.data->'effects') = 'array' THEN l.data->'effects' ELSE '[]' END) e) AS effects`

const rowSchema = z.object({
  kept_ms: z.number().nullable(),
  effects: z.array(
    z.object({
      name: z
        .string()
        .nullable()
        .transform((name) => name ?? ''),
      kind: z
        .string()
        .nullable()
        .transform((kind) => kind ?? ''),
    }),
  ),
})

export async function readScopeFacts(db: Db, sourceId: string, scope: string): Promise<ScopeFacts> {
  const { rows } = await db.pool.query(SQL, [sourceId, scope])
  const { kept_ms: keptMs, effects } = rowSchema.parse(rows[0])
  return { keptMs, effects }
}

/** From scope to scope by the index: as many steps as there are scopes, however many keys they have. */
const SCOPES = `
  WITH RECURSIVE s AS (
    (SELECT o.scope FROM mirror.object o
     WHERE o.side = 'intent' AND o.kind = 'key' AND o.gone_at IS NULL AND o.scope IS NOT NULL ORDER BY o.scope LIMIT 1)
    UNION ALL
    SELECT (SELECT o.scope FROM mirror.object o
      WHERE o.side = 'intent' AND o.kind = 'key' AND o.gone_at IS NULL AND o.scope > s.scope ORDER BY o.scope LIMIT 1)
    FROM s WHERE s.scope IS NOT NULL
  )
  SELECT s.scope, o.source_id AS "sourceId" FROM s CROSS JOIN LATERAL (
    SELECT DISTINCT k.source_id FROM mirror.object k
    WHERE k.scope = s.scope AND k.side = 'intent' AND k.kind = 'key' AND k.gone_at IS NULL
  ) o
  WHERE right(s.scope, length($1)) = $1 ORDER BY 1, 2 LIMIT 200`

const scopeRow = z.object({ scope: z.string(), sourceId: z.string() })

/** Scopes that end like this, and the stores that have keys of them. */
export async function readScopesEnding(db: Db, ending: string): Promise<z.infer<typeof scopeRow>[]> {
  const { rows } = await db.pool.query(SCOPES, [ending])
  return rows.map((row) => scopeRow.parse(row))
}

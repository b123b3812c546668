import type { Db } from '@/lib/db'

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
    AND o.occurred_at >= $2 AND o.status IN ('pending', 'succeeded', 'other') AND (o.key IS NULL OR o.scope IS NULL)
    AND o.action_id IS NULL
  LIMIT 1`

/** Whether anything without a key is staged that was made at this time or later. */
export async function hasUntagged(db: Db, system: string, from: Date): Promise<boolean> {
  return ((await db.pool.query(ANY, [system, from])).rowCount ?? 0) > 0
}

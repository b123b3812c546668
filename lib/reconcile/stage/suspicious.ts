import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import type { ReconcileSettings } from '../settings'

/** So many effects on one side, and none on the other, are no coincidence. */
const EFFECTS_MIN = 20
const WINDOW_MS = 10 * 60_000

const rowSchema = z.object({
  source_id: z.string(),
  name: z.string(),
  kind: z.enum(['ledger', 'provider']),
  others: z.coerce.number(),
})

/**
 * A source that answers without an error, and with nothing, while the others were busy: an empty answer, a filter
 * gone wrong, another account. Counted over ten minutes that have settled.
 */
export async function suspiciouslyEmpty(
  ctx: Pick<SystemContext, 'db'>,
  system: string,
  asOf: Date,
  settings: ReconcileSettings,
): Promise<{ side: 'ledger' | 'provider'; id: string; name: string; message: string; since: Date }[]> {
  const to = new Date(asOf.getTime() - settings.settleDelayMs - settings.breakOnMs)
  const from = new Date(to.getTime() - WINDOW_MS)
  const { rows } = await ctx.db.pool.query(
    `WITH empty AS MATERIALIZED (
       SELECT s.id, s.name, s.kind, s.system FROM source s
       WHERE s.system = $1 AND s.enabled AND s.kind IN ('ledger', 'provider')
         AND NOT EXISTS (SELECT FROM mirror.object e
           WHERE e.source_id = s.id AND e.occurred_at >= $2 AND e.occurred_at < $3)
     )
     SELECT e.id AS source_id, e.name, e.kind, count(*) AS others
     FROM empty e
     JOIN source other ON other.system = e.system AND other.id <> e.id
     JOIN mirror.object o ON o.source_id = other.id AND o.occurred_at >= $2 AND o.occurred_at < $3
       AND o.provider_ref IS NOT NULL
       AND CASE e.kind WHEN 'provider' THEN o.side = 'intent' AND o.status = 'completed'
                       ELSE o.side = 'provider' AND o.captured_minor > 0 END
     GROUP BY e.id, e.name, e.kind
     HAVING count(*) >= $4`,
    [system, from, to, EFFECTS_MIN],
  )
  return rows.map((raw) => {
    const row = rowSchema.parse(raw)
    const message = `it shows nothing for ten minutes in which others show ${row.others} effects`
    return { side: row.kind, id: row.source_id, name: row.name, message, since: from }
  })
}

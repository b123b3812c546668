import { z } from 'zod'
import { moveCursor, readCursor } from '@/lib/mirror/cursor'
import { mismatchObject } from '@/lib/mirror/object'
import { type MismatchedKey, readMismatchedKeys } from '@/lib/telemetry/read/requests/mismatched-keys'
import { commitBatch, type StageContext } from './batch'

/** Spans come late, and the key they hash may be staged later still. */
const OVERLAP_MS = 15 * 60_000

const keyRow = z.object({ scope: z.string(), key: z.string(), key_hash: z.string() })

/** Keys used again with another body: telemetry knows their hash, the mirror the key itself. */
export async function stageMismatches(ctx: StageContext, system: string): Promise<number> {
  const source = { id: `telemetry:${system}`, system }
  const at = { sourceId: source.id, feed: 'mismatches' }
  const position = await readCursor(ctx.db, source.id, at.feed)
  const readAt = ctx.clock.now()
  // A position ahead of now was written by a clock that was wrong.
  const readTo = position === null ? readAt : new Date(Math.min(Date.parse(position), readAt.getTime()))
  const since = new Date(readTo.getTime() - OVERLAP_MS)
  const mismatches = await readMismatchedKeys(ctx.db, since)
  const keys = await keysOf(ctx, system, mismatches)
  const objects = mismatches.flatMap((mismatch) => {
    const key = keys.get(`${mismatch.scope}|${mismatch.keyHash}`)
    return key === undefined ? [] : [mismatchObject({ ...mismatch, key })]
  })
  await commitBatch(ctx, source, objects, null, (client, now) =>
    moveCursor(client, at, position, readAt.toISOString(), now),
  )
  return objects.length
}

async function keysOf(
  ctx: StageContext,
  system: string,
  mismatches: readonly MismatchedKey[],
): Promise<Map<string, string>> {
  if (mismatches.length === 0) return new Map()
  const { rows } = await ctx.db.pool.query(
    `SELECT DISTINCT scope, key, encode(key_hash, 'hex') AS key_hash
     FROM mirror.object
     WHERE system = $1 AND side <> 'telemetry' AND scope IS NOT NULL AND key IS NOT NULL
       AND key_hash = ANY (SELECT decode(hash, 'hex') FROM unnest($2::text[]) AS hash)`,
    [system, mismatches.map(({ keyHash }) => keyHash)],
  )
  return new Map(
    rows.map((raw) => {
      const row = keyRow.parse(raw)
      return [`${row.scope}|${row.key_hash}`, row.key]
    }),
  )
}

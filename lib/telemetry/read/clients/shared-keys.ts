import { z } from 'zod'
import type { Db } from '@/lib/db'
import { readKeysOfWindow } from '../keys-of-window'

const rowSchema = z.object({
  client: z.string(),
  shared: z.coerce.number(),
  sent_by_other_first: z.coerce.number(),
})
export type SharedKeysRow = z.infer<typeof rowSchema>

const IN_WINDOW = `s.time >= $1 AND s.time < $2 AND s.key_hash IS NOT NULL AND s.outcome <> 'unkeyed' AND s.client <> ''`

/** A hash of the caller takes the least room while all keys of the window are gone through; two of 1,000 never have the same. */
const SQL = `
  WITH shared AS MATERIALIZED (
    SELECT key_hash, min(time) AS first_at FROM telemetry.keyed_request s WHERE ${IN_WINDOW}
    GROUP BY key_hash HAVING min(hashtextextended(client, 0)) <> max(hashtextextended(client, 0))
  )
  SELECT client, count(*) AS shared, count(*) FILTER (WHERE own_first_at > first_at) AS sent_by_other_first
  FROM (
    SELECT s.client, s.key_hash, min(s.time) AS own_first_at, shared.first_at
    FROM shared JOIN telemetry.keyed_request s USING (key_hash)
    WHERE ${IN_WINDOW} GROUP BY s.client, s.key_hash, shared.first_at
  ) of_client GROUP BY client`

/** Keys that several callers sent in the window, by caller. Who did not tell is no other caller. */
export const readSharedKeys = (db: Db, window: { from: Date; to: Date }): Promise<SharedKeysRow[]> =>
  readKeysOfWindow(db, rowSchema, SQL, window)

import { z } from 'zod'
import { type Db, inTransaction } from '@/lib/db'
import { lockMirror } from './apply'

export type Watermark = { from: bigint; to: bigint }

/**
 * What a scheduled run compares: everything staged after the last watermark, up to now. Waiting for the stagers' lock means
 * that no number up to `to` is still uncommitted.
 */
export async function readWatermark(db: Db, system: string): Promise<Watermark> {
  return inTransaction(db.pool, async (client) => {
    await lockMirror(client, system)
    const { rows } = await client.query(
      `SELECT coalesce((SELECT seq FROM mirror.watermark WHERE system = $1), 0) AS "from",
         CASE WHEN is_called THEN last_value ELSE 0 END AS "to"
       FROM mirror.seq`,
      [system],
    )
    return z.object({ from: z.coerce.bigint(), to: z.coerce.bigint() }).parse(rows[0])
  })
}

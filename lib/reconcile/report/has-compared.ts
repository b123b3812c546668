import { z } from 'zod'
import type { Db } from '@/lib/db'

const SQL = `
  SELECT EXISTS (
    SELECT FROM run
    WHERE kind = 'reconciliation' AND state = 'done' AND NOT dry_run
      AND (outcome <> 'incomplete' OR jsonb_path_exists(counts, '$.* ? (@.compared > 0 && @.nothingCompared == null)'))
  ) AS compared`

const rowSchema = z.object({ compared: z.boolean() })

/** Whether any run has compared something: before one, neither "no case" nor "no correction" says anything. */
export const hasCompared = async (db: Db): Promise<boolean> =>
  rowSchema.parse((await db.pool.query(SQL)).rows[0]).compared

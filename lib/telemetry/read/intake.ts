import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { TelemetryWindow } from '../window'
import { bigintColumn, readRows } from './rows'

const rowSchema = z.object({ at: z.date(), spans: bigintColumn.nullable(), dirty: bigintColumn.nullable() })
export type IntakeRow = z.infer<typeof rowSchema>

/** What arrived and what is not rolled up yet, by step. A step without a row had no intake: a gap, not a zero. */
const SQL = `
  WITH spans AS (
    SELECT date_bin(make_interval(secs => $4), minute, 'epoch') AS at, sum(spans) AS spans
    FROM telemetry.minute_intake
    WHERE minute >= $1 AND minute < $2 AND ($3::text IS NULL OR service = $3)
    GROUP BY 1
  ), dirty AS (
    SELECT date_bin(make_interval(secs => $4), minute, 'epoch') AS at, count(DISTINCT minute) AS dirty
    FROM telemetry.dirty_minute
    WHERE minute >= $1 AND minute < $2
    GROUP BY 1
  )
  SELECT at, spans::text, dirty::text FROM spans FULL JOIN dirty USING (at) ORDER BY at`

export function readIntake(db: Db, window: TelemetryWindow, stepSeconds: number): Promise<IntakeRow[]> {
  return readRows(db.pool, rowSchema, SQL, [window.from, window.to, window.service ?? null, stepSeconds])
}

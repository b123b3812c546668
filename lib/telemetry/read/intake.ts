import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { TelemetryWindow } from '../window'
import { bigintColumn, readRows } from './rows'

const rowSchema = z.object({ at: z.date(), arrived: z.boolean(), dirty: bigintColumn })
export type IntakeRow = z.infer<typeof rowSchema>

/**
 * For each step whether anything arrived, and how many of its minutes are not rolled up yet. A step in which
 * nothing arrived is a gap, not a zero. One look into the index a step, however much arrived.
 */
const SQL = `
  SELECT at, EXISTS (
           SELECT FROM telemetry.minute_intake i
           WHERE i.spans > 0 AND i.minute >= greatest(at, $1) AND i.minute < least(at + make_interval(secs => $4), $2)
             AND ($3::text IS NULL OR i.service = $3)) AS arrived,
         (SELECT count(DISTINCT d.minute) FROM telemetry.dirty_minute d
          WHERE d.minute >= greatest(at, $1) AND d.minute < least(at + make_interval(secs => $4), $2))::text AS dirty
  FROM generate_series(date_bin(make_interval(secs => $4), $1::timestamptz, 'epoch'),
                       $2::timestamptz - interval '1 microsecond', make_interval(secs => $4)) AS at`

export function readIntake(db: Db, window: TelemetryWindow, stepSeconds: number): Promise<IntakeRow[]> {
  return readRows(db.pool, rowSchema, SQL, [window.from, window.to, window.service ?? null, stepSeconds])
}

import { z } from 'zod'
import type { Db } from '@/lib/db'
import { rollUpRows } from '@/lib/telemetry/rollup/roll-up-rows'
import { type TelemetryWindow, windowParameters } from '@/lib/telemetry/window'
import { bigintColumn, readRows } from '../rows'

const rowSchema = z.object({ committed: bigintColumn, duplicates: bigintColumn })

const SQL = `
  SELECT coalesce(sum(committed), 0)::text AS committed, coalesce(sum(duplicates), 0)::text AS duplicates
  FROM ${rollUpRows('effect', 'day', 'committed, duplicates, service, endpoint, client')}
  WHERE ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR endpoint = $4) AND ($5::text IS NULL OR client = $5)`

export async function readEffectTotals(db: Db, window: TelemetryWindow): Promise<z.infer<typeof rowSchema>> {
  const [row] = await readRows(db.pool, rowSchema, SQL, windowParameters(window))
  return row ?? { committed: 0n, duplicates: 0n }
}

import { z } from 'zod'
import type { Db } from '@/lib/db'
import { rollUpRows } from '../rollup/roll-up-rows'
import { type TelemetryWindow, windowParameters } from '../window'
import { bigintColumn, readRows } from './rows'

const rowSchema = z.object({ keyed: bigintColumn, all: bigintColumn })

/** A keyed route is one that had at least one keyed request in the window. */
const SQL = `
  WITH route AS (
    SELECT service, endpoint, sum(requests) AS all_requests,
           coalesce(sum(requests) FILTER (WHERE outcome <> 'unkeyed'), 0) AS keyed_requests
    FROM ${rollUpRows('request', 'day', 'outcome, requests, service, endpoint, client')}
    WHERE ($3::text IS NULL OR service = $3)
      AND ($4::text IS NULL OR endpoint = $4) AND ($5::text IS NULL OR client = $5 OR outcome = 'unkeyed')
    GROUP BY service, endpoint
  )
  SELECT coalesce(sum(keyed_requests), 0)::text AS keyed, coalesce(sum(all_requests), 0)::text AS all
  FROM route WHERE keyed_requests > 0`

export async function readCoverage(db: Db, window: TelemetryWindow): Promise<z.infer<typeof rowSchema>> {
  const [row] = await readRows(db.pool, rowSchema, SQL, windowParameters(window))
  return row ?? { keyed: 0n, all: 0n }
}

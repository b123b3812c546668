import { z } from 'zod'
import type { Db } from '@/lib/db'
import { UNCOUNTED_OUTCOMES } from '@/lib/telemetry/measures/define-rates'
import { rollUpRows } from '@/lib/telemetry/rollup/roll-up-rows'
import { type TelemetryWindow, toMinutes } from '@/lib/telemetry/window'
import { readRows } from '../rows'

const rowSchema = z.object({ client: z.string(), mismatches: z.coerce.number(), requests: z.coerce.number() })
const CLIENTS_MAX = 200

const SQL = `
  SELECT client, sum(requests) FILTER (WHERE outcome = 'mismatch') AS mismatches,
    sum(requests) FILTER (WHERE outcome <> ALL ($3)) AS requests
  FROM ${rollUpRows('request', 'day', 'outcome, requests, client')}
  GROUP BY client HAVING sum(requests) FILTER (WHERE outcome = 'mismatch') > 0
  ORDER BY mismatches DESC, client LIMIT ${CLIENTS_MAX}`

/** Clients that sent a key again with another body, the most of it first, with their keyed requests. */
export function readClientMismatches(
  db: Db,
  window: TelemetryWindow,
): Promise<{ client: string; mismatches: number; requests: number }[]> {
  const { from, to } = toMinutes(window)
  return readRows(db.pool, rowSchema, SQL, [from, to, UNCOUNTED_OUTCOMES])
}

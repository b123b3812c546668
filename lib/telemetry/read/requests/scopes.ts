import { z } from 'zod'
import type { Db } from '@/lib/db'
import { rollUpRows } from '@/lib/telemetry/rollup/roll-up-rows'
import { toMinutes } from '@/lib/telemetry/window'
import { readRows } from '../rows'

const SCOPES_MAX = 200

const SQL = `
  SELECT client || '/' || endpoint AS scope
  FROM ${rollUpRows('request', 'day', 'outcome, requests, endpoint, client')}
  WHERE client <> '' AND outcome <> 'unkeyed'
  GROUP BY 1 ORDER BY sum(requests) DESC, 1 LIMIT ${SCOPES_MAX}`

/** The scopes that keys were sent in within the window, the busiest first. */
export async function readScopes(db: Db, asked: { from: Date; to: Date }): Promise<string[]> {
  const { from, to } = toMinutes(asked)
  const rows = await readRows(db.pool, z.object({ scope: z.string() }), SQL, [from, to])
  return rows.map(({ scope }) => scope)
}

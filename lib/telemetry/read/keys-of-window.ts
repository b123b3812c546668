import type { z } from 'zod'
import { type Db, inReadOnly } from '@/lib/db'
import { toMinutes } from '@/lib/telemetry/window'
import { readRows } from './rows'

/** Then the server ends it, with SQLSTATE 57014. */
const STATEMENT_TIMEOUT_MS = 20_000

/** Goes through all keyed requests of a window of whole minutes ($1, $2), for a page that may take its time. */
export function readKeysOfWindow<S extends z.ZodType>(
  db: Db,
  schema: S,
  sql: string,
  window: { from: Date; to: Date },
  others: readonly unknown[] = [],
): Promise<z.output<S>[]> {
  const { from, to } = toMinutes(window)
  return inReadOnly(db.pool, STATEMENT_TIMEOUT_MS, async (client) => {
    // A million keys fit, and are grouped without a file.
    await client.query("SET LOCAL work_mem = '64MB'; SET LOCAL jit = off")
    return readRows(client, schema, sql, [from, to, ...others])
  })
}

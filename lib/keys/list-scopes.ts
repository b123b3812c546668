import type { Db } from '@/lib/db'
import { readScopes } from '@/lib/telemetry/read/requests/scopes'

const SEEN_WITHIN_MS = 86_400_000

/** The scopes that keys were sent in lately, the busiest first: what one filters by. */
export const listScopes = (db: Db, now: Date): Promise<string[]> =>
  readScopes(db, { from: new Date(now.getTime() - SEEN_WITHIN_MS), to: now })

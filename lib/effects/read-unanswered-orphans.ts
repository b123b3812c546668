import type { Db } from '@/lib/db'
import { readExplainedEffects } from '@/lib/mirror/read/explained-effects'
import { type OldOrphan, readOldOrphans } from '@/lib/telemetry/read/effects/old-orphans'
import { settledIds } from './confirmed'
import { CONFIRMING } from './list-effects'

const PAGE = 2_000
/** After an outage of a store that was bypassed there may be many; what lies beyond is a later evaluation's. */
const PAGES_MAX = 20

/**
 * Side effects that have been without a record since before a moment, and that nothing else answers for: neither is the
 * charge booked, or given back, nor was its case resolved. The oldest first.
 */
export async function readUnansweredOrphans(db: Db, before: Date): Promise<OldOrphan[]> {
  const unanswered: OldOrphan[] = []
  for (let page = 0; page < PAGES_MAX; page++) {
    const orphans = await readOldOrphans(db, before, { limit: PAGE, offset: page * PAGE })
    const ids = orphans.flatMap(({ effectId }) => (effectId === '' ? [] : [effectId]))
    const [explained, settled] = await Promise.all([
      readExplainedEffects(db, ids),
      settledIds(db, CONFIRMING.orphan, ids),
    ])
    unanswered.push(...orphans.filter(({ effectId: id }) => !explained.has(id) && !settled.has(id)))
    if (orphans.length < PAGE) break
  }
  return unanswered
}

import type { SystemContext } from '@/lib/context'
import type { KeyAction } from '@/lib/core/states'
import { notify } from '@/lib/live-events'
import { saveLocks } from '../assess/save-lock'
import type { VerbEnd } from './verb-end'

const RELEASED = `
  UPDATE lock SET state = 'retryable', verdict = 'wait', verdict_reason = 'Released: the next retry runs it again.',
    checked_at = $4
  WHERE source_id = $1 AND scope = $2 AND key = $3 AND gone_at IS NULL`

const ENDED =
  'UPDATE lock SET gone_at = $4 WHERE source_id = $1 AND scope = $2 AND key = $3 AND gone_at IS NULL'

/** Shows the result of a verb at once; the next check reads the store again. Its failure changes nothing. */
export async function saveOperatedLock(
  ctx: SystemContext,
  target: { sourceId: string; scope: string; key: string },
  verb: KeyAction,
  ended: VerbEnd,
): Promise<void> {
  const now = ctx.clock.now()
  try {
    const values = [target.sourceId, target.scope, target.key, now]
    if (ended.state === 'done') await ctx.db.pool.query(verb === 'release' ? RELEASED : ENDED, values)
    else if (ended.state === 'refused' && ended.reason === 'gone') await ctx.db.pool.query(ENDED, values)
    else if (ended.reading !== null) await saveLocks(ctx, target.sourceId, [ended.reading], now)
    await notify(ctx.db.pool, { kind: 'locks' })
  } catch (error) {
    ctx.log.warn({ err: error }, 'could not show the new state of a lock')
  }
}

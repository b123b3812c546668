import type { ActionResult } from '@/lib/actions/execute'
import type { SystemContext } from '@/lib/context'
import { notify } from '@/lib/live-events'
import type { MessageTarget } from './inspect-message'

const ENDED = `
  UPDATE messages.dead_letter SET gone_at = $4
  WHERE source_id = $1 AND place = $2 AND version = $3 AND gone_at IS NULL`

/** Shows the result of a verb at once; the next check reads the source again. Its failure changes nothing. */
export async function saveOperatedLetter(
  ctx: SystemContext,
  { sourceId, place, version }: MessageTarget,
  { state, result }: ActionResult,
): Promise<void> {
  const ended = state === 'done' || result.reason === 'gone' || result.reason === 'not_dead'
  try {
    if (ended) await ctx.db.pool.query(ENDED, [sourceId, place, version, ctx.clock.now()])
    await notify(ctx.db.pool, { kind: 'messages' })
  } catch (error) {
    ctx.log.warn({ err: error }, 'could not show the new state of a message')
  }
}

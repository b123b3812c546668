import type { SystemContext } from '@/lib/context'
import { newId } from '@/lib/core/ids'
import { startRunIn } from '@/lib/runs/start'
import { readFiring } from '../read-firing'

/**
 * What fires, is not silenced, and began after a receiver was there, is one notification for it, whoever plans it and how
 * often: the unique key decides. When a silence ends before the alert does, it is planned then.
 */
const PLAN_RAISED = `
  INSERT INTO notification (id, episode_id, receiver_id, transition, state, paging, due_at, created_at)
  SELECT 'ntf_' || replace(gen_random_uuid()::text, '-', ''), e.id, r.id, 'raised', 'waiting', r.paging, $1, $1
  FROM alert_episode e JOIN receiver r ON r.removed_at IS NULL AND r.created_at <= e.since
  WHERE e.id = ANY ($2)
  ON CONFLICT (episode_id, transition, receiver_id) DO NOTHING`

/** Who was to be told that it began is told that it ended. A silence is asked about when it is sent. */
const PLAN_CLEARED = `
  INSERT INTO notification (id, episode_id, receiver_id, transition, state, paging, due_at, created_at)
  SELECT 'ntf_' || replace(gen_random_uuid()::text, '-', ''), e.id, n.receiver_id, 'cleared', 'waiting', n.paging, $1, $1
  FROM notification n JOIN alert_episode e ON e.id = n.episode_id
  WHERE n.transition = 'raised' AND e.cleared_at >= $1::timestamptz - interval '1 day'
    AND NOT EXISTS (SELECT FROM notification c
      WHERE c.episode_id = n.episode_id AND c.receiver_id = n.receiver_id AND c.transition = 'cleared')
  ON CONFLICT (episode_id, transition, receiver_id) DO NOTHING`

/** Plans what each receiver is to be told, and starts the job that tells it. Safe to call at any time, by anybody. */
export async function planNotifications(ctx: SystemContext): Promise<{ planned: number }> {
  const now = ctx.clock.now()
  const loud = (await readFiring(ctx.db, now)).filter(({ silence }) => silence === null)
  const raised = await ctx.db.pool.query(PLAN_RAISED, [now, loud.map(({ id }) => id)])
  const cleared = await ctx.db.pool.query(PLAN_CLEARED, [now])
  const due = await ctx.db.prisma.notification.findFirst({
    where: { state: 'waiting', dueAt: { lte: now } },
    select: { id: true },
  })
  if (due !== null) {
    const planner = {
      ...ctx,
      actor: { kind: 'system', job: 'conditions' } as const,
      requestId: newId('req'),
    }
    await ctx.db.prisma.$transaction((tx) =>
      startRunIn(tx, planner, { kind: 'notification', params: {}, idempotentOn: 'kind' }),
    )
  }
  return { planned: (raised.rowCount ?? 0) + (cleared.rowCount ?? 0) }
}

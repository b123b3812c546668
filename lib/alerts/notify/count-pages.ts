import type { Db } from '@/lib/db'

const WEEK_MS = 7 * 86_400_000

/** One message about several is one page. */
const PAGES = `
  SELECT count(DISTINCT coalesce(n.delivery_id, n.id))::int AS pages
  FROM notification n JOIN alert_episode e ON e.id = n.episode_id LEFT JOIN delivery d ON d.id = n.delivery_id
  WHERE n.paging AND n.transition = 'raised' AND n.state = 'delivered' AND e.kind = 'duplicate_effects'
    AND n.finished_at >= $1 AND n.finished_at < $2 AND coalesce(d.event, 'raised') = 'raised'`

/**
 * M10: notifications of duplicates that were delivered to somebody's pager in the seven days before `to`. Null = nobody is
 * paged by us, which is not the same as no pages.
 */
export async function countPages(db: Db, to: Date): Promise<number | null> {
  const pager = await db.prisma.receiver.findFirst({
    where: { paging: true, removedAt: null },
    select: { id: true },
  })
  if (pager === null) return null
  const { rows } = await db.pool.query<{ pages: number }>(PAGES, [new Date(to.getTime() - WEEK_MS), to])
  return rows[0]?.pages ?? 0
}

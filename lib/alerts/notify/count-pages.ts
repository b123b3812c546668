import type { Db } from '@/lib/db'

const WEEK_MS = 7 * 86_400_000

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
  return db.prisma.notification.count({
    where: {
      paging: true,
      transition: 'raised',
      state: 'delivered',
      episode: { kind: 'duplicate_effects' },
      finishedAt: { gte: new Date(to.getTime() - WEEK_MS), lt: to },
    },
  })
}

import { z } from 'zod'
import type { Db } from '@/lib/db'

/** When a source could not be read: from its last answer to the first one after. */
export type Outage = {
  source: string
  from: string
  /** Null = it goes on. */
  to: string | null
}

const detailSchema = z.object({ lastOkAt: z.iso.datetime().nullish() })
const SOURCES_MAX = 200

/** The latest outage of each source that had one; an earlier one is overwritten by the next. */
export async function readOutages(db: Db): Promise<Outage[]> {
  const rows = await db.prisma.condition.findMany({
    where: { kind: 'stale_source' },
    orderBy: { since: 'desc' },
    take: SOURCES_MAX,
  })
  return rows.map(({ subject, since, state, clearedAt, detail }) => ({
    source: subject,
    from: detailSchema.parse(detail).lastOkAt ?? since.toISOString(),
    to: state === 'firing' ? null : (clearedAt?.toISOString() ?? null),
  }))
}

import { z } from 'zod'
import { CONDITION_KINDS, SEVERITIES } from '@/lib/core/condition-kinds'
import type { ConditionView } from '@/lib/core/verdict'
import type { Db } from '@/lib/db'

const CONDITIONS_MAX = 200

/** The conditions that hold now, the oldest first. */
export async function readConditions(db: Db): Promise<ConditionView[]> {
  const rows = await db.prisma.condition.findMany({
    where: { state: 'firing', kind: { in: [...CONDITION_KINDS] } },
    orderBy: [{ since: 'asc' }, { id: 'asc' }],
    take: CONDITIONS_MAX,
  })
  return rows.map((row) => ({
    id: row.id,
    kind: z.enum(CONDITION_KINDS).parse(row.kind),
    subject: row.subject,
    severity: z.enum(SEVERITIES).parse(row.severity),
    since: row.since.toISOString(),
    detail: z.record(z.string(), z.unknown()).parse(row.detail),
  }))
}

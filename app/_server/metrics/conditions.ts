import { z } from 'zod'
import { subjectName } from '@/lib/alerts/about'
import { CONDITION_KINDS, SEVERITIES } from '@/lib/core/condition-kinds'
import type { Db } from '@/lib/db'
import { type Family, family } from './exposition'

const OF_A_KIND_MAX = 50

/** Pages first, then the oldest; one kind cannot keep another out. */
const FIRING = `
  SELECT kind, subject, severity, detail FROM (
    SELECT kind, subject, severity, detail, row_number() OVER (PARTITION BY kind ORDER BY severity, since, id) AS place
    FROM condition WHERE state = 'firing' AND kind = ANY($1)) AS firing
  WHERE place <= ${OF_A_KIND_MAX} ORDER BY kind, place`
const COUNTS = `
  SELECT kind, severity, count(*)::int AS count FROM condition
  WHERE state = 'firing' AND kind = ANY($1) GROUP BY kind, severity ORDER BY kind, severity`

const severity = z.enum(SEVERITIES)
const firingSchema = z.object({
  kind: z.enum(CONDITION_KINDS),
  subject: z.string(),
  severity,
  detail: z.record(z.string(), z.unknown()),
})
const countSchema = z.object({ kind: z.enum(CONDITION_KINDS), severity, count: z.number() })

export async function readConditionFamilies({ pool }: Db): Promise<Family[]> {
  const [firing, counts] = await Promise.all([
    pool.query(FIRING, [CONDITION_KINDS]),
    pool.query(COUNTS, [CONDITION_KINDS]),
  ])
  return [
    family(
      'idemscope_condition_firing',
      firing.rows
        .map((row) => firingSchema.parse(row))
        .map((row) => ({
          labels: { kind: row.kind, subject: subjectName(row) ?? 'all', severity: row.severity },
          value: 1,
        })),
    ),
    family(
      'idemscope_conditions_firing',
      counts.rows
        .map((row) => countSchema.parse(row))
        .map(({ kind, severity, count }) => ({ labels: { kind, severity }, value: count })),
    ),
  ]
}

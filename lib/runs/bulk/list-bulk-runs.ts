import { z } from 'zod'
import type { KeyAction, MessageVerb } from '@/lib/core/states'
import type { Db } from '@/lib/db'
import { listRuns, type RunView } from '../read'

/** A bulk run that ended is listed this long. */
const ENDED_RUNS_SHOWN_MS = 15 * 60_000
const BULK_RUNS_SHOWN = 3

const tally = z.number().default(0)
const countsSchema = z.object({
  done: tally,
  refused: tally,
  unknown: tally,
  failed: tally,
  total: z.number().nullable().default(null),
  failures: z
    .array(z.object({ id: z.string(), state: z.string(), reason: z.string(), text: z.string().optional() }))
    .default([]),
})
export type BulkVerb = KeyAction | MessageVerb

export type BulkRun = Pick<
  RunView,
  'id' | 'state' | 'progress' | 'error' | 'cancelRequested' | 'requestedBy'
> & {
  createdAt: string
  finishedAt: string | null
  verb: BulkVerb
  counts: z.infer<typeof countsSchema>
}

/** Bulk jobs that work now, or ended a moment ago: closing the browser does not hide them. */
export async function listBulkRuns(
  db: Db,
  now: Date,
  verbs: readonly [BulkVerb, ...BulkVerb[]],
): Promise<BulkRun[]> {
  const paramsSchema = z.object({ verb: z.enum(verbs) })
  const { items } = await listRuns(db, { kind: ['bulk'] }, { limit: BULK_RUNS_SHOWN })
  const since = new Date(now.getTime() - ENDED_RUNS_SHOWN_MS).toISOString()
  return items
    .filter(({ finishedAt }) => finishedAt === null || finishedAt > since)
    .flatMap((run) => {
      const params = paramsSchema.safeParse(run.params)
      const counts = countsSchema.safeParse(run.counts)
      if (!params.success) return []
      const { id, state, progress, error, cancelRequested, requestedBy, createdAt, finishedAt } = run
      return [
        {
          ...{ id, state, progress, error, cancelRequested, requestedBy, createdAt, finishedAt },
          verb: params.data.verb,
          counts: counts.success ? counts.data : countsSchema.parse({}),
        },
      ]
    })
}

import { z } from 'zod'
import { ROLES } from '@/lib/core/permissions'
import type { ActionView } from '../view'
import { operateOne } from './operate-each'

const userSchema = {
  kind: z.literal('user'),
  userId: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
}
/** Of the run of a snapshot: as whom it is carried out, and why. */
export const bulkParamsSchema = z.object({
  snapshotId: z.string(),
  reason: z.string(),
  actor: z.discriminatedUnion('via', [
    z.object({ ...userSchema, via: z.literal('session') }),
    z.object({ ...userSchema, via: z.literal('token'), tokenId: z.string() }),
  ]),
})
const tally = z.number().int().min(0).default(0)
const countsSchema = z.object({ done: tally, refused: tally, unknown: tally, failed: tally })
const failureSchema = z.object({ id: z.string(), state: z.string(), reason: z.string(), text: z.string() })
const checkpointSchema = z.object({
  next: tally,
  counts: countsSchema.prefault({}),
  failures: z.array(failureSchema).default([]),
})

const FAILURES_LISTED_MAX = 100

/** What of a run's handle this needs. */
type Handle = {
  checkpoint: unknown
  report(update: {
    progress: number
    counts: Record<string, number | object>
    checkpoint: unknown
  }): Promise<void>
}

/**
 * Carries the items of a snapshot out, one after the other, with what its person may do at that moment: a revoked token, a lost
 * role, or writes that were switched off, stop the rest. A killed run goes on where it stopped: an item that was done already
 * answers with its action. Cancelling stops the rest.
 */
export async function runItems<Item>(
  handle: Handle,
  items: readonly Item[],
  idOf: (item: Item) => string,
  operate: (item: Item) => Promise<ActionView>,
) {
  const { next, counts, failures } = checkpointSchema.parse(handle.checkpoint)
  const total = items.length
  for (const [index, item] of items.entries()) {
    if (index < next) continue
    const { actionId, state, reason, text } = await operateOne(idOf(item), () => operate(item))
    counts[countedAs(state)] += 1
    if (state !== 'done' && failures.length < FAILURES_LISTED_MAX) {
      const why = (actionId === null ? text : reason) ?? ''
      failures.push({ id: idOf(item), state: countedAs(state), reason: why, text: text ?? why })
    }
    await handle.report({
      progress: (index + 1) / total,
      counts: { ...counts, total, failures },
      checkpoint: { next: index + 1, counts, failures },
    })
  }
  return { outcome: counts.done === total ? 'done' : 'partial', counts: { ...counts, total, failures } }
}

/** One that is still being executed has an end that nobody knows yet. */
function countedAs(state: string): keyof z.infer<typeof countsSchema> {
  if (state === 'done' || state === 'refused' || state === 'unknown') return state
  return state === 'executing' ? 'unknown' : 'failed'
}

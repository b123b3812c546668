import { readTerms } from '@/lib/conditions/terms'
import { writeConditions } from '@/lib/conditions/write-conditions'
import type { SystemContext } from '@/lib/context'
import { console } from './console'
import type { Family } from './family'
import { keys } from './keys'
import { latency } from './latency'
import { messages } from './messages'
import { money } from './money'
import { rates } from './rates'
import { sources } from './sources'
import { storage } from './storage'
import { work } from './work'

/** All that is decided here. Floods and clocks are reconcile's, which sees them. */
const FAMILIES: readonly Family[] = [
  ...rates,
  latency,
  ...keys,
  ...money,
  ...work,
  ...storage,
  ...console,
  ...sources,
  ...messages,
]

type Counts = { firing: number; raised: number; cleared: number }

/**
 * Evaluates every condition and keeps since when each holds. What is not measured neither fires nor clears itself, and no
 * more does what cannot be read now: the others are evaluated all the same, and then the first error is thrown.
 */
export async function evaluateConditions(ctx: SystemContext): Promise<Counts> {
  const now = ctx.clock.now()
  const { rules } = await readTerms(ctx.db.pool)
  const counts: Counts = { firing: 0, raised: 0, cleared: 0 }
  const failures: unknown[] = []
  for (const { kinds, find } of FAMILIES) {
    try {
      const written = await writeConditions(
        ctx.db.pool,
        now,
        { kinds, rules },
        await find({ ctx, now, rules }),
      )
      counts.firing += written.firing
      counts.raised += written.raised
      counts.cleared += written.cleared
    } catch (error) {
      ctx.log.warn({ err: error, kinds }, 'conditions could not be evaluated')
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  return counts
}

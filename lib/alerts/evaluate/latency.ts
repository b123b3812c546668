import { termsAt } from '@/lib/conditions/terms'
import type { Finding } from '@/lib/conditions/write-conditions'
import { MEASURES } from '@/lib/telemetry/measures/measure'
import { readMergedLatency } from '@/lib/telemetry/read/requests/latency-buckets'
import { percentileMs } from '@/lib/telemetry/rollup/histogram'
import type { Family } from './family'
import { nameOf, routesOf, subjectOf, windowOf } from './routes'

const WINDOW_MS = 5 * 60_000

/** Intent to final, P99 over five minutes, beyond which somebody has to look (the objective itself is P95 < 2 s). */
export const latency: Family = {
  kinds: ['intent_latency'],
  async find({ ctx, now, rules }) {
    const found = await Promise.all(
      routesOf(rules, 'intent_latency').map(async (route): Promise<Finding[]> => {
        const limit = termsAt(rules, 'intent_latency', route).limits.p99Ms
        const value = percentileMs(await readMergedLatency(ctx.db, windowOf(route, now, WINDOW_MS)), 0.99)
        if (value === null || value <= limit) return []
        const detail = { ...nameOf(route), value, limit, target: MEASURES.M4.target }
        return [{ kind: 'intent_latency', subject: subjectOf(route), detail }]
      }),
    )
    return found.flat()
  },
}

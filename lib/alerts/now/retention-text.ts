import { z } from 'zod'
import { durationText, plural } from '@/lib/core/format-figure'

const schema = z.object({
  group: z.string(),
  topic: z.string(),
  keptMs: z.number(),
  horizonMs: z.number(),
  consumers: z.number(),
})

/** “inventory keeps records of payments for 1 d, and a message may come again for 4 d (and 2 more consumers)” */
export function retentionText(detail: Record<string, unknown>): string {
  const { group, topic, keptMs, horizonMs, consumers } = schema.parse(detail)
  const others = consumers > 1 ? ` (and ${plural(consumers - 1, 'more consumer')})` : ''
  return `${group} keeps records of ${topic} for ${durationText(keptMs)}, and a message may come again for ${durationText(horizonMs)}${others}`
}

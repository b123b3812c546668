import { z } from 'zod'

const schema = z.object({
  partitions: z.number().default(0),
  rows: z.string().default('0'),
  bytes: z.string().default('0'),
  busy: z.number().default(0),
  notDue: z.number().default(0),
  reapedUnfinished: z.number().default(0),
  unfinished: z
    .array(
      z.object({
        source: z.string(),
        scope: z.string(),
        key: z.string(),
        state: z.string(),
        createdAt: z.string(),
      }),
    )
    .default([]),
  unreachable: z.array(z.string()).default([]),
})
export type CollectionCounts = z.infer<typeof schema>

/** What a collection has counted so far; null = nothing yet. */
export function collectionCounts(counts: unknown): CollectionCounts | null {
  const parsed = schema.safeParse(counts)
  return parsed.success ? parsed.data : null
}

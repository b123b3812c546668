import { z } from 'zod'
import type { Db } from '@/lib/db'

export type Feed = { source: string; feed: string; updatedAt: string }
export type Coverage = { source: string; from: string; to: string }

const feedRow = z.object({ source_id: z.string(), feed: z.string(), updated_at: z.date() })
const coverageRow = z.object({ source_id: z.string(), from_at: z.date(), to_at: z.date() })

/** How far the reading of each source has come: its feeds, and the newest stretch that was listed without a gap. */
export async function readFeeds(db: Db): Promise<{ feeds: Feed[]; coverage: Coverage[] }> {
  const [feeds, coverage] = await Promise.all([
    db.pool.query(
      'SELECT source_id, feed, updated_at FROM mirror.cursor ORDER BY source_id, feed LIMIT 1000',
    ),
    db.pool.query(
      `SELECT DISTINCT ON (source_id) source_id, from_at, to_at
       FROM mirror.coverage ORDER BY source_id, to_at DESC LIMIT 1000`,
    ),
  ])
  return {
    feeds: z
      .array(feedRow)
      .parse(feeds.rows)
      .map((row) => ({ source: row.source_id, feed: row.feed, updatedAt: row.updated_at.toISOString() })),
    coverage: z
      .array(coverageRow)
      .parse(coverage.rows)
      .map((row) => ({
        source: row.source_id,
        from: row.from_at.toISOString(),
        to: row.to_at.toISOString(),
      })),
  }
}

import type { Db } from '@/lib/db'
import { readStoreSamples, type StoreSample } from '@/lib/telemetry/read/store-samples'

const DAY_MS = 86_400_000
const MARKS_MAX = 500

export type TierStorage = {
  source: string
  tier: string
  rows: number
  /** Null = its engine has not told yet: DynamoDB does every six hours. */
  bytes: number | null
  expiredRows: number
  /** How long the oldest expired key has been waiting to be collected; null = none is waiting. */
  expiryLagMs: number | null
  oldestUnexpiredAt: string | null
  sampledAt: string
  /** From the window's first and last sample, without what was collected in between; null = too short to say. */
  rowsADay: number | null
  bytesADay: number | null
  points: { at: string; rows: number; bytes: number; expiredRows: number }[]
}

/** Growth is shown only over at least this much: two samples a second apart say nothing of a day. */
const GROWTH_MIN_MS = 5 * 60_000

/** Size, growth and backlog of every store by tier, in a window. */
export async function readStorage(
  db: Db,
  query: { from: Date; to: Date; source?: string | undefined },
): Promise<TierStorage[]> {
  const groups = new Map<string, StoreSample[]>()
  for (const sample of await readStoreSamples(db, query)) {
    const name = JSON.stringify([sample.source_id, sample.tier])
    const group = groups.get(name) ?? []
    group.push(sample)
    groups.set(name, group)
  }
  return [...groups.values()].flatMap((samples) => {
    const sorted = samples.sort((a, b) => a.at.getTime() - b.at.getTime())
    const last = sorted.at(-1)
    return last === undefined ? [] : [toStorage(sorted, last)]
  })
}

function toStorage(samples: readonly StoreSample[], last: StoreSample): TierStorage {
  return {
    source: last.source_id,
    tier: last.tier,
    rows: last.rows,
    bytes: bytesIn(last),
    expiredRows: last.expired_rows,
    expiryLagMs:
      last.oldest_expired_at === null ? null : last.at.getTime() - last.oldest_expired_at.getTime(),
    oldestUnexpiredAt: last.oldest_at?.toISOString() ?? null,
    sampledAt: last.at.toISOString(),
    rowsADay: growth(samples, (sample) => sample.rows),
    bytesADay: samples.some((sample) => bytesIn(sample) === null)
      ? null
      : growth(samples, ({ bytes }) => bytes),
    points: samples.map((sample) => ({
      at: sample.at.toISOString(),
      rows: sample.rows,
      bytes: sample.bytes,
      expiredRows: sample.expired_rows,
    })),
  }
}

/** Keys take room: where an engine says none, it has not counted them. */
const bytesIn = ({ rows, bytes }: StoreSample): number | null => (bytes === 0 && rows > 0 ? null : bytes)

/** Of all of them; null = of one it is not known. */
export const sumBytes = (tiers: readonly { bytes: number | null }[]): number | null =>
  tiers.reduce<number | null>((sum, { bytes }) => (sum === null || bytes === null ? null : sum + bytes), 0)

/** What came, a day: falls are collections, and are left out. */
export function growth<T extends { at: Date }>(
  samples: readonly T[],
  of: (sample: T) => number,
): number | null {
  const [first] = samples
  const last = samples.at(-1)
  if (first === undefined || last === undefined) return null
  const elapsedMs = last.at.getTime() - first.at.getTime()
  if (elapsedMs < GROWTH_MIN_MS) return null
  let grown = 0
  for (const [place, sample] of samples.entries()) {
    const before = samples[place - 1]
    if (before !== undefined) grown += Math.max(0, of(sample) - of(before))
  }
  return (grown / elapsedMs) * DAY_MS
}

export type CollectionMarkView = {
  at: string
  source: string
  runId: string
  mode: string
  rows: string
  bytes: string
  unfinished: number
  archives: number
}

/** Collections in a window, the newest first: marks on the chart. */
export async function listCollections(
  db: Db,
  query: { from: Date; to: Date; source?: string | undefined },
): Promise<CollectionMarkView[]> {
  const rows = await db.prisma.collectionMark.findMany({
    where: {
      at: { gte: query.from, lt: query.to },
      ...(query.source === undefined ? {} : { sourceId: query.source }),
    },
    orderBy: { at: 'desc' },
    take: MARKS_MAX,
  })
  return rows.map((row) => ({
    at: row.at.toISOString(),
    source: row.sourceId,
    runId: row.runId,
    mode: row.mode,
    rows: row.rows.toString(),
    bytes: row.bytes.toString(),
    unfinished: row.unfinished,
    archives: row.archives,
  }))
}

import type { Watermark } from '@/lib/mirror/watermark'
import type { TimeRange } from '@/lib/sources/contracts'

/** What a run compares, beside what is open. */
export type MatchScope =
  /** Scheduled: whatever was staged since the last watermark, by our own order of insertion. */
  | { kind: 'watermark'; watermark: Watermark }
  /** On demand: what lies in the window by its source's time. */
  | { kind: 'window'; window: TimeRange }
  /** On demand: these operations, and nothing else. */
  | { kind: 'operations'; ids: readonly bigint[] }

/** A condition on a row, named by its alias. $2 and $3 are the bounds of the scope. */
export type RowCondition = (row: string) => string

/**
 * The rows of a scope as SQL, its two parameters, and the rows that were compared before. What is staged after a watermark is
 * compared with it by the run that comes for it.
 */
export function inScope(scope: Exclude<MatchScope, { kind: 'operations' }>): {
  inside: RowCondition
  outside: RowCondition | null
  from: bigint | Date
  to: bigint | Date
} {
  if (scope.kind === 'window') {
    const inside: RowCondition = (row) => `${row}.occurred_at >= $2 AND ${row}.occurred_at < $3`
    return { inside, outside: (row) => `NOT (${inside(row)})`, ...scope.window }
  }
  const { from, to } = scope.watermark
  return {
    inside: (row) => `${row}.seq > $2 AND ${row}.seq <= $3`,
    outside: from === 0n ? null : (row) => `${row}.seq <= $2`,
    from,
    to,
  }
}

/** The same question about one row. */
export function isInside(
  row: { seq: bigint; occurredAt: Date },
  scope: Exclude<MatchScope, { kind: 'operations' }>,
): boolean {
  return scope.kind === 'watermark'
    ? row.seq > scope.watermark.from && row.seq <= scope.watermark.to
    : row.occurredAt >= scope.window.from && row.occurredAt < scope.window.to
}

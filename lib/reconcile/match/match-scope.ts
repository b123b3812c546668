import type { Cut } from '@/lib/mirror/cut'
import type { TimeRange } from '@/lib/sources/contracts'

/** What a run compares, beside what is open. */
export type MatchScope =
  /** Scheduled: whatever was staged since the last cut, by our own order of insertion. */
  | { kind: 'cut'; cut: Cut }
  /** On demand: what lies in the window by its source's time. */
  | { kind: 'window'; window: TimeRange }
  /** On demand: these operations, and nothing else. */
  | { kind: 'operations'; ids: readonly bigint[] }

/** A condition on a row, named by its alias. $2 and $3 are the bounds of the scope. */
export type RowCondition = (row: string) => string

/**
 * The rows of a scope as SQL, its two parameters, and the rows that were compared before. What is staged after a cut is
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
  const { from, to } = scope.cut
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
  return scope.kind === 'cut'
    ? row.seq > scope.cut.from && row.seq <= scope.cut.to
    : row.occurredAt >= scope.window.from && row.occurredAt < scope.window.to
}

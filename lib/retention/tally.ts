import type { Unfinished } from './find-unfinished'

const LISTED_MAX = 100

/** What a collection has done so far. */
export type Tally = {
  partitions: number
  rows: bigint
  bytes: bigint
  busy: number
  notDue: number
  archives: number
  unfinished: Unfinished[]
  unreachable: string[]
}

export const emptyTally = (): Tally => ({
  partitions: 0,
  rows: 0n,
  bytes: 0n,
  busy: 0,
  notDue: 0,
  archives: 0,
  unfinished: [],
  unreachable: [],
})

export function addTo(tally: Tally, other: Tally): void {
  tally.partitions += other.partitions
  tally.rows += other.rows
  tally.bytes += other.bytes
  tally.busy += other.busy
  tally.notDue += other.notDue
  tally.archives += other.archives
  tally.unfinished.push(...other.unfinished)
  tally.unreachable.push(...other.unreachable)
}

export const tallyCounts = (tally: Tally) => ({
  partitions: tally.partitions,
  /** Of dropped partitions as the planner estimates them: those are not counted row by row. */
  rows: tally.rows.toString(),
  bytes: tally.bytes.toString(),
  busy: tally.busy,
  notDue: tally.notDue,
  archives: tally.archives,
  reapedUnfinished: tally.unfinished.length,
  unfinished: tally.unfinished.slice(0, LISTED_MAX),
  unreachable: tally.unreachable,
})

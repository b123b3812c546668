import type { ChartMark } from '@/lib/core/chart-mark'
import type { Db } from '@/lib/db'
import { readDeploys } from '@/lib/telemetry/read/deploys'
import { readMarks } from './now/marks'

const CHANGES_BEFORE_MS = 3_600_000
const CHANGES_SHOWN = 5

/** What was done, deployed or run in the hour before an alert began, the latest first. */
export async function readChangesBefore(db: Db, since: Date): Promise<ChartMark[]> {
  const window = { from: new Date(since.getTime() - CHANGES_BEFORE_MS), to: since }
  const marks = await readMarks(db, window, await readDeploys(db, window))
  return marks.toReversed().slice(0, CHANGES_SHOWN)
}

import type pg from 'pg'
import { COUNT_INTAKE } from '../sql/count-intake'
import { queryPrepared } from './prepared'

/**
 * `arrived`: rows of INSERT_SPANS, or the same counted by the caller; `minutes` = whose figures changed, in ms since
 * 1970. Last: these few rows are shared by all senders.
 */
export async function countIntake(
  client: pg.PoolClient,
  arrived: readonly unknown[],
  minutes: ReadonlySet<number>,
  receivedAt: Date,
): Promise<void> {
  if (arrived.length === 0 && minutes.size === 0) return
  const changed = [...minutes].map((minute) => new Date(minute))
  await queryPrepared(client, COUNT_INTAKE, [JSON.stringify(arrived), receivedAt, changed])
}

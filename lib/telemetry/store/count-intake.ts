import type pg from 'pg'
import { COUNT_INTAKE, TOUCH_DEPLOYS, TOUCH_SERVICES } from '../sql/count-intake'

/** `arrived`: rows of INSERT_SPANS, or the same counted by the caller. Last: these few rows are shared by all senders. */
export async function countIntake(
  client: pg.PoolClient,
  arrived: readonly unknown[],
  receivedAt: Date,
): Promise<void> {
  if (arrived.length === 0) return
  const parameters = [JSON.stringify(arrived), receivedAt]
  await client.query(COUNT_INTAKE, parameters)
  await client.query(TOUCH_SERVICES, parameters)
  await client.query(TOUCH_DEPLOYS, [parameters[0]])
}

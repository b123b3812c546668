import type pg from 'pg'
import { clearCondition, raiseCondition } from './condition'

/** A broken source or mapping is one incident, not thousands. */
export const raiseFlood = (
  client: pg.PoolClient,
  run: { id: string; system: string; floodCap: number },
  wouldOpen: number,
  now: Date,
): Promise<void> =>
  raiseCondition(
    client,
    {
      kind: 'case_flood',
      subject: run.system,
      detail: { wouldOpen, cap: run.floodCap, runId: run.id },
    },
    now,
  )

export const clearFlood = (client: pg.PoolClient, system: string, now: Date): Promise<void> =>
  clearCondition(client, 'case_flood', system, now)

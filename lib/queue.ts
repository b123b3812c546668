import { fromPrisma, PgBoss } from 'pg-boss'
import { z } from 'zod'
import type { RunKind } from './core/states'
import type { Tx } from './db'

/** One queue for each kind of run. The payload names the run; all else is in its row. */
export const jobPayloadSchema = z.object({ runId: z.string().startsWith('run_') })
export type JobPayload = z.infer<typeof jobPayloadSchema>

export const queueName = (kind: RunKind): string => `run.${kind}`

export type Queue = {
  boss: PgBoss
  /** Enqueues when `tx` commits. The job is a nudge: the run's row is the truth and a sweep finds lost ones. */
  enqueueRun(tx: Tx, kind: RunKind, payload: JobPayload): Promise<void>
}

/** `supervise` and `migrate` belong to workers; web only sends. */
export function createQueue(url: string, options: { worker: boolean }): Queue {
  const boss = new PgBoss({
    connectionString: url,
    application_name: 'idemscope-queue',
    max: options.worker ? 6 : 2,
    useListenNotify: options.worker,
    supervise: options.worker,
    schedule: false,
    migrate: options.worker,
    createSchema: options.worker,
  })
  return {
    boss,
    async enqueueRun(tx, kind, payload) {
      await boss.send(queueName(kind), payload, {
        db: fromPrisma(tx),
        retryLimit: 3,
        retryBackoff: true,
        expireInSeconds: 3600,
      })
    },
  }
}

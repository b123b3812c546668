import type { SystemContext } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { RUN_KINDS } from '@/lib/core/states'
import { closeDatabase, openDatabase } from '@/lib/db'
import { env } from '@/lib/env'
import { createLog } from '@/lib/log'
import { createQueue, jobPayloadSchema, queueName } from '@/lib/queue'
import { executeRun } from '@/lib/runs/execute'
import { forgetProcess, heartbeatProcess } from '@/lib/runs/processes'
import { pruneRuns } from '@/lib/runs/prune'
import { requeueLost } from '@/lib/runs/requeue-lost'
import { createTrouble } from '@/lib/runs/trouble'
import { closeSources } from '@/lib/sources/registry'
import { onShutdown, startProcess } from '../process'
import { waitForDatabase } from '../wait-for-database'
import { handlers } from './handlers'
import { startSchedule } from './schedule'

/** A worker that dies is missed after this long; its run then goes to another. */
const LEASE_MS = 15_000
const BEAT_EVERY_MS = 3_000
const SWEEP_EVERY_MS = 15_000

await startProcess(start)

async function start(): Promise<void> {
  const settings = env()
  const url = settings.DATABASE_URL
  if (url === undefined)
    throw new AppError('invalid', 'DATABASE_URL is not set: the worker needs the console’s database.')

  await waitForDatabase(url)

  const id = newId('prc')
  const log = createLog('worker', settings.IDEMSCOPE_LOG_LEVEL)
  const db = openDatabase(url, settings.IDEMSCOPE_POOL_MAX)
  const queue = createQueue(url, { worker: true })
  const trouble = createTrouble(systemClock)
  const ctx: SystemContext = { db, clock: systemClock, log, queue }

  queue.boss.on('error', (error) => log.error({ err: error }, 'queue error'))
  await queue.boss.start()
  for (const kind of RUN_KINDS) {
    await queue.boss.createQueue(queueName(kind), { notify: true })
    await queue.boss.work(
      queueName(kind),
      { batchSize: 2, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 },
      async (jobs) => {
        for (const job of jobs) {
          const runId = jobPayloadSchema.parse(job.data).runId
          await executeRun(ctx, { id: runId, owner: id, leaseMs: LEASE_MS }, handlers[kind])
        }
      },
    )
  }

  const warn = (what: string) => (error: unknown) => {
    trouble.note(error)
    log.warn({ err: error }, `${what} failed`)
  }
  const beat = () =>
    heartbeatProcess(
      db,
      { id, kind: 'worker', pid: process.pid, detail: { trouble: trouble.recent() } },
      systemClock,
    ).catch(warn('heartbeat'))
  const sweep = () => Promise.all([requeueLost(ctx), pruneRuns(ctx)]).catch(warn('sweep'))
  await beat()
  const timers = [setInterval(beat, BEAT_EVERY_MS), setInterval(sweep, SWEEP_EVERY_MS)]
  const stopSchedule = startSchedule(ctx, settings, trouble)
  log.info({ id }, 'worker is ready')

  onShutdown(log, async () => {
    stopSchedule()
    timers.forEach(clearInterval)
    await queue.boss.stop({ graceful: true, timeout: 3_000 })
    await closeSources()
    await forgetProcess(db, id)
    await closeDatabase(db)
  })
}

import { systemClock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { closeDatabase, openDatabase } from '@/lib/db'
import { env } from '@/lib/env'
import { createLog } from '@/lib/log'
import { forgetProcess, heartbeatProcess } from '@/lib/runs/processes'
import { keyHash } from '@/lib/sources/key-hash'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { listen, onShutdown, startProcess } from '../process'
import { waitForDatabase } from '../wait-for-database'
import { createReceiver } from './server'

const BEAT_EVERY_MS = 3_000
const PARTITIONS_EVERY_MS = 3_600_000
/** What was accepted is committed and answered within this; exporters send the rest again. */
const FINISH_WITHIN_MS = 2_000
const BYTES_PER_MIB = 1_048_576

await startProcess(start)

async function start(): Promise<void> {
  const settings = env()
  const { DATABASE_URL: url, IDEMSCOPE_KEY_SECRET: secret } = settings
  if (url === undefined)
    throw new AppError('invalid', 'DATABASE_URL is not set: the receiver needs the console’s database.')
  if (secret === undefined)
    throw new AppError('invalid', 'IDEMSCOPE_KEY_SECRET is not set: raw keys are hashed with it.')

  await waitForDatabase(url)

  const id = newId('prc')
  const log = createLog('receiver', settings.IDEMSCOPE_LOG_LEVEL)
  const db = openDatabase(url, settings.IDEMSCOPE_POOL_MAX)
  await ensurePartitions(db, systemClock)

  const receiver = createReceiver({
    db,
    clock: systemClock,
    log,
    hash: (key) => keyHash(secret, key),
    token: settings.IDEMSCOPE_OTLP_TOKEN,
    memoryBytesMax: settings.IDEMSCOPE_OTLP_MEMORY_MIB * BYTES_PER_MIB,
  })
  const { server } = receiver
  await listen(server, settings.OTLP_PORT, settings.IDEMSCOPE_OTLP_HOST, 'OTLP_PORT')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : settings.OTLP_PORT

  const warn = (what: string) => (error: unknown) => log.warn({ err: error }, `${what} failed`)
  const beat = () =>
    heartbeatProcess(
      db,
      { id, kind: 'receiver', pid: process.pid, detail: { port, ...receiver.stats() } },
      systemClock,
    ).catch(warn('heartbeat'))
  await beat()
  const timers = [
    setInterval(beat, BEAT_EVERY_MS),
    setInterval(
      () => ensurePartitions(db, systemClock).catch(warn('making partitions')),
      PARTITIONS_EVERY_MS,
    ),
  ]
  log.info({ id, port, host: settings.IDEMSCOPE_OTLP_HOST }, 'receiver is ready')

  onShutdown(log, async () => {
    timers.forEach(clearInterval)
    await receiver.close(FINISH_WITHIN_MS)
    await forgetProcess(db, id)
    await closeDatabase(db)
  })
}

import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { systemClock } from '@/sdk/clock'
import { GatewayConfigError, readConfig } from './config/read-config'
import { readEnv } from './env'
import { startGateway } from './start'
import { startTelemetry } from './telemetry/telemetry'

const USAGE = 'Usage: npm run gateway -- --config gateway.yaml [--check]'

const say = (text: string) => process.stderr.write(`${text}\n`)

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { config: { type: 'string' }, check: { type: 'boolean', default: false } },
  })
  if (values.config === undefined) throw new Error(USAGE)
  const env = readEnv()
  if (values.check) {
    readConfig(values.config, { env })
    say(`${values.config} is valid`)
    return
  }
  // A write for each request would cost as much as a quarter of its proxying.
  const stdout = pino.destination({
    dest: 1,
    sync: false,
    minLength: 16_384,
    maxWrite: 65_536,
    periodicFlush: 200,
  })
  const log = pino(
    {
      base: { process: 'gateway', pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err },
    },
    stdout,
  )
  const gateway = await startGateway({
    file: values.config,
    sources: { env },
    clock: systemClock,
    random: Math.random,
    log,
    telemetry(config) {
      log.level = config.log
      return startTelemetry(config, `${hostname()}-${randomUUID().slice(0, 8)}`, log)
    },
  })
  log.info({ port: gateway.port, adminPort: gateway.adminPort }, 'listening')
  process.on('exit', () => stdout.flushSync())
  process.on('SIGHUP', () => gateway.reload())
  let isEnding = false
  const end = async () => {
    // Asked a second time, nobody wants to wait.
    if (isEnding) process.exit(1)
    isEnding = true
    log.info('draining')
    const unfinished = await gateway.drain()
    if (unfinished > 0)
      log.error(
        { unfinished },
        'requests had not ended in time: their keys become unknown when their leases pass',
      )
    else log.info('drained')
    process.exit(unfinished > 0 ? 1 : 0)
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
}

main().catch((error: unknown) => {
  // A fault of the file is told as it is; where it happened here says nothing.
  say(
    error instanceof GatewayConfigError || !(error instanceof Error)
      ? String(error)
      : (error.stack ?? error.message),
  )
  process.exit(2)
})

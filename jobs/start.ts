import { resolve } from 'node:path'
import { systemClock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { type Env, env } from '@/lib/env'
import { createLog } from '@/lib/log'
import { applyMigrations } from '@/prisma/engine'
import { buildConsole } from './build'
import { keepEmbeddedPostgres } from './embedded/keep-running'
import { onShutdown } from './process'
import { RECEIVER_ARGS } from './receiver/node-args'
import { Children } from './supervisor/children'
import { prepareConsole } from './supervisor/console'
import { lockDataFolder } from './supervisor/data-lock'
import { demoChild, prepareDemo } from './supervisor/demo'
import { consoleEnvironment } from './supervisor/environment'
import { type Options, parseOptions } from './supervisor/options'
import { provision } from './supervisor/provision'
import { waitUntilReady } from './supervisor/ready'
import { writeRuntime } from './supervisor/runtime-file'
import { readOrCreateSecrets } from './supervisor/secrets'

// `npm start` and `npm run demo`: one of each process under one supervisor, with an embedded PostgreSQL when
// DATABASE_URL is not set. A crash of one does not take the others; Ctrl-C and SIGTERM end all.

/** What was begun, to be ended in the other order. */
const undo: (() => Promise<void> | void)[] = []

/** Longer than children (6 s) and PostgreSQL (10 s) are given together: who ends before them leaves them behind. */
const END_ALL_WITHIN_MS = 20_000

async function endAll(): Promise<void> {
  for (const step of undo.splice(0).toReversed()) await step()
}

try {
  await start(parseOptions(process.argv.slice(2)), env())
} catch (error) {
  await endAll()
  if (!(error instanceof AppError)) throw error
  console.error(error.message)
  process.exit(1)
}

async function start(options: Options, settings: Env): Promise<void> {
  if (options.demo && settings.DATABASE_URL !== undefined) {
    throw new AppError('invalid', 'The demo brings its own PostgreSQL: unset DATABASE_URL, or use npm start.')
  }
  const folder = resolve(settings.IDEMSCOPE_DATA_DIR)
  const consoleUrl = settings.IDEMSCOPE_PUBLIC_URL ?? `http://localhost:${settings.PORT}`
  undo.push(lockDataFolder(folder, consoleUrl, systemClock.now()))
  const log = createLog('supervisor', settings.IDEMSCOPE_LOG_LEVEL)
  const children = new Children(log)
  onShutdown(log, endAll, END_ALL_WITHIN_MS)

  const stopBuild = new AbortController()
  undo.push(() => stopBuild.abort())
  const building = buildConsole(stopBuild.signal)
  // Awaited below; until then a failure must not count as unhandled.
  building.catch(() => undefined)

  const secrets = readOrCreateSecrets(folder)
  const postgres = settings.DATABASE_URL === undefined ? await keepEmbeddedPostgres(folder, log) : undefined
  if (postgres) undo.push(() => postgres.stop())
  const urls = postgres && (await provision(postgres, secrets, options.demo))
  const databaseUrl = urls?.console ?? settings.DATABASE_URL
  if (databaseUrl === undefined) throw new AppError('internal', 'no database')
  await applyMigrations(databaseUrl)

  const environment = consoleEnvironment({ settings, options, databaseUrl, secrets, folder })
  const demo =
    options.demo && urls
      ? await prepareDemo({ settings, options, urls, secrets, folder, environment })
      : undefined
  const admin = await prepareConsole(databaseUrl, options.demo ? undefined : settings.IDEMSCOPE_ADMIN_EMAIL)

  undo.push(() => children.stop())
  children.start({ name: 'receiver', args: RECEIVER_ARGS, env: environment })
  // A build takes the whole machine: traffic beside it would show faults that nobody planned.
  await building
  children.start({ name: 'worker', args: ['--import', 'tsx', 'jobs/worker.ts'], env: environment })
  if (demo) children.start(demoChild(demo, databaseUrl, log))
  children.start({ name: 'web', args: ['jobs/web.mjs'], env: environment })

  undo.push(
    writeRuntime(folder, {
      databaseUrl,
      consoleUrl,
      otlpUrl: `http://127.0.0.1:${settings.OTLP_PORT}`,
      serviceUrl: demo?.serviceUrl ?? null,
      providerUrl: demo?.providerUrl ?? null,
    }),
  )
  void postgres?.lost.then(async (error) => {
    log.fatal(
      { err: error },
      'the embedded PostgreSQL cannot be kept running; see postgres.log in the data folder',
    )
    await endAll()
    process.exit(1)
  })
  await waitUntilReady(settings.PORT, log)
  console.log(welcome(consoleUrl, demo?.signIns ?? (admin ? [admin] : [])))
}

function welcome(consoleUrl: string, signIns: { role: string; email: string; password: string }[]): string {
  const rows = signIns.map(
    ({ role, email, password }) => `  ${role.padEnd(9)} ${email}  password ${password}`,
  )
  return ['', `Idemscope is ready: ${consoleUrl}`, ...rows, ''].join('\n')
}

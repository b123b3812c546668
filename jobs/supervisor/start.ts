import { resolve } from 'node:path'
import { systemClock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { type Env, env, publicUrl } from '@/lib/env'
import { createLog, type Log } from '@/lib/log'
import { applyMigrations } from '@/prisma/engine'
import { requireReleasedDatabase } from '@/prisma/history'
import { assertPortFree, onShutdown, startProcess } from '../process'
import { RECEIVER_ARGS } from '../receiver/node-args'
import { waitForDatabase } from '../wait-for-database'
import { buildConsole } from './build'
import { Children } from './children'
import { prepareConsole } from './console'
import { lockDataFolder } from './data-lock'
import { demoChild, prepareDemo } from './demo/start-demo'
import { keepEmbeddedPostgres } from './embedded/keep-running'
import { consoleEnvironment } from './environment'
import { type Options, parseOptions } from './options'
import { createProgress } from './progress'
import { type DatabaseUrls, migrateGuarded, provision } from './provision'
import { waitForFigures, waitUntilReady } from './ready'
import { writeRuntime } from './runtime-file'
import { readOrCreateSecrets, type Secrets } from './secrets'
import { Teardown } from './teardown'

// `npm start` and `npm run demo`: one of each process under one supervisor, with an embedded PostgreSQL when
// DATABASE_URL is not set. A crash of one does not take the others; Ctrl-C and SIGTERM end all.

const teardown = new Teardown()

/** Who uses another ends before it, so that a normal stop looks like no fault: workers ask the demo's provider, the demo sends traces. */
const END_ROUNDS = [['worker', 'web'], ['demo'], ['receiver']] as const
/** Longer than goodbyes (5 s), three rounds of children (6 s each) and PostgreSQL (13 s) are given. */
const END_ALL_WITHIN_MS = 40_000

await startProcess(async () => {
  try {
    await start(parseOptions(process.argv.slice(2)), env())
  } catch (error) {
    const toldToStop = teardown.signal.aborted
    await teardown.end().catch((failure: unknown) => console.error(failure))
    // What breaks because all is being ended is no news.
    if (!toldToStop) throw error
  }
})

async function start(options: Options, settings: Env): Promise<void> {
  if (options.demo && settings.DATABASE_URL !== undefined) {
    throw new AppError('invalid', 'The demo brings its own PostgreSQL: unset DATABASE_URL, or use npm start.')
  }
  const folder = resolve(settings.IDEMSCOPE_DATA_DIR)
  const consoleUrl = publicUrl(settings)
  teardown.add(lockDataFolder(folder, consoleUrl, systemClock.now()))
  // Who tries the demo reads its progress; what goes wrong is logged all the same.
  const log = createLog('supervisor', options.demo ? 'warn' : settings.IDEMSCOPE_LOG_LEVEL)
  onShutdown(log, () => teardown.end(), END_ALL_WITHIN_MS)
  await assertPortFree(settings.PORT, settings.IDEMSCOPE_HOST, 'PORT')
  await assertPortFree(settings.OTLP_PORT, settings.IDEMSCOPE_OTLP_HOST, 'OTLP_PORT')
  if (settings.DATABASE_URL !== undefined) {
    // Before the build: a database that cannot be used is said at once.
    await waitForDatabase(settings.DATABASE_URL)
    await requireReleasedDatabase(settings.DATABASE_URL)
  }

  const progress = createProgress()
  const building = progress.step(
    'Building the console: about a minute, at the first start only',
    buildConsole(teardown.signal),
  )
  // Awaited below; until then a failure must not count as unhandled.
  const built = building.then(
    () => undefined,
    () => undefined,
  )
  teardown.add(() => built)

  const secrets = readOrCreateSecrets(folder)
  const { databaseUrl, demoUrls } = await progress.step(
    'Preparing the database',
    prepareDatabase({ options, settings, secrets, folder, log }),
  )
  const environment = consoleEnvironment({ settings, options, databaseUrl, secrets, folder })
  const demo =
    demoUrls && (await prepareDemo({ settings, options, urls: demoUrls, secrets, folder, environment }))
  const admin = await prepareConsole(databaseUrl, options.demo ? undefined : settings.IDEMSCOPE_ADMIN_EMAIL)

  const children = new Children(log)
  teardown.add(() => children.stop(END_ROUNDS))
  children.start({ name: 'receiver', args: RECEIVER_ARGS, env: environment })
  // A build takes the whole machine: traffic beside it would show faults that nobody planned.
  await building
  children.start({ name: 'worker', args: ['--import', 'tsx', 'jobs/worker/main.ts'], env: environment })
  if (demo) children.start(demoChild(demo, databaseUrl, log))
  children.start({ name: 'web', args: ['jobs/web.mjs'], env: environment })

  teardown.add(
    writeRuntime(folder, {
      databaseUrl,
      consoleUrl,
      otlpUrl: `http://127.0.0.1:${settings.OTLP_PORT}`,
      serviceUrl: demo?.serviceUrl ?? null,
      providerUrl: demo?.providerUrl ?? null,
    }),
  )
  await progress.step('Starting the console, the receiver and the worker', waitUntilReady(settings.PORT, log))
  if (demo)
    await progress.step('Waiting for the first figures of the demo’s traffic', waitForFigures(databaseUrl))
  console.log(welcome(consoleUrl, demo?.signIns ?? (admin ? [admin] : [])))
}

/** An embedded PostgreSQL, kept running, or the one that DATABASE_URL names; migrated. */
async function prepareDatabase(given: {
  options: Options
  settings: Env
  secrets: Secrets
  folder: string
  log: Log
}): Promise<{ databaseUrl: string; demoUrls: DatabaseUrls | undefined }> {
  const { options, settings, secrets, folder, log } = given
  if (settings.DATABASE_URL !== undefined) {
    await applyMigrations(settings.DATABASE_URL)
    return { databaseUrl: settings.DATABASE_URL, demoUrls: undefined }
  }
  const starting = keepEmbeddedPostgres(folder, log, { signal: teardown.signal })
  teardown.add(async () => {
    // Where it does not start, that is thrown below.
    const started = await starting.catch(() => undefined)
    await started?.stop()
  })
  const postgres = await starting
  void postgres.lost.then(async (error) => {
    log.fatal(
      { err: error },
      'the embedded PostgreSQL cannot be kept running; see postgres.log in the data folder',
    )
    await teardown.end().catch((cause: unknown) => log.error({ err: cause }, 'closing failed'))
    process.exit(1)
  })
  const urls = await provision(postgres, secrets, options.demo)
  await migrateGuarded(postgres, () => applyMigrations(urls.console))
  return { databaseUrl: urls.console, demoUrls: options.demo ? urls : undefined }
}

function welcome(consoleUrl: string, signIns: { role: string; email: string; password: string }[]): string {
  const rows = signIns.map(
    ({ role, email, password }) => `  ${role.padEnd(9)} ${email}  password ${password}`,
  )
  return ['', `Idemscope is ready: ${consoleUrl}`, ...rows, ''].join('\n')
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ensureUser } from '@/lib/access/users'
import { systemClock } from '@/lib/core/clock'
import { newId } from '@/lib/core/ids'
import type { Role } from '@/lib/core/permissions'
import { closeDatabase, openDatabase } from '@/lib/db'
import type { Env } from '@/lib/env'
import type { Log } from '@/lib/log'
import { forgetProcess, heartbeatProcess } from '@/lib/runs/processes'
import type { ChildSpec, Environment } from '../children'
import { freePort } from '../embedded/free-port'
import type { Options } from '../options'
import type { DatabaseUrls } from '../provision'
import type { Secrets } from '../secrets'
import { demoSources } from './demo-sources'
import { chooseFurtherStores } from './further-stores'

export type SignIn = { role: Role; email: string; password: string }
export type Demo = { serviceUrl: string; providerUrl: string; signIns: SignIn[]; env: Environment }

const BEAT_EVERY_MS = 3_000

/** Sources, two users and the environment of the demo. Its own processes make their tables themselves. */
export async function prepareDemo(given: {
  settings: Env
  options: Options
  urls: DatabaseUrls
  secrets: Secrets
  folder: string
  environment: Record<string, string>
}): Promise<Demo> {
  const { settings, options, urls, secrets, folder, environment } = given
  const [providerPort, servicePort] = [await freePort(), await freePort()]
  const providerUrl = `http://127.0.0.1:${providerPort}`
  const stores = await chooseFurtherStores(options, secrets, environment.PATH ?? '')
  const dataDir = join(folder, 'demo')
  mkdirSync(dataDir, { recursive: true })

  const signIns = [
    { role: 'operator' as const, email: 'operator@idemscope.local', password: secrets.operatorPassword },
    { role: 'approver' as const, email: 'approver@idemscope.local', password: secrets.approverPassword },
  ]
  const db = openDatabase(urls.console, 2)
  try {
    const credentialsKey = environment.IDEMSCOPE_CREDENTIALS_KEY ?? secrets.credentialsKey
    await demoSources(db, { urls, secrets, providerUrl, credentialsKey, stores })
    for (const signIn of signIns) await ensureUser(db, systemClock, { ...signIn, name: `${signIn.role}-1` })
  } finally {
    await closeDatabase(db)
  }
  writeFileSync(join(dataDir, 'sign-ins.json'), `${JSON.stringify(signIns, null, 2)}\n`, { mode: 0o600 })

  const env: Environment = {
    NODE_ENV: 'production',
    PATH: environment.PATH ?? '',
    HOME: environment.HOME ?? '',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    DEMO_DATABASE_URL: urls.service,
    DEMO_CONSOLE_ROLE: 'idemscope_source',
    DEMO_DATA_DIR: dataDir,
    DEMO_OTLP_URL: `http://127.0.0.1:${settings.OTLP_PORT}`,
    DEMO_READY_URL: `http://127.0.0.1:${settings.PORT}/readyz`,
    IDEMSCOPE_KEY_SECRET: environment.IDEMSCOPE_KEY_SECRET ?? secrets.keySecret,
    DEMO_SEED: options.seed,
    DEMO_RATE: String(options.rate),
    DEMO_DURATION_S: String(options.duration),
    DEMO_FAULT_RATE: String(options['fault-rate']),
    DEMO_FAULT: options.fault,
    DEMO_PROVIDER_PORT: String(providerPort),
    DEMO_SERVICE_PORT: String(servicePort),
    DEMO_DYNAMODB_URL: stores.dynamodb?.url ?? '',
    DEMO_REDIS_URL: stores.redis?.serviceUrl ?? '',
    DEMO_REDIS_CONSOLE_URL: stores.redis?.consoleUrl ?? '',
    DEMO_PROVIDER_READ_KEY: secrets.providerReadKey,
    DEMO_PROVIDER_WRITE_KEY: secrets.providerWriteKey,
  }
  return { serviceUrl: `http://127.0.0.1:${servicePort}`, providerUrl, signIns, env }
}

const messageSchema = z.object({
  type: z.enum(['provider-ready', 'service-ready', 'traffic-began', 'traffic-ended']),
})

/** The demo is one process that runs its own. When its traffic begins, /readyz learns it from a heartbeat. */
export function demoChild(demo: Demo, databaseUrl: string, log: Log): ChildSpec {
  const db = openDatabase(databaseUrl, 2)
  const id = newId('prc')
  let phase = 'starting'
  const beat = () =>
    heartbeatProcess(db, { id, kind: 'demo', pid: process.pid, detail: { phase } }, systemClock).catch(
      (error: unknown) => log.warn({ err: error }, 'demo heartbeat failed'),
    )
  let timer: NodeJS.Timeout | undefined
  return {
    name: 'demo',
    args: ['--import', 'tsx', 'demo/main.ts'],
    env: demo.env,
    onMessage(message) {
      phase = messageSchema.parse(message).type
      log.info({ phase }, 'demo')
      if (phase === 'traffic-began') timer ??= setInterval(beat, BEAT_EVERY_MS)
      if (timer) void beat()
    },
    async onStop() {
      clearInterval(timer)
      await forgetProcess(db, id)
      await closeDatabase(db)
    },
  }
}

import { type Env, inheritedEnvironment } from '@/lib/env'
import type { Environment } from './children'
import type { Options } from './options'
import type { Secrets } from './secrets'

/** Thresholds of the demo: minutes become seconds, so that a newcomer sees verdicts while they watch. */
const DEMO_PROFILE = {
  IDEMSCOPE_DEMO: '1',
  IDEMSCOPE_ENVIRONMENT: 'demo',
  IDEMSCOPE_LOG_LEVEL: 'warn',
  IDEMSCOPE_STAGE_EVERY_MS: '3000',
  IDEMSCOPE_RECONCILE_EVERY_MS: '10000',
  IDEMSCOPE_LOCK_CHECK_EVERY_MS: '4000',
  IDEMSCOPE_COLLECT_EVERY_MS: '15000',
  IDEMSCOPE_SETTLE_DELAY_MS: '3000',
  // The demo's service gives up after 6 s and repeats nothing (demo/service/provider.ts).
  IDEMSCOPE_PROVIDER_CALL_MS: '6000',
  IDEMSCOPE_CLOCK_SKEW_MS: '1000',
  IDEMSCOPE_BREAK_ON_MS: '15000',
  IDEMSCOPE_LEASE_GRACE_MS: '1000',
  IDEMSCOPE_ORPHAN_GRACE_MS: '20000',
  IDEMSCOPE_COLLECT_SAFETY_MS: '60000',
  IDEMSCOPE_FLOOD_CAP: '100000',
  // About versions of Node.js that its later versions need: nothing for who tries the demo.
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
}

/** What the console's own processes get: the person's settings win over the demo's and the made secrets. */
export function consoleEnvironment(given: {
  settings: Env
  options: Options
  databaseUrl: string
  secrets: Secrets
  folder: string
}): Environment {
  const { settings, options, secrets } = given
  return {
    ...(options.demo ? DEMO_PROFILE : {}),
    IDEMSCOPE_KEY_SECRET: secrets.keySecret,
    IDEMSCOPE_AUTH_SECRET: secrets.authSecret,
    IDEMSCOPE_CREDENTIALS_KEY: secrets.credentialsKey,
    IDEMSCOPE_AUDIT_KEY: secrets.auditKey,
    ...inheritedEnvironment(),
    NODE_ENV: 'production',
    DATABASE_URL: given.databaseUrl,
    IDEMSCOPE_DATA_DIR: given.folder,
    PORT: String(settings.PORT),
    OTLP_PORT: String(settings.OTLP_PORT),
  }
}

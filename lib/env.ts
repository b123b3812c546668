import { z } from 'zod'
import { AppError } from './core/errors'
import { isLoopback } from './outbound/addresses'

const port = z.coerce.number().int().min(0).max(65_535)
const durationMs = z.coerce.number().int().min(0)
const flag = z.enum(['0', '1', 'true', 'false']).transform((value) => value === '1' || value === 'true')
const secret = z.string().min(32, 'at least 32 characters')
const keyOf32Bytes = z.string().regex(/^[0-9a-f]{64}$/, '32 bytes in hex')
const listed = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
)
const networks = listed.pipe(
  z.array(z.union([z.cidrv4(), z.cidrv6()], 'networks like 10.0.0.0/8, separated by commas')),
)

/** All configuration, with its default. `.env.example` lists the same names; a test compares the two. */
const schema = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'a postgres:// URL' }).optional(),
  PORT: port.default(3000),
  OTLP_PORT: port.default(4318),
  NODE_ENV: z.enum(['development', 'production', 'test']).default('production'),
  IDEMSCOPE_DATA_DIR: z.string().min(1).default('.data'),
  IDEMSCOPE_ENVIRONMENT: z
    .string()
    .regex(/^[\w-]{1,24}$/, 'letters, digits, - and _, at most 24')
    .default('production'),
  IDEMSCOPE_PUBLIC_URL: z.url().optional(),
  IDEMSCOPE_HOST: z.string().min(1).default('127.0.0.1'),
  IDEMSCOPE_KEY_SECRET: secret.optional(),
  IDEMSCOPE_AUTH_SECRET: secret.optional(),
  IDEMSCOPE_CREDENTIALS_KEY: keyOf32Bytes.optional(),
  /** Seeds of Ed25519 keys: the first signs the audit's head, all verify. */
  IDEMSCOPE_AUDIT_KEY: listed.pipe(z.array(keyOf32Bytes)).default([]),
  IDEMSCOPE_ADMIN_EMAIL: z.email().default('admin@idemscope.local'),
  IDEMSCOPE_OTLP_HOST: z.string().min(1).default('127.0.0.1'),
  IDEMSCOPE_OTLP_TOKEN: z.string().min(16).optional(),
  IDEMSCOPE_OTLP_MEMORY_MIB: z.coerce.number().int().min(32).default(128),
  IDEMSCOPE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  IDEMSCOPE_POOL_MAX: z.coerce.number().int().min(2).max(200).default(8),
  IDEMSCOPE_STAGE_EVERY_MS: durationMs.min(500).default(15_000),
  IDEMSCOPE_RECONCILE_EVERY_MS: durationMs.min(1000).default(60_000),
  IDEMSCOPE_ROLL_UP_EVERY_MS: durationMs.min(250).default(2_000),
  IDEMSCOPE_LOCK_CHECK_EVERY_MS: durationMs.min(500).default(10_000),
  /** Dead messages that a selection sends again, or ends, in a second. */
  IDEMSCOPE_REDRIVE_PER_SECOND: z.coerce.number().min(0.1).max(1_000).default(50),
  IDEMSCOPE_COLLECT_EVERY_MS: durationMs.min(1000).default(60_000),
  IDEMSCOPE_SETTLE_DELAY_MS: durationMs.default(60_000),
  /** The longest call of a service to its provider, all repeats included: stripe-node makes 3 of 80 s each. */
  IDEMSCOPE_PROVIDER_CALL_MS: durationMs.default(240_000),
  IDEMSCOPE_CLOCK_SKEW_MS: durationMs.default(5_000),
  IDEMSCOPE_BREAK_ON_MS: durationMs.default(600_000),
  IDEMSCOPE_LEASE_GRACE_MS: durationMs.default(2_000),
  IDEMSCOPE_ORPHAN_GRACE_MS: durationMs.default(120_000),
  IDEMSCOPE_FLOOD_CAP: z.coerce.number().int().min(1).default(200),
  IDEMSCOPE_COLLECT_SAFETY_MS: durationMs.default(3_600_000),
  IDEMSCOPE_TELEMETRY_DAYS: z.coerce.number().int().min(1).max(3650).default(30),
  IDEMSCOPE_PROVIDER_WINDOW_MS: durationMs.default(86_400_000),
  /** Networks of our own that URLs which people enter may lead to, in CIDR notation; plain http is allowed there too. */
  IDEMSCOPE_OUTBOUND_ALLOW: networks.default([]),
  /** Networks of reverse proxies in front of the console: what they say in X-Forwarded-For is believed. */
  IDEMSCOPE_TRUSTED_PROXIES: networks.default([]),
  /** Lets a scraper read /metrics without a token of a user. */
  IDEMSCOPE_METRICS_TOKEN: z.string().min(16).optional(),
  /** Only the demo may point a provider at another base URL. */
  IDEMSCOPE_DEMO: flag.default(false),
})

export type Env = z.infer<typeof schema>

/** Parses the environment; one error names every fault and what each should be. Throws `invalid`. */
export function parseEnv(source: Record<string, string | undefined>): Env {
  const present = Object.fromEntries(
    Object.entries(source).filter(([, value]) => value !== undefined && value !== ''),
  )
  const unknown = Object.keys(present).filter(
    (name) => name.startsWith('IDEMSCOPE_') && !(name in schema.shape),
  )
  const parsed = schema.safeParse(present)
  const faults = [
    ...unknown.map((name) => `${name}: no such setting (see .env.example)`),
    ...(parsed.success
      ? []
      : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)),
    ...(parsed.success ? faultsTogether(parsed.data) : []),
  ]
  if (faults.length > 0 || !parsed.success) {
    throw new AppError(
      'invalid',
      `The configuration has ${faults.length} fault(s):\n  ${faults.join('\n  ')}`,
    )
  }
  return parsed.data
}

/** What each setting alone does not show. */
function faultsTogether({ IDEMSCOPE_OTLP_HOST: host, IDEMSCOPE_OTLP_TOKEN: token }: Env): string[] {
  if (token !== undefined || isLoopback(host)) return []
  return [
    `IDEMSCOPE_OTLP_HOST: ${host} can be reached from other machines: set IDEMSCOPE_OTLP_TOKEN, or listen on 127.0.0.1`,
  ]
}

/** Where people open the console. */
export const publicUrl = ({ IDEMSCOPE_PUBLIC_URL, PORT }: Env): string =>
  IDEMSCOPE_PUBLIC_URL ?? `http://localhost:${PORT}`

export const SETTING_NAMES = Object.keys(schema.shape)

/** Whatever is set, for a process of ours that is started: it reads its own settings. */
export const inheritedEnvironment = (): Record<string, string> =>
  Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => !!entry[1]))

let cached: Env | undefined

/** The process's configuration, parsed once. */
export function env(): Env {
  cached ??= parseEnv(process.env)
  return cached
}

/** For tests, whose files share a process: the settings are read again. */
export function forgetEnv(): void {
  cached = undefined
}

import { z } from 'zod'

/** The only reader of the environment in demo/. */

const secret = z.string().min(16)
const port = z.coerce.number().int().min(0).max(65_535)

const storeUrl = (protocol: RegExp) => z.union([z.literal(''), z.url({ protocol })])

const shared = {
  DEMO_DATABASE_URL: z.url(),
  DEMO_OTLP_URL: z.url(),
  IDEMSCOPE_KEY_SECRET: secret,
  DEMO_PROVIDER_WRITE_KEY: z.string().min(8),
  /** '' = without that store. */
  DEMO_DYNAMODB_URL: storeUrl(/^http$/).default(''),
  DEMO_REDIS_URL: storeUrl(/^redis$/).default(''),
}

const mainEnv = z.object({
  ...shared,
  DEMO_CONSOLE_ROLE: z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/),
  DEMO_DATA_DIR: z.string().min(1),
  DEMO_READY_URL: z.url(),
  DEMO_SEED: z.string().min(1).default('1'),
  /** New operations a second. */
  DEMO_RATE: z.coerce.number().positive().max(200).default(5),
  /** 0 = traffic never stops. */
  DEMO_DURATION_S: z.coerce.number().int().min(0).default(0),
  DEMO_FAULT_RATE: z.coerce.number().min(0).max(1).default(0.02),
  /** The only kind of fault; '' = all take turns. */
  DEMO_FAULT: z.string().default(''),
  DEMO_PROVIDER_PORT: port.default(0),
  DEMO_SERVICE_PORT: port.default(0),
  DEMO_PROVIDER_READ_KEY: z.string().min(8),
  /** As the console reaches the same Redis. */
  DEMO_REDIS_CONSOLE_URL: storeUrl(/^redis$/).default(''),
})

const serviceEnv = z.object({
  ...shared,
  DEMO_PROVIDER_PORT: port,
  DEMO_SERVICE_PORT: port,
  DEMO_INSTANCE_ID: z.string().min(1),
  /** Signs what the relay sends to the consumers, as in Standard Webhooks. */
  DEMO_WEBHOOK_SECRET: z.string().regex(/^whsec_/),
  /** 1 = this process publishes the outbox. */
  DEMO_RELAY: z.enum(['0', '1']).default('0'),
  /** 1 = requests may arm fault points by a header. Never set outside the demo. */
  DEMO_BARRIERS: z.enum(['0', '1']).default('0'),
})

export type MainEnv = z.infer<typeof mainEnv>
export type ServiceEnv = z.infer<typeof serviceEnv>

export function readMainEnv(): MainEnv {
  return parse(mainEnv)
}

export function readServiceEnv(): ServiceEnv {
  return parse(serviceEnv)
}

/** What a service process gets: nothing of ours that it does not need. */
export function serviceProcessEnv(env: ServiceEnv): NodeJS.ProcessEnv {
  const inherited = ['PATH', 'HOME', 'TZ', 'LANG'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  const own = Object.entries(env).map(([name, value]) => [name, String(value)] as const)
  return {
    ...Object.fromEntries([...inherited, ...own]),
    NODE_ENV: 'production',
    // Each of these processes would say which versions of Node.js its later versions need.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  }
}

function parse<S extends z.ZodType>(schema: S): z.output<S> {
  const parsed = schema.safeParse(process.env)
  if (!parsed.success) throw new Error(`demo environment:\n${z.prettifyError(parsed.error)}`)
  return parsed.data
}

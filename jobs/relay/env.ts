import { z } from 'zod'

const text = z.string().min(1)
const common = {
  RELAY_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  RELAY_SCHEMA: text.default('public'),
}

/** What the relay's process is told; it runs beside the service, in the service's database. */
const RelayEnv = z.discriminatedUnion('RELAY_PUBLISHER', [
  z.object({
    ...common,
    RELAY_PUBLISHER: z.literal('webhook'),
    RELAY_WEBHOOK_URL: z.url({ protocol: /^https?$/ }),
    RELAY_WEBHOOK_SECRET: text,
  }),
  z.object({ ...common, RELAY_PUBLISHER: z.literal('kafka'), RELAY_KAFKA_BROKERS: text }),
  z.object({ ...common, RELAY_PUBLISHER: z.literal('sqs'), RELAY_SQS_QUEUE_URL: z.url() }),
  z.object({
    ...common,
    RELAY_PUBLISHER: z.literal('rabbitmq'),
    RELAY_RABBITMQ_URL: z.url({ protocol: /^amqps?$/ }),
    RELAY_RABBITMQ_EXCHANGE: z.string().default(''),
  }),
])
export type RelayEnv = z.infer<typeof RelayEnv>

/** Throws one error that names all faults. */
export function readRelayEnv(): RelayEnv {
  const read = RelayEnv.safeParse(process.env)
  if (read.success) return read.data
  const faults = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new Error(`The relay cannot start: ${faults.join('; ')}. See docs/guides/messaging.md.`)
}

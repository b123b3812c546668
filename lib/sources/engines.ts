import { z } from 'zod'
import type { DetectedLayout } from './contracts'
import { kafkaSecretSchema } from './dead-letters/kafka/config'
import { detectTopics } from './dead-letters/kafka/detect'
import { rabbitSecretSchema } from './dead-letters/rabbitmq/config'
import { detectDeadQueue } from './dead-letters/rabbitmq/detect'
import { sqsSecretSchema } from './dead-letters/sqs/config'
import { detectQueues } from './dead-letters/sqs/detect'
import { dynamoSecretSchema } from './dynamodb/address'
import { detectTables } from './dynamodb/detect'
import { detectLayouts } from './layouts'
import { postgresSecretSchema } from './native/config'
import { hybridSecretSchema } from './native-hybrid/config'
import { detectHybrid } from './native-hybrid/detect'
import { redisSecretSchema } from './redis/config'
import { detectRedis } from './redis/detect'

type Engine<S> = {
  /** What it takes to look at an address of this engine. */
  secret: z.ZodType<S>
  /** Looks for known layouts: reads only, and never a whole store. */
  detect(secret: S): Promise<DetectedLayout[]>
}

const define = <S>(engine: Engine<S>): Engine<S> => engine

/** Where idempotency keys and messages can be looked for. */
const ENGINES = {
  postgresql: define({ secret: postgresSecretSchema, detect: detectLayouts }),
  dynamodb: define({ secret: dynamoSecretSchema, detect: detectTables }),
  hybrid: define({ secret: hybridSecretSchema, detect: detectHybrid }),
  redis: define({ secret: redisSecretSchema, detect: detectRedis }),
  kafka: define({ secret: kafkaSecretSchema, detect: detectTopics }),
  rabbitmq: define({ secret: rabbitSecretSchema, detect: detectDeadQueue }),
  sqs: define({ secret: sqsSecretSchema, detect: detectQueues }),
} as const

export type EngineName = keyof typeof ENGINES
export const engineNameSchema = z.enum(Object.keys(ENGINES) as [EngineName, ...EngineName[]])

/** The known layouts at an address. */
export function detectIn(name: EngineName, secret: unknown): Promise<DetectedLayout[]> {
  // Each engine's own type meets itself again here; the table's union cannot carry it across.
  const engine = ENGINES[name] as Engine<unknown>
  return engine.detect(engine.secret.parse(secret))
}

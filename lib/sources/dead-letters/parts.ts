import { z } from 'zod'
import { consumersSchema } from '../outbox/config'

/** What every queue of dead letters is configured with. */
export const deadLetterParts = {
  /** Of messages that do not say theirs, and what the figures are under: the topic as its consumers name it. */
  topic: z.string().min(1).max(255).optional(),
  /** Whose dead letters they are, where messages do not say it. */
  group: z.string().min(1).max(100).optional(),
  /** So many dead letters are read at most; that there are more is said. */
  readMax: z.int().min(1).max(10_000).default(1_000),
  requestTimeoutMs: z.int().min(100).max(60_000).default(5_000),
  consumers: consumersSchema,
}

/** Of queues in which reading costs a delivery. */
export const readEveryMs = z.int().min(1_000).max(86_400_000).default(300_000)

import { z } from 'zod'
import { nativeConfigSchema } from '../native/config'

const { schema, statementTimeoutMs, poolMax } = nativeConfigSchema.shape

/** Who consumes, and where the records of what they applied are: without them no message is redriven. */
export const consumersSchema = z
  .array(
    z.strictObject({
      group: z.string().min(1).max(100),
      topic: z.string().min(1).max(255),
      /** The name of a store that the console reads. */
      store: z.string().min(1).max(60),
      recordsKeptMs: z.int().min(1).optional(),
      redeliveryHorizonMs: z.int().min(1).optional(),
    }),
  )
  .max(200)
  .default([])

export const outboxConfigSchema = z.strictObject({
  schema,
  statementTimeoutMs,
  poolMax,
  consumers: consumersSchema,
})
export type OutboxConfig = z.infer<typeof outboxConfigSchema>

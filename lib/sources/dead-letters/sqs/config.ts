import { z } from 'zod'
import { awsAddress } from '../../dynamodb/address'
import { deadLetterParts, readEveryMs } from '../parts'

const queueUrl = z.url({ protocol: /^https?$/ }).max(500)

export const sqsConfigSchema = z.strictObject({
  /** The dead-letter queue, and the queue that a redriven message goes back to. */
  queueUrl,
  sourceQueueUrl: queueUrl,
  ...deadLetterParts,
  readEveryMs,
  /** How long a message is hidden while the queue is read through; longer than that takes. */
  hiddenS: z.int().min(5).max(600).default(30),
})
export type SqsConfig = z.infer<typeof sqsConfigSchema>

/** `queueUrl`: to look for queues of dead letters at this one only. */
export const sqsSecretSchema = awsAddress({ queueUrl: z.string().max(500).optional() })
export type SqsSecret = z.infer<typeof sqsSecretSchema>

export const queueName = (url: string): string => new URL(url).pathname.split('/').at(-1) ?? url

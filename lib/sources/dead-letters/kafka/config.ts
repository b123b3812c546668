import { z } from 'zod'
import { deadLetterParts } from '../parts'

const topicName = z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, 'the name of a topic')

export const kafkaConfigSchema = z.strictObject({
  /** The topic of dead letters, and the one that a redriven message goes back to. */
  deadTopic: topicName,
  sourceTopic: topicName,
  /** Where the console writes what was redriven or discarded: one partition, kept at least as long as the dead letters. */
  actionsTopic: topicName.optional(),
  ...deadLetterParts,
})
export type KafkaConfig = z.infer<typeof kafkaConfigSchema>

const address = /^[A-Za-z0-9.-]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/

/** `topic`: the one to look at before it is connected. */
export const kafkaSecretSchema = z
  .strictObject({
    brokers: z
      .string()
      .max(2_000)
      .refine(
        (text) => text.split(',').every((each) => address.test(each.trim())),
        'names brokers as host:port, several with commas',
      ),
    tls: z.enum(['yes', 'no']).default('yes'),
    mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).default('scram-sha-512'),
    username: z.string().min(1).max(200).optional(),
    password: z.string().min(1).max(500).optional(),
    topic: topicName.optional(),
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    message: 'a user has two parts: name and password',
    path: ['password'],
  })
export type KafkaSecret = z.infer<typeof kafkaSecretSchema>

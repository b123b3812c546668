import { z } from 'zod'
import { assignments, identifier, mappedConfigSchema } from '../mapped/config'
import { consumersSchema } from '../outbox/config'

const column = z.strictObject({ column: identifier })
const texts = z.array(z.string()).default([])

const state = z.discriminatedUnion('kind', [
  /** One column says it. A value that is not listed is shown as unknown, and nothing is offered for it. */
  z.strictObject({
    kind: z.literal('values'),
    column: identifier,
    pending: z.array(z.string()).min(1),
    retrying: texts,
    sent: texts,
    dead: texts,
    discarded: texts,
  }),
  /** Sent once one column is not NULL; given up once another is not. */
  z.strictObject({ kind: z.literal('marker'), sentAt: identifier, failedAt: identifier.optional() }),
  /** What is sent is deleted: what is there is unsent. */
  z.strictObject({ kind: z.literal('deleted') }),
  /** A log reads the table: no row says whether it was sent. */
  z.strictObject({ kind: z.literal('unmarked') }),
])

/** A table of messages that another library writes, by its columns. */
export const mappedOutboxConfigSchema = z
  .strictObject({
    relation: z.strictObject({ schema: identifier, name: identifier }),
    columns: z.strictObject({
      /** Names the row: unique. */
      id: identifier,
      key: identifier.optional(),
      type: identifier.optional(),
      payload: identifier.optional(),
      createdAt: identifier.optional(),
      settledAt: identifier.optional(),
      attempts: identifier.optional(),
      error: identifier.optional(),
      group: identifier.optional(),
      /** Written by a verb of the console, so that the same one is done once and a lost answer is settled. */
      actionId: identifier.optional(),
    }),
    topic: z.union([
      z.strictObject({ column: identifier, prefix: z.string().max(100).default('') }),
      z.strictObject({ literal: z.string().min(1).max(255) }),
    ]),
    /** The publisher's id, by which consumers know it; absent = the row's. null = it carries none. */
    messageId: z
      .union([column, z.strictObject({ header: z.string().min(1) })])
      .nullable()
      .optional(),
    /** A column with a JSON object of headers, or one in which they are a member. */
    headers: z.strictObject({ column: identifier, member: z.string().min(1).optional() }).optional(),
    /** The header that says why it failed, where no column does. */
    errorHeader: z.string().min(1).optional(),
    state,
    /** With so many attempts, what is not sent is tried no more. */
    deadFromAttempts: z.int().min(1).optional(),
    redrive: z.strictObject({ set: assignments }).optional(),
    discard: z.strictObject({ set: assignments }).optional(),
    /** Why a verb is not mapped, where that is known. */
    reasons: z
      .strictObject({ redrive: z.string().max(300).optional(), discard: z.string().max(300).optional() })
      .default({}),
    /** Of columns that hold a time without its zone. */
    timeZone: z
      .string()
      .regex(/^[A-Za-z0-9_+:/-]{1,60}$/, 'a zone such as UTC or Europe/Berlin')
      .default('UTC'),
    epochUnit: mappedConfigSchema.shape.epochUnit,
    statementTimeoutMs: mappedConfigSchema.shape.statementTimeoutMs,
    poolMax: mappedConfigSchema.shape.poolMax,
    consumers: consumersSchema,
  })
  .superRefine((config, ctx) => {
    const fault = (path: string[], message: string) => ctx.addIssue({ code: 'custom', path, message })
    if (config.deadFromAttempts !== undefined && config.columns.attempts === undefined)
      fault(['deadFromAttempts'], 'needs columns.attempts')
    if (config.errorHeader !== undefined && config.headers === undefined)
      fault(['errorHeader'], 'needs headers')
    if (config.messageId && 'header' in config.messageId && config.headers === undefined)
      fault(['messageId'], 'needs headers')
    for (const verb of ['redrive', 'discard'] as const)
      if (config[verb]?.set[config.columns.id] !== undefined)
        fault([verb, 'set', config.columns.id], 'names what identifies the row')
  })
export type MappedOutboxConfig = z.infer<typeof mappedOutboxConfigSchema>

/** Whether any row can be known to be dead. */
export const hasDead = ({ state: by, deadFromAttempts }: MappedOutboxConfig): boolean =>
  deadFromAttempts !== undefined ||
  (by.kind === 'values' && by.dead.length > 0) ||
  (by.kind === 'marker' && by.failedAt !== undefined)

export function writtenColumns({ redrive, discard, columns }: MappedOutboxConfig): string[] {
  const set = [redrive, discard].flatMap((verb) => Object.keys(verb?.set ?? {}))
  const action = set.length === 0 || columns.actionId === undefined ? [] : [columns.actionId]
  return [...new Set([...set, ...action])]
}

/** Every column that the mapping names. */
export function namedColumns(config: MappedOutboxConfig): string[] {
  const { columns, topic, messageId, headers, state: by } = config
  const named = [
    ...Object.values(columns),
    'column' in topic ? topic.column : undefined,
    messageId && 'column' in messageId ? messageId.column : undefined,
    headers?.column,
    ...(by.kind === 'values' ? [by.column] : by.kind === 'marker' ? [by.sentAt, by.failedAt] : []),
    ...writtenColumns(config),
  ]
  return [...new Set(named.filter((name) => name !== undefined))]
}

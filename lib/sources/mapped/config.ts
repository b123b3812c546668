import { z } from 'zod'

/** Any identifier PostgreSQL can hold: it is resolved through the catalogue and quoted, never spliced in as given. */
export const identifier = z.string().min(1).max(63)
const part = z.union([
  z.strictObject({ column: identifier }),
  z.strictObject({ literal: z.string().max(255) }),
])
export type ScopePart = z.infer<typeof part>

/** What a verb writes into a column: a text of the column's own type, NULL, or the store's clock. */
const setValue = z.union([z.string(), z.null(), z.strictObject({ now: z.literal(true) })])
export const assignments = z.record(identifier, setValue).refine((set) => Object.keys(set).length > 0, {
  message: 'names no column to set',
})

const state = z.discriminatedUnion('kind', [
  /** One column says it. A value that is not listed is shown as unknown, and nothing is offered for it. */
  z.strictObject({
    kind: z.literal('values'),
    column: identifier,
    leased: z.array(z.string()).min(1),
    completed: z.array(z.string()).min(1),
    failed: z.array(z.string()).default([]),
    retryable: z.array(z.string()).default([]),
    unknown: z.array(z.string()).default([]),
  }),
  /** Finished by one column's value; held while another is not NULL; else waiting for a retry. */
  z.strictObject({
    kind: z.literal('markers'),
    finished: z.strictObject({ column: identifier, values: z.array(z.string()).min(1) }),
    held: identifier,
  }),
  /** The library writes finished rows only. */
  z.strictObject({ kind: z.literal('finished') }),
])

const responseTemplate = z.object({
  status: z.int().min(100).max(599),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.unknown(),
})

export const mappedConfigSchema = z
  .strictObject({
    relation: z.strictObject({ schema: identifier, name: identifier }),
    columns: z.strictObject({
      key: identifier,
      createdAt: identifier,
      /** When the present holder took it; grows with each holder. What stands in for a fencing token. */
      holderSince: identifier.optional(),
      heartbeatAt: identifier.optional(),
      completedAt: identifier.optional(),
      owner: identifier.optional(),
      attempts: identifier.optional(),
      step: identifier.optional(),
      fingerprint: identifier.optional(),
      traceId: identifier.optional(),
      status: identifier.optional(),
      headers: identifier.optional(),
      body: identifier.optional(),
    }),
    /** `{caller}/{METHOD} {route}`: each part a column, or the same for every row. */
    scope: z.strictObject({ caller: part, method: part, route: part }),
    state,
    /** Until when a holder has it: a column, or so long after it took it. Absent = the library keeps no lease. */
    lease: z
      .union([
        z.strictObject({ until: identifier }),
        z.strictObject({ since: identifier, lastsMs: z.int().min(1) }),
      ])
      .optional(),
    /** Until when a finished row is replayed: a column, or so long after its creation. */
    expiry: z.union([z.strictObject({ column: identifier }), z.strictObject({ afterMs: z.int().min(1000) })]),
    /** A column that grows with insertion and leads an index: what scans and collections walk along. */
    order: identifier.optional(),
    /** Of columns that hold a time as a number. */
    epochUnit: z.enum(['s', 'ms']).default('ms'),
    release: z.strictObject({ set: assignments }).optional(),
    complete: z.strictObject({ set: assignments }).optional(),
    fail: z.strictObject({ set: assignments }).optional(),
    /** Finished rows may be deleted from here. */
    collect: z.boolean().default(false),
    /** After a release the old holder can no longer write: the library compares a token on every write. */
    zombieSafe: z.boolean().default(false),
    /** The service sends the provider an idempotency key that follows from the key. */
    providerKeyed: z.boolean().default(false),
    referenceField: z.string().min(1).nullable().default('reference'),
    idFields: z.array(z.string().min(1)).max(10).default(['id', 'charge', 'paymentIntent', 'refund']),
    responses: z.record(z.string(), responseTemplate).default({}),
    statementTimeoutMs: z.int().min(100).max(60_000).default(5_000),
    poolMax: z.int().min(1).max(10).default(3),
    /** Rows committed this much later than they were stamped are still found. */
    overlapMs: z.int().min(0).default(60_000),
  })
  .superRefine((config, ctx) => {
    const identity = [config.columns.key, config.columns.createdAt, ...scopeColumns(config.scope)]
    for (const verb of ['release', 'complete', 'fail'] as const) {
      for (const column of Object.keys(config[verb]?.set ?? {})) {
        if (identity.includes(column))
          ctx.addIssue({
            code: 'custom',
            path: [verb, 'set', column],
            message: 'names what identifies the row',
          })
      }
    }
    if (config.state.kind === 'finished' && (config.release ?? config.complete ?? config.fail) !== undefined)
      ctx.addIssue({ code: 'custom', path: ['state'], message: 'has no processing state: no verb can apply' })
  })
export type MappedConfig = z.infer<typeof mappedConfigSchema>
export type Assignments = z.infer<typeof assignments>

export const scopeColumns = (scope: { caller: ScopePart; method: ScopePart; route: ScopePart }): string[] =>
  [scope.caller, scope.method, scope.route].flatMap((each) => ('column' in each ? [each.column] : []))

/** Every column that the mapping names. */
export function mappedColumns(config: MappedConfig): string[] {
  const { columns, state: by, lease, expiry, order } = config
  const named = [
    ...Object.values(columns).filter((name) => name !== undefined),
    ...scopeColumns(config.scope),
    ...(by.kind === 'values' ? [by.column] : by.kind === 'markers' ? [by.finished.column, by.held] : []),
    ...(lease === undefined ? [] : 'until' in lease ? [lease.until] : [lease.since]),
    ...('column' in expiry ? [expiry.column] : []),
    ...(order === undefined ? [] : [order]),
    ...(['release', 'complete', 'fail'] as const).flatMap((verb) => Object.keys(config[verb]?.set ?? {})),
  ]
  return [...new Set(named)]
}

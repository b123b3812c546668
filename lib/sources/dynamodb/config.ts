import { z } from 'zod'
import { mappedConfigSchema } from '../mapped/config'

/** Any name that DynamoDB takes for an attribute: it is always sent as a placeholder. */
const attribute = z.string().min(1).max(255)
const stamp = z.strictObject({ attribute, unit: z.enum(['s', 'ms', 'iso']) })
export type Stamp = z.infer<typeof stamp>

/** What a verb writes: a value, nothing, or DynamoDB's clock and so long after. */
const setValue = z.union([
  z.string(),
  z.number(),
  z.null(),
  z.strictObject({ nowAs: stamp.shape.unit, afterMs: z.int().default(0) }),
])
const assignments = z.strictObject({
  set: z
    .record(attribute, setValue)
    .refine((set) => Object.keys(set).length > 0, 'names no attribute to set'),
})
export type Assignments = z.infer<typeof assignments>['set']

/** `native` = a map or list of DynamoDB, `json` = a text. */
const stored = z.enum(['native', 'json'])
const returns = z.enum(['api-gateway', 'value'])

const mapping = z.strictObject({
  partition: attribute,
  /** With one, the whole key is in it, and the partition is the caller. */
  sort: attribute.optional(),
  /** How caller and key are written in one text; absent = the text is the key. */
  split: z.strictObject({ separator: z.string().min(1), at: z.enum(['first', 'last']) }).optional(),
  state: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('values'),
      attribute,
      leased: z.array(z.string()).min(1),
      completed: z.array(z.string()).min(1),
      failed: z.array(z.string()).default([]),
      retryable: z.array(z.string()).default([]),
    }),
    /** The library writes finished items only. */
    z.strictObject({ kind: z.literal('finished') }),
  ]),
  /** Until when a holder has it. An item without it has no lease; 0 = it was let go. */
  lease: stamp.optional(),
  /** Absent = the expiry minus `ttlMs`. */
  createdAt: stamp.optional(),
  expiry: stamp,
  /** How long the library keeps a key. */
  ttlMs: z.int().min(1_000),
  fingerprint: attribute.optional(),
  response: z
    .discriminatedUnion('kind', [
      /** What the handler returned, whole. `returns` says what that is: without it nothing can be written for it. */
      z.strictObject({ kind: z.literal('returned'), attribute, stored, returns: returns.optional() }),
      z.strictObject({
        kind: z.literal('attributes'),
        status: attribute,
        headers: attribute.optional(),
        body: attribute,
        stored,
      }),
    ])
    .optional(),
  /** How the library makes a caller's key into its own: a look-up by the caller's key then finds it. */
  hash: z
    .strictObject({ algorithm: z.string().default('md5'), encoding: z.enum(['base64', 'hex']) })
    .optional(),
  /** The key is a hash of the caller's: nothing at the provider carries it. */
  hashedKey: z.boolean().default(false),
  release: assignments.optional(),
  complete: assignments.optional(),
  fail: assignments.optional(),
  /** What a holder that comes back after a release does. */
  zombie: z
    .string()
    .default('A holder that comes back after a release writes over the record of the next one.'),
})
export type Mapping = z.infer<typeof mapping>

const powertools = z.strictObject({
  library: z.enum(['powertools-typescript', 'powertools-python']),
  keyAttr: attribute.default('id'),
  sortKeyAttr: attribute.optional(),
  statusAttr: attribute.default('status'),
  expiryAttr: attribute.default('expiration'),
  inProgressExpiryAttr: attribute.default('in_progress_expiration'),
  dataAttr: attribute.default('data'),
  validationKeyAttr: attribute.default('validation'),
  /** `expiresAfterSeconds` of the library: the item does not say when it was made. */
  ttlSeconds: z.int().min(1).default(3_600),
  /** What the idempotent function returns. Without it, no key can be completed from here. */
  returns: returns.optional(),
  /** The idempotency key is one text (`headers."idempotency-key"`), hashed with this. */
  hashFunction: z.string().optional(),
})

const recipe = z.strictObject({
  library: z.literal('guide-recipe'),
  keyAttr: attribute.default('pk'),
  separator: z.string().min(1).default('#'),
  ttlAttr: attribute.default('ttl'),
  ttlSeconds: z.int().min(1).default(86_400),
  createdAt: stamp.optional(),
  hashAttr: attribute.default('request_hash'),
  statusAttr: attribute.default('response_status'),
  bodyAttr: attribute.default('response_body'),
  stored: stored.default('json'),
})

const mapped = mapping.extend({ library: z.literal('mapped') })

export const dynamoConfigSchema = z.strictObject({
  table: z.string().regex(/^[A-Za-z0-9_.-]{3,255}$/, 'the name of a table'),
  layout: z.discriminatedUnion('library', [powertools, recipe, mapped]),
  /** `POST /v1/payments`, for callers (prefixes) that `endpoints` does not name. */
  endpoint: z
    .string()
    .regex(/^[A-Z*]+ \/\S*$/, 'METHOD /route')
    .default('* /'),
  endpoints: z.record(z.string(), z.string().regex(/^[A-Z*]+ \/\S*$/, 'METHOD /route')).default({}),
  /** A table of another library has no index of what is live: it is read whole, so often, and no faster than this. */
  scan: z
    .strictObject({
      everyMs: z.int().min(10_000).default(3_600_000),
      unitsPerSecond: z.number().min(1).max(10_000).default(25),
      segments: z.int().min(1).max(64).default(4),
    })
    .prefault({}),
  providerKeyed: z.boolean().default(false),
  referenceField: mappedConfigSchema.shape.referenceField,
  idFields: mappedConfigSchema.shape.idFields,
  responses: mappedConfigSchema.shape.responses,
  requestTimeoutMs: z.int().min(100).max(60_000).default(5_000),
})
export type DynamoConfig = z.infer<typeof dynamoConfigSchema>

/** Every layout as a mapping: what follows knows no library. */
export function mappingOf({ layout }: DynamoConfig): Mapping {
  switch (layout.library) {
    case 'mapped': {
      const { library: _, ...given } = layout
      return given
    }
    case 'guide-recipe':
      return mapping.parse({
        partition: layout.keyAttr,
        split: { separator: layout.separator, at: 'first' },
        state: { kind: 'finished' },
        createdAt: layout.createdAt,
        expiry: { attribute: layout.ttlAttr, unit: 's' },
        ttlMs: layout.ttlSeconds * 1_000,
        fingerprint: layout.hashAttr,
        response: {
          kind: 'attributes',
          status: layout.statusAttr,
          body: layout.bodyAttr,
          stored: layout.stored,
        },
      })
    default:
      return powertoolsMapping(layout)
  }
}

function powertoolsMapping(layout: z.infer<typeof powertools>): Mapping {
  const python = layout.library === 'powertools-python'
  const ttlMs = layout.ttlSeconds * 1_000
  return mapping.parse({
    partition: layout.keyAttr,
    sort: layout.sortKeyAttr,
    ...(layout.sortKeyAttr === undefined ? { split: { separator: '#', at: 'last' } } : {}),
    state: {
      kind: 'values',
      attribute: layout.statusAttr,
      leased: ['INPROGRESS'],
      completed: ['COMPLETED'],
    },
    lease: { attribute: layout.inProgressExpiryAttr, unit: 'ms' },
    expiry: { attribute: layout.expiryAttr, unit: 's' },
    ttlMs,
    fingerprint: layout.validationKeyAttr,
    response: {
      kind: 'returned',
      attribute: layout.dataAttr,
      stored: python ? 'json' : 'native',
      returns: layout.returns,
    },
    ...(layout.hashFunction === undefined
      ? {}
      : { hash: { algorithm: layout.hashFunction, encoding: python ? 'hex' : 'base64' } }),
    hashedKey: true,
    // Expired, never deleted: an update of a holder that comes back would make the deleted item anew, without its stamps.
    release: { set: { [layout.inProgressExpiryAttr]: 0 } },
    complete: {
      set: { [layout.statusAttr]: 'COMPLETED', [layout.expiryAttr]: { nowAs: 's', afterMs: ttlMs } },
    },
    zombie:
      'A holder that comes back after a release writes over the record of the next one, and one that fails deletes it: then a third request executes. Release only where the holder is dead, not slow.',
  })
}

/** Attributes that a change compares: everything that was seen, but the response. */
export function comparedAttributes({ state, lease, createdAt, expiry, fingerprint }: Mapping): string[] {
  const named = [
    state.kind === 'values' ? state.attribute : undefined,
    lease?.attribute,
    createdAt?.attribute,
    expiry.attribute,
    fingerprint,
  ]
  return [...new Set(named.filter((name) => name !== undefined))]
}

const responseAttributes = ({ response }: Mapping): string[] => {
  if (response === undefined) return []
  if (response.kind === 'returned') return [response.attribute]
  return [response.status, response.body, ...(response.headers === undefined ? [] : [response.headers])]
}

/** Every attribute that is read. */
export const readAttributes = (of: Mapping): string[] => [
  ...new Set([
    of.partition,
    ...(of.sort === undefined ? [] : [of.sort]),
    ...comparedAttributes(of),
    ...responseAttributes(of),
  ]),
]

/** Every attribute that a verb may write. */
export const writtenAttributes = (of: Mapping): string[] => [
  ...new Set([
    ...(['release', 'complete', 'fail'] as const).flatMap((verb) => Object.keys(of[verb]?.set ?? {})),
    ...(of.complete === undefined && of.fail === undefined ? [] : responseAttributes(of)),
  ]),
]

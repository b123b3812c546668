import { z } from 'zod'
import { storeSchema } from './store-schema'
import { address, bytes, duration } from './units'

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, 'must be a lower-case name')
const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'must be the name of a header')
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
const network = z.union([z.cidrv4(), z.cidrv6()], 'must be a network such as 10.0.0.0/8')

const upstreamSchema = z.strictObject({
  url: httpUrl.regex(/^[^?#@]*$/, 'must have no query, fragment or credentials'),
  connectTimeout: duration(1).default(5_000),
  /** How long an idle connection is kept; must be shorter than the upstream keeps it. */
  keepAlive: duration().default(4_000),
  connections: z.int().min(1).max(65_535).default(512),
  /** Passes the client's Host on instead of the upstream's own. */
  preserveHost: z.boolean().default(false),
  /** PEM of the authority that signed the upstream's certificate. */
  caFile: z.string().optional(),
})

const callerSchema = z
  .strictObject({
    fixed: z
      .string()
      .regex(/^[^/\s]{1,128}$/, 'must be 1 to 128 characters without slash or space')
      .optional(),
    /** Set by the authenticating proxy in front, and believed of `trustedProxies` only. */
    header: headerName.optional(),
    jwt: z
      .strictObject({
        jwks: httpUrl,
        issuer: z.string().min(1),
        audience: z.string().min(1),
        claim: z.string().min(1).default('sub'),
        algorithms: z
          .array(
            z.enum([
              'RS256',
              'RS384',
              'RS512',
              'PS256',
              'PS384',
              'PS512',
              'ES256',
              'ES384',
              'ES512',
              'EdDSA',
            ]),
          )
          .min(1)
          .default(['RS256', 'ES256']),
        clockTolerance: duration().default(5_000),
      })
      .optional(),
    /** As nginx or Envoy write it, and believed of `trustedProxies` only. */
    clientCertificate: z
      .strictObject({
        header: headerName,
        /** `value`: all of it; `cn`: the common name of a subject; `xfcc-*`: a field of Envoy's header. */
        take: z.enum(['value', 'cn', 'xfcc-uri', 'xfcc-hash', 'xfcc-subject']).default('value'),
        /** What another header must say, such as `X-Client-Verify: SUCCESS` of nginx. */
        verified: z.strictObject({ header: headerName, value: z.string().min(1) }).optional(),
      })
      .optional(),
  })
  .refine(
    (caller) => Object.keys(caller).length === 1,
    'must be exactly one of fixed, header, jwt and clientCertificate',
  )

/** By these a service may say that it did nothing; what it says it did, it did. */
const refusals = z
  .array(z.int().min(400, 'must be 400 to 599: what succeeded is always stored').max(599))
  .min(1)
/** An outage, a login or a limit is no proof of absence. */
const absences = z
  .array(
    z
      .int()
      .refine(
        (status) => status >= 200 && status < 500 && ![401, 403, 408, 425, 429].includes(status),
        'does not say that nothing was executed',
      ),
  )
  .min(1)

const statuses = z.array(z.int().min(200).max(599)).min(1)

const routeSchema = z.strictObject({
  methods: z
    .array(z.string().regex(/^[A-Z]{1,20}$/, 'must be a method in capitals'))
    .min(1)
    .refine(
      (methods) => !methods.includes('CONNECT') && !methods.includes('TRACE'),
      'CONNECT and TRACE are never forwarded',
    ),
  path: z
    .string()
    .regex(
      /^(?=\/)(?!.*\/(\.{1,2}(\/|$)|:))(\/([A-Za-z0-9._~!$&'()+,;=:@-]+|\{[A-Za-z][A-Za-z0-9_]*\}))*(\/(\*\*)?)?$/,
      'must be a pattern such as /v1/payments/{id}/capture, or end in /** for all below',
    ),
  upstream: z.string(),
  store: z.string().optional(),
  tier: name.default('default'),
  /** What a request that changes something must bring. */
  key: z.enum(['required', 'optional', 'off']).default('required'),
  caller: z.string().optional(),
  /** From the first byte sent to the upstream to the last byte of its answer. */
  deadline: duration(1).default(30_000),
  lease: duration(100).default(10_000),
  requestBytes: bytes().default(1_048_576),
  responseBytes: bytes(1_024).optional(),
  replayHeaders: z.array(headerName).optional(),
  notStored: refusals.default([400, 401, 409, 422, 429]),
  /** Answers that do not say what became of the request: usually of a proxy in front of the upstream. */
  lostStatuses: statuses.or(z.tuple([])).default([502, 504]),
  failMode: z.enum(['closed', 'open']).default('closed'),
  wait: duration().default(0),
  whenUnknown: z
    .union(
      [
        z.enum(['keep', 'idempotent']),
        z.strictObject({
          /** `{key}` stands for the key. */
          probe: z.string().regex(/^\/[^\s]*\{key\}[^\s]*$/, 'must be a path with {key} in it'),
          found: statuses.default([200]),
          absent: absences.default([404]),
          /** The longest time in which the upstream may still end a request whose answer was lost. */
          settle: duration(1).default(30_000),
          timeout: duration(1).default(5_000),
        }),
      ],
      'must be keep, idempotent, or { probe: /path/{key} }',
    )
    .default('keep'),
})

export const configSchema = z.strictObject({
  listen: address,
  admin: address.default({ host: '127.0.0.1', port: 9464 }),
  /** For the hash of keys in telemetry and logs: the console's IDEMSCOPE_KEY_SECRET. */
  keySecret: z.string().min(32, 'must have 32 characters or more'),
  trustedProxies: z.array(network).default([]),
  telemetry: z
    .strictObject({
      otlp: httpUrl.optional(),
      token: z.string().min(16).optional(),
      service: z.string().min(1).default('idemscope-gateway'),
      log: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    })
    .prefault({}),
  drain: z.strictObject({ delay: duration().default(0), timeout: duration(1).default(60_000) }).prefault({}),
  limits: z
    .strictObject({
      /** At one time; one more is refused before anything of it is read. Their bodies, times `requestBytes`, are its memory. */
      requests: z.int().min(1).default(2_048),
      headers: bytes(1_024).default(16_384),
      headersTimeout: duration(1).default(15_000),
      /** Of a whole request, its body included. */
      requestTimeout: duration(1).default(120_000),
      keepAlive: duration().default(65_000),
      /** A client that takes nothing of its answer for so long is cut off. */
      writeTimeout: duration(1).default(60_000),
    })
    .prefault({}),
  stores: z.record(name, storeSchema).default({}),
  upstreams: z
    .record(name, upstreamSchema)
    .refine((all) => Object.keys(all).length > 0, 'must name at least one upstream'),
  callers: z.record(name, callerSchema).default({}),
  routes: z.array(routeSchema).min(1, 'must have at least one route'),
})

export type GatewayConfig = z.output<typeof configSchema>
export type RouteConfig = z.output<typeof routeSchema>
export type UpstreamConfig = z.output<typeof upstreamSchema>
export type CallerConfig = z.output<typeof callerSchema>
export type ProbeConfig = Exclude<RouteConfig['whenUnknown'], string>

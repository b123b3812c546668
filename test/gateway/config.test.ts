import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { GatewayConfigError, readConfig } from '@/gateway/config/read-config'

/** As a configuration writes it. */
const reference = (name: string) => `\${${name}}`

const SECRET = 'test-secret-of-32-characters-0000'

const valid = () => ({
  listen: '127.0.0.1:8080',
  keySecret: SECRET,
  trustedProxies: ['10.0.0.0/8'],
  stores: {
    main: { type: 'postgres', url: 'postgres://db/payments', tiers: { default: '24h', long: '30d' } },
  },
  upstreams: { payments: { url: 'http://payments:9000' } },
  callers: { web: { fixed: 'web' } },
  routes: [
    { methods: ['POST'], path: '/v1/payments', upstream: 'payments', store: 'main', caller: 'web' },
  ] as Record<string, unknown>[],
})

type Valid = ReturnType<typeof valid>

function read(text: string, env: Record<string, string> = {}, files: Record<string, string> = {}) {
  return readConfig('gateway.yaml', {
    env,
    readFile(path) {
      const content = path === 'gateway.yaml' ? text : files[path]
      if (content === undefined) throw new Error('no such file')
      return content
    },
  })
}

function faultsOf(text: string, env?: Record<string, string>): readonly string[] {
  try {
    read(text, env)
  } catch (error) {
    if (error instanceof GatewayConfigError)
      return error.faults.map((fault) => fault.replace(/^line \d+:\d+ /, ''))
    throw error
  }
  return []
}

const changed = (change: (config: Valid) => unknown) => {
  const config = valid()
  change(config)
  return faultsOf(stringify(config))
}
const route = (more: Record<string, unknown>) => changed(({ routes }) => Object.assign(routes[0] ?? {}, more))

test('fills in what is not said', () => {
  const config = read(stringify(valid()))
  expect(config.routes[0]).toMatchObject({
    key: 'required',
    tier: 'default',
    deadline: 30_000,
    lease: 10_000,
    requestBytes: 1_048_576,
    notStored: [400, 401, 409, 422, 429],
    lostStatuses: [502, 504],
    failMode: 'closed',
    whenUnknown: 'keep',
  })
  expect(config.admin).toEqual({ host: '127.0.0.1', port: 9464 })
  expect(config.upstreams.payments).toMatchObject({ keepAlive: 4_000, connectTimeout: 5_000 })
  expect(config.stores.main).toMatchObject({
    tiers: { default: 86_400_000, long: 2_592_000_000 },
    migrate: true,
  })
})

test('reads secrets from the environment and from files', () => {
  const text = stringify(valid())
    .replace(SECRET, reference('KEY_SECRET'))
    .replace(
      'postgres://db/payments',
      `postgres://app:${reference('file:/run/secrets/password')}@db/payments`,
    )
  const config = read(text, { KEY_SECRET: SECRET }, { '/run/secrets/password': 'pass\n' })
  expect(config.keySecret).toBe(SECRET)
  expect(config.stores.main).toMatchObject({ url: 'postgres://app:pass@db/payments' })
})

test('names what the environment lacks, and no value of it', () => {
  const text = stringify(valid())
    .replace(SECRET, reference('KEY_SECRET'))
    .replace('http://payments:9000', reference('file:/nowhere'))
  expect(faultsOf(text)).toEqual([
    'keySecret: the environment has no KEY_SECRET: set it, or write the value here',
    'upstreams.payments.url: /nowhere cannot be read: no such file',
  ])
  expect(
    faultsOf(stringify(valid()).replace(SECRET, reference('KEY_SECRET')), { KEY_SECRET: 'short' }),
  ).toEqual(['keySecret: must have 32 characters or more'])
})

test('names all faults at once, each with its line and what to do', () => {
  const text = `
listen: everywhere
keySecret: short
colour: blue
upstreams: { payments: { url: "ftp://payments" } }
routes:
  - methods: [post]
    path: v1/payments
    upstream: payment
    deadline: 30
`
  let fault: unknown
  try {
    read(text)
  } catch (error) {
    fault = error
  }
  expect(String(fault)).toBe(
    [
      'GatewayConfigError: gateway.yaml has 7 faults:',
      '  line 2:9 listen: must be an address such as 0.0.0.0:8080 or [::1]:8080',
      '  line 3:12 keySecret: must have 32 characters or more',
      '  line 5:31 upstreams.payments.url: must be an http:// or https:// URL',
      '  line 7:15 routes[0].methods[0]: must be a method in capitals',
      '  line 8:11 routes[0].path: must be a pattern such as /v1/payments/{id}/capture, or end in /** for all below',
      '  line 10:15 routes[0].deadline: must be a duration such as 250ms, 30s or 24h, with its unit',
      '  line 4:9 colour: is no setting: remove it, or see docs/guides/gateway.md',
    ].join('\n'),
  )
})

test('what is no YAML, what is empty, and what is not there', () => {
  expect(faultsOf('a: [')).toHaveLength(1)
  expect(faultsOf('listen: a\nlisten: b')).toEqual(['Map keys must be unique'])
  expect(faultsOf('')).toContain('listen: must be an address such as 0.0.0.0:8080')
  expect(() =>
    readConfig('absent.yaml', {
      env: {},
      readFile: () => {
        throw new Error('ENOENT')
      },
    }),
  ).toThrow('absent.yaml has 1 fault:\n  cannot be read: ENOENT')
})

test.each<[string, readonly string[], string]>([
  [
    'an upstream that is not there',
    route({ upstream: 'ledger' }),
    'routes[0].upstream: there is no upstream of that name: the file has payments',
  ],
  [
    'a store that is not there',
    route({ store: 'other' }),
    'routes[0].store: there is no store of that name: the file has main',
  ],
  [
    'a caller that is not there',
    route({ caller: 'other' }),
    'routes[0].caller: there is no caller of that name: the file has web',
  ],
  [
    'a tier that is not there',
    route({ tier: 'short' }),
    'routes[0].tier: store main has no such tier: the file has default, long',
  ],
  [
    'keys without a store',
    route({ store: undefined }),
    'routes[0].store: is missing: where keys live, or key: off. the file has main',
  ],
  [
    'keys without a caller',
    route({ caller: undefined }),
    'routes[0].caller: is missing: whose key it is. the file has web',
  ],
  [
    'a store without keys',
    route({ key: 'off' }),
    'routes[0].store: is of no use: no request of this route has a key',
  ],
  ['CONNECT', route({ methods: ['CONNECT'] }), 'routes[0].methods: cONNECT and TRACE are never forwarded'],
  [
    'a path with a dot segment',
    route({ path: '/v1//payments' }),
    'routes[0].path: must be a pattern such as /v1/payments/{id}/capture, or end in /** for all below',
  ],
  [
    'a failMode that is none',
    route({ failMode: 'maybe' }),
    'routes[0].failMode: invalid option: expected one of "closed"|"open"',
  ],
  [
    'a probe without the key',
    route({ whenUnknown: { probe: '/v1/payments' } }),
    'routes[0].whenUnknown.probe: must be a path with {key} in it',
  ],
  [
    'a rule for unknown that is none',
    route({ whenUnknown: 'retry' }),
    'routes[0].whenUnknown: must be keep, idempotent, or { probe: /path/{key} }',
  ],
  [
    'a status that means two things',
    route({ whenUnknown: { probe: '/p/{key}', found: [404] } }),
    'routes[0].whenUnknown: a status cannot mean found and absent',
  ],
  [
    'a status that is lost and refused',
    route({ lostStatuses: [429] }),
    'routes[0].lostStatuses: 429 is in notStored too, which says that nothing happened',
  ],
  ['a lease that is too short', route({ lease: '1ms' }), 'routes[0].lease: is too small: at least 100 ms'],
  [
    'a size without its unit',
    route({ requestBytes: 1000 }),
    'routes[0].requestBytes: must be a size such as 64KiB or 1MiB, with its unit',
  ],
  [
    'a route that is never reached',
    changed(({ routes }) => routes.push({ ...routes[0], path: '/v1/payments' })),
    'routes[1].path: POST is never reached: routes[0] is of the same method, and of the same path or more: put this one before it, or leave it out',
  ],
  [
    'a route with keys behind one that takes all',
    changed(({ routes }) =>
      routes.unshift({ methods: ['GET', 'POST'], path: '/v1/**', upstream: 'payments', key: 'off' }),
    ),
    'routes[1].path: POST is never reached: routes[0] is of the same method, and of the same path or more: put this one before it, or leave it out',
  ],
  [
    'a name behind any name',
    changed(({ routes }) => routes.unshift({ ...routes[0], path: '/v1/{kind}' })),
    'routes[1].path: POST is never reached: routes[0] is of the same method, and of the same path or more: put this one before it, or leave it out',
  ],
  ...['/v1/*', '/v1**', '/v1/**/capture', '/v1/:id', '/v1/../payments', '/v1/.'].map(
    (path): [string, readonly string[], string] => [
      `the path ${path}`,
      route({ path }),
      'routes[0].path: must be a pattern such as /v1/payments/{id}/capture, or end in /** for all below',
    ],
  ),
  [
    'a success that is not stored',
    route({ notStored: [201] }),
    'routes[0].notStored[0]: must be 400 to 599: what succeeded is always stored',
  ],
  [
    'an outage that would mean absent',
    route({ whenUnknown: { probe: '/p/{key}', absent: [503] } }),
    'routes[0].whenUnknown.absent[0]: does not say that nothing was executed',
  ],
  [
    'a refusal that would mean found',
    route({ whenUnknown: { probe: '/p/{key}', found: [409] } }),
    'routes[0].whenUnknown: a status of notStored cannot mean found: the key would be free again',
  ],
  [
    'a lease that passes while a connection is waited for',
    route({ whenUnknown: 'idempotent', lease: '5s' }),
    'routes[0].lease: must be at least twice connectTimeout of the upstream (5000 ms) with this whenUnknown',
  ],
  [
    'a timer that would be over at once',
    route({ deadline: '30d' }),
    'routes[0].deadline: is too large: at most 24h',
  ],
  [
    'a head that may take longer than the whole',
    changed((config) => Object.assign(config, { limits: { headersTimeout: '3m' } })),
    'limits.headersTimeout: must be at most requestTimeout, which it is a part of',
  ],
  [
    'a caller of two kinds',
    changed((config) => Object.assign(config.callers.web, { header: 'x-user' })),
    'callers.web: must be exactly one of fixed, header, jwt and clientCertificate',
  ],
  [
    'a caller with a slash',
    changed((config) => Object.assign(config.callers.web, { fixed: 'a/b' })),
    'callers.web.fixed: must be 1 to 128 characters without slash or space',
  ],
  [
    'a header that anybody may write',
    changed((config) =>
      Object.assign(config, { trustedProxies: [], callers: { web: { header: 'x-user' } } }),
    ),
    'callers.web: is believed of trustedProxies only, which is empty: anyone could write that header. Name the networks of your proxies',
  ],
  [
    'a network that is none',
    changed((config) => Object.assign(config, { trustedProxies: ['10.0.0.1'] })),
    'trustedProxies[0]: must be a network such as 10.0.0.0/8',
  ],
  [
    'a store of no known type',
    changed((config) => Object.assign(config.stores.main, { type: 'mysql' })),
    'stores.main.type: must have a type: postgres, hybrid, redis or dynamodb',
  ],
  [
    'a URL of another store',
    changed((config) => Object.assign(config.stores.main, { url: 'redis://db' })),
    'stores.main.url: must be a postgres:// URL',
  ],
  [
    'one port for two',
    changed((config) => Object.assign(config, { admin: '127.0.0.1:8080' })),
    'admin: must have another port than listen',
  ],
  [
    'a token without a receiver',
    changed((config) => Object.assign(config, { telemetry: { token: 'x'.repeat(16) } })),
    'telemetry.token: is of no use without telemetry.otlp',
  ],
  [
    'no routes',
    changed((config) => Object.assign(config, { routes: [] })),
    'routes: must have at least one route',
  ],
  [
    'credentials in an upstream',
    changed((config) => Object.assign(config.upstreams.payments, { url: 'http://a:b@payments' })),
    'upstreams.payments.url: must have no query, fragment or credentials',
  ],
])('%s', (_, faults, expected) => {
  expect(faults).toEqual([expected])
})

test('routes that share some paths are no fault', () => {
  for (const path of ['/v1/payments/', '/v1/{id}/capture', '/v1/payments/**', '/{a}/{b}', '/**'])
    expect(changed(({ routes }) => routes.push({ ...routes[0], path }))).toEqual([])
})

test('the sample of deploy/ is valid', () => {
  const text = readFileSync('deploy/gateway/gateway.yaml', 'utf8')
  const config = read(text, { IDEMSCOPE_KEY_SECRET: SECRET, DATABASE_URL: 'postgres://db/payments' })
  expect(config.routes.map(({ path }) => path)).toEqual([
    '/v1/payments',
    '/v1/payments/{id}/refunds',
    '/v1/**',
  ])
})

import type { Logger } from 'pino'
import type { Clock } from '@/sdk/clock'
import { IdempotencyOptionsError } from '@/sdk/errors'
import { isSafeMethod } from '@/sdk/requests/safe-methods'
import { idempotentOf } from '@/sdk/requests/serve'
import type { Store } from '@/sdk/stores/store'
import { type Caller, createCaller } from './callers/caller'
import { createTrustedPeers } from './callers/trusted-peers'
import { GatewayConfigError } from './config/read-config'
import type { GatewayConfig, RouteConfig } from './config/schema'
import { createKeyedHandler, EFFECT_NAME, type KeyedRoute, STEP } from './keyed'
import { KEYED_REQUESTS, type KeyedRequest } from './keyed-request'
import { createMatcher, type Matched } from './routes/match'
import { asServicesMayRead } from './routes/path'
import { withOneEffect } from './stores/one-effect'
import { isSameStore, type NamedStore, startStore } from './stores/store-set'
import type { LossPhase } from './upstream/errors'
import type { Exchange } from './upstream/forward'
import { type CallerHeaders, toCallerHeaders } from './upstream/headers'
import { createUpstream, type Upstream } from './upstream/upstream'

/** All that a configuration makes; a reload makes another, and what is the same goes on in it. */
export type World = {
  readonly config: GatewayConfig
  readonly stores: ReadonlyMap<string, NamedStore>
  find(method: string, path: string): Matched<Route>
  /** Whether many services would read the path as that of another route, which has keys. */
  isReadAsKeyed(method: string, path: string, found: Route): boolean
  isTrusted(address: string | undefined): boolean
  readonly callerHeaders: CallerHeaders
  /** Requests that are served by it; it is closed when there are none. */
  users: number
  /** Closes what no other world that is there has. */
  close(others: readonly World[]): Promise<void>
}

export type Route = {
  config: RouteConfig
  methods: readonly string[]
  path: string
  upstream: Upstream
  caller: Caller | null
  store: Store | null
  /** null = nothing of this route is keyed. */
  serveKeyed: ((request: KeyedRequest, exchange: Exchange) => Promise<Response>) | null
}

export type WorldDeps = {
  clock: Clock
  random: () => number
  owner: string
  log: Logger
  onLoss: (route: string, phase: LossPhase) => void
}

/** Throws GatewayConfigError for what only building it shows. */
export function createWorld(
  file: string,
  config: GatewayConfig,
  deps: WorldDeps,
  before: World | null,
): World {
  const isTrusted = createTrustedPeers(config.trustedProxies)
  const faults: string[] = []
  const make = <T>(place: string, made: () => T): T | null => {
    try {
      return made()
    } catch (error) {
      const all = error instanceof IdempotencyOptionsError ? error.faults : [messageOf(error)]
      faults.push(...all.map((fault) => `${place}: ${fault}`))
      return null
    }
  }
  const upstreams = new Map<string, Upstream>()
  for (const [name, wanted] of Object.entries(config.upstreams)) {
    const upstream = make(`upstreams.${name}`, () => createUpstream(wanted, deps.clock))
    if (upstream !== null) upstreams.set(name, upstream)
  }
  const stores = new Map<string, NamedStore>()
  for (const [name, wanted] of Object.entries(config.stores)) {
    const kept = before?.stores.get(name)
    const store =
      kept !== undefined && isSameStore(kept.config, wanted)
        ? kept
        : make(`stores.${name}`, () => startStore(name, wanted, deps.clock, deps.log))
    if (store !== null) stores.set(name, store)
  }
  const callers = new Map(
    Object.entries(config.callers).map(([name, wanted]) => [name, createCaller(wanted, isTrusted)]),
  )
  const world: World = {
    config,
    stores,
    find: () => ({ kind: 'none' }),
    isReadAsKeyed: () => false,
    isTrusted,
    callerHeaders: callerHeadersOf(config),
    users: 0,
    async close(others) {
      for (const upstream of upstreams.values()) upstream.close()
      const used = new Set(others.flatMap((other) => [...other.stores.values()]))
      for (const store of stores.values()) if (!used.has(store)) await store.close()
    },
  }
  const refuse = () => {
    void world.close(before === null ? [] : [before])
    throw new GatewayConfigError(file, faults)
  }
  if (faults.length > 0) refuse()
  const routes = config.routes.map((route, index): Route => {
    const upstream = requireNamed(upstreams, route.upstream)
    const store = route.store === undefined ? null : requireNamed(stores, route.store).store
    const built = {
      config: route,
      methods: route.methods,
      path: route.path,
      upstream,
      caller: route.caller === undefined ? null : requireNamed(callers, route.caller),
      store,
      serveKeyed: null,
    }
    if (store === null || route.key === 'off' || route.methods.every(isSafeMethod)) return built
    return {
      ...built,
      serveKeyed: make(`routes[${index}]`, () => createServe(config, route, store, upstream, deps)),
    }
  })
  if (faults.length > 0) refuse()
  const findRead = createMatcher(
    routes.map((route) => ({ methods: route.methods, path: asServicesMayRead(route.path), route })),
  )
  return Object.assign(world, {
    find: createMatcher(routes),
    isReadAsKeyed(method: string, path: string, found: Route) {
      // Who writes a whole path down means it.
      if (!/[{*]/.test(found.path)) return false
      const read = findRead(method, asServicesMayRead(path))
      return read.kind === 'route' && read.route.route !== found && read.route.route.serveKeyed !== null
    },
  })
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const callerHeadersOf = ({ callers }: GatewayConfig): CallerHeaders =>
  toCallerHeaders(
    Object.values(callers).flatMap(({ header, clientCertificate: certificate }) =>
      [header, certificate?.header, certificate?.verified?.header].filter((name) => name !== undefined),
    ),
  )

/** Time for what is not the upstream: the store, and the end of an upload. */
const MARGIN_MS = 10_000

function createServe(
  { keySecret, upstreams }: GatewayConfig,
  route: RouteConfig,
  store: Store,
  upstream: Upstream,
  { clock, random, owner, onLoss }: WorldDeps,
): (request: KeyedRequest, exchange: Exchange) => Promise<Response> {
  const { whenUnknown } = route
  const responseBytes =
    route.responseBytes ??
    Math.min(4_194_304, store.capabilities.responseBytesMax ?? Number.POSITIVE_INFINITY)
  const keyed: KeyedRoute = { ...route, responseBytes }
  const probeMs = typeof whenUnknown === 'string' ? 0 : whenUnknown.settle + 3 * whenUnknown.timeout
  const connectMs = upstreams[route.upstream]?.connectTimeout ?? 0
  const executionDeadlineMs = route.deadline + connectMs + probeMs + MARGIN_MS
  const effect = { step: STEP, name: EFFECT_NAME, kind: 'http' } as const
  const served: Store =
    whenUnknown === 'keep' ? withOneEffect(store, effect, { clock, executionDeadlineMs }) : store
  return idempotentOf<KeyedRequest, unknown, Exchange>(
    KEYED_REQUESTS,
    createKeyedHandler({ route: keyed, upstream, clock, onLoss: (phase) => onLoss(route.path, phase) }),
    {
      store: served,
      scope: (_, { caller }) => ({ caller, route: route.path }),
      keySecret,
      required: route.key === 'required',
      tier: route.tier,
      leaseMs: route.lease,
      executionDeadlineMs,
      bodyBytesMax: route.requestBytes,
      responseBytesMax: responseBytes,
      ...(route.replayHeaders === undefined ? {} : { replayHeaders: route.replayHeaders }),
      codingsAsSent: true,
      failMode: route.failMode,
      waitMs: route.wait,
      notStored: ({ status }) => route.notStored.includes(status),
      owner,
      clock,
      random,
    },
  )
}

function requireNamed<T>(all: ReadonlyMap<string, T>, name: string): T {
  const found = all.get(name)
  if (found === undefined) throw new Error(`the configuration was checked, and has no ${name}`)
  return found
}

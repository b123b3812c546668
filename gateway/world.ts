import type { Logger } from 'pino'
import type { Clock } from '@/sdk/clock'
import { IdempotencyOptionsError } from '@/sdk/errors'
import { idempotent } from '@/sdk/idempotent'
import { isSafeMethod } from '@/sdk/safe-methods'
import type { Store } from '@/sdk/stores/store'
import { type Caller, createCaller } from './callers/caller'
import { createTrustedPeers } from './callers/trusted-peers'
import { GatewayConfigError } from './config/read-config'
import type { GatewayConfig, RouteConfig } from './config/schema'
import { createKeyedHandler, EFFECT_NAME, type KeyedRoute, STEP } from './keyed'
import { createMatcher, type Matched } from './routes/match'
import { withOneEffect } from './stores/one-effect'
import { isSameStore, type NamedStore, startStore } from './stores/store-set'
import type { LossPhase } from './upstream/errors'
import type { Exchange } from './upstream/forward'
import { createUpstream, type Upstream } from './upstream/upstream'

/** All that a configuration makes; a reload makes another, and what is the same goes on in it. */
export type World = {
  readonly config: GatewayConfig
  readonly stores: ReadonlyMap<string, NamedStore>
  find(method: string, path: string): Matched<Route>
  isTrusted(address: string | undefined): boolean
  /** Requests that are served by it; it is closed when there are none. */
  users: number
  /** Closes what the next world does not have. */
  close(next: World | null): Promise<void>
}

export type Route = {
  config: RouteConfig
  methods: readonly string[]
  path: string
  upstream: Upstream
  caller: Caller | null
  store: Store | null
  /** null = nothing of this route is keyed. */
  serveKeyed: ((request: Request, exchange: Exchange) => Promise<Response>) | null
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
  const stores = new Map<string, NamedStore>()
  for (const [name, wanted] of Object.entries(config.stores)) {
    const kept = before?.stores.get(name)
    stores.set(
      name,
      kept !== undefined && isSameStore(kept.config, wanted)
        ? kept
        : startStore(name, wanted, deps.clock, deps.log),
    )
  }
  const upstreams = new Map(
    Object.entries(config.upstreams).map(([name, wanted]) => [name, createUpstream(wanted, deps.clock)]),
  )
  const callers = new Map(
    Object.entries(config.callers).map(([name, wanted]) => [name, createCaller(wanted, isTrusted)]),
  )
  const world: World = {
    config,
    stores,
    find: () => ({ kind: 'none' }),
    isTrusted,
    users: 0,
    async close(next) {
      for (const upstream of upstreams.values()) upstream.close()
      for (const [name, store] of stores) if (next?.stores.get(name) !== store) await store.close()
    },
  }
  const faults: string[] = []
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
    try {
      return { ...built, serveKeyed: createServe(config, route, store, upstream, deps) }
    } catch (error) {
      if (!(error instanceof IdempotencyOptionsError)) throw error
      faults.push(...error.faults.map((fault) => `routes[${index}]: ${fault}`))
      return built
    }
  })
  if (faults.length > 0) {
    void world.close(before)
    throw new GatewayConfigError(file, faults)
  }
  return Object.assign(world, { find: createMatcher(routes) })
}

/** Time for what is not the upstream: the store, and the end of an upload. */
const MARGIN_MS = 10_000

function createServe(
  { keySecret, upstreams }: GatewayConfig,
  route: RouteConfig,
  store: Store,
  upstream: Upstream,
  { clock, random, owner, onLoss }: WorldDeps,
): (request: Request, exchange: Exchange) => Promise<Response> {
  const { whenUnknown } = route
  const responseBytes =
    route.responseBytes ??
    Math.min(4_194_304, store.capabilities.responseBytesMax ?? Number.POSITIVE_INFINITY)
  const keyed: KeyedRoute = { ...route, responseBytes }
  const probeMs = typeof whenUnknown === 'string' ? 0 : whenUnknown.settle + 3 * whenUnknown.timeout
  const connectMs = upstreams[route.upstream]?.connectTimeout ?? 0
  const served: Store =
    whenUnknown === 'keep' ? withOneEffect(store, { step: STEP, name: EFFECT_NAME, kind: 'http' }) : store
  return idempotent<unknown, Exchange>(
    createKeyedHandler({ route: keyed, upstream, clock, onLoss: (phase) => onLoss(route.path, phase) }),
    {
      store: served,
      scope: (_, { caller }) => ({ caller, route: route.path }),
      keySecret,
      required: route.key === 'required',
      tier: route.tier,
      leaseMs: route.lease,
      executionDeadlineMs: route.deadline + connectMs + probeMs + MARGIN_MS,
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

import { isSafeMethod } from '@/sdk/requests/safe-methods'
import { covers } from '../routes/match'
import type { GatewayConfig, RouteConfig } from './schema'

export type Fault = { path: readonly (string | number)[]; message: string; at?: number | undefined }

/** What each setting alone does not show. */
export function findCrossFaults(config: GatewayConfig): Fault[] {
  const { routes } = config
  const faults = routes.flatMap((route, index) => {
    const repeated = route.methods.flatMap((method): Fault[] => {
      const earlier = routes.findIndex(
        (other, at) => at < index && other.methods.includes(method) && covers(other.path, route.path),
      )
      if (earlier < 0) return []
      const why = `routes[${earlier}] is of the same method, and of the same path or more: put this one before it, or leave it out`
      return [{ path: ['path'], message: `${method} is never reached: ${why}` }]
    })
    return [...faultsOfRoute(config, route), ...repeated].map(({ path, message }) => ({
      path: ['routes', index, ...path],
      message,
    }))
  })
  const needsProxies = Object.entries(config.callers).filter(
    ([, { header, clientCertificate }]) => header ?? clientCertificate,
  )
  if (config.trustedProxies.length === 0) {
    for (const [name] of needsProxies)
      faults.push({
        path: ['callers', name],
        message:
          'is believed of trustedProxies only, which is empty: anyone could write that header. Name the networks of your proxies',
      })
  }
  if (config.listen.port !== 0 && config.listen.port === config.admin.port)
    faults.push({ path: ['admin'], message: 'must have another port than listen' })
  if (config.limits.headersTimeout > config.limits.requestTimeout)
    faults.push({
      path: ['limits', 'headersTimeout'],
      message: 'must be at most requestTimeout, which it is a part of',
    })
  if (config.telemetry.token !== undefined && config.telemetry.otlp === undefined)
    faults.push({ path: ['telemetry', 'token'], message: 'is of no use without telemetry.otlp' })
  return faults
}

function faultsOfRoute(config: GatewayConfig, route: RouteConfig): Fault[] {
  const faults: Fault[] = []
  const fault = (setting: string, message: string) => faults.push({ path: [setting], message })
  const named = (setting: 'upstream' | 'store' | 'caller', there: object) => {
    const name = route[setting]
    if (name !== undefined && !(name in there))
      fault(setting, `there is no ${setting} of that name: ${listed(there)}`)
  }
  named('upstream', config.upstreams)
  named('store', config.stores)
  named('caller', config.callers)

  const isKeyed = route.key !== 'off' && route.methods.some((method) => !isSafeMethod(method))
  if (!isKeyed) {
    if (route.store !== undefined) fault('store', 'is of no use: no request of this route has a key')
    return faults
  }
  if (route.store === undefined)
    fault('store', `is missing: where keys live, or key: off. ${listed(config.stores)}`)
  if (route.caller === undefined) fault('caller', `is missing: whose key it is. ${listed(config.callers)}`)
  const store = route.store === undefined ? undefined : config.stores[route.store]
  if (store !== undefined && !(route.tier in store.tiers))
    fault('tier', `store ${route.store} has no such tier: ${listed(store.tiers)}`)
  const { whenUnknown } = route
  if (
    typeof whenUnknown === 'object' &&
    whenUnknown.found.some((status) => whenUnknown.absent.includes(status))
  )
    fault('whenUnknown', 'a status cannot mean found and absent')
  if (typeof whenUnknown === 'object' && whenUnknown.found.some((status) => route.notStored.includes(status)))
    fault('whenUnknown', 'a status of notStored cannot mean found: the key would be free again')
  const connectTimeout = config.upstreams[route.upstream]?.connectTimeout ?? 0
  // Only the lease keeps two of them from sending, and it must not pass while one waits for its connection.
  if (whenUnknown !== 'keep' && connectTimeout > route.lease / 2)
    fault(
      'lease',
      `must be at least twice connectTimeout of the upstream (${connectTimeout} ms) with this whenUnknown`,
    )
  const both = route.lostStatuses.filter((status) => route.notStored.includes(status))
  if (both.length > 0)
    fault('lostStatuses', `${both.join(', ')} is in notStored too, which says that nothing happened`)
  return faults
}

const listed = (there: object): string => {
  const names = Object.keys(there)
  return names.length === 0 ? 'the file has none' : `the file has ${names.join(', ')}`
}

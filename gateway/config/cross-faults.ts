import { isSafeMethod } from '@/sdk/safe-methods'
import type { GatewayConfig, RouteConfig } from './schema'

export type Fault = { path: readonly (string | number)[]; message: string; at?: number | undefined }

/** What each setting alone does not show. */
export function findCrossFaults(config: GatewayConfig): Fault[] {
  const { routes } = config
  const shapes = new Map<string, number>()
  const faults = routes.flatMap((route, index) => {
    const repeated = route.methods.flatMap((method): Fault[] => {
      const shape = `${method} ${route.path.replace(/\{[^}]*\}/g, '{}')}`
      const earlier = shapes.get(shape)
      if (earlier === undefined) shapes.set(shape, index)
      return earlier === undefined
        ? []
        : [
            {
              path: ['path'],
              message: `${method} is never reached: routes[${earlier}] is of the same method and path`,
            },
          ]
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
  const both = route.lostStatuses.filter((status) => route.notStored.includes(status))
  if (both.length > 0)
    fault('lostStatuses', `${both.join(', ')} is in notStored too, which says that nothing happened`)
  return faults
}

const listed = (there: object): string => {
  const names = Object.keys(there)
  return names.length === 0 ? 'the file has none' : `the file has ${names.join(', ')}`
}

import type { Event } from '../telemetry/model'

type Window = { fromMs: number; toMs: number }

const MINUTE_MS = 60_000

/** The figures of each caller straight from their definitions, event by event, without roll-ups, flags or SQL. */
export function expectClients(events: readonly Event[], { fromMs, toMs }: Window) {
  const inside = events.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
  const requests = inside.filter((event) => event.type === 'request')
  const all = events.filter((event) => event.type === 'request')
  const clients = [...new Set(requests.map(({ client }) => client))]
  return new Map(clients.map((client) => [client, expectClient(client)]))

  function expectClient(client: string) {
    const own = requests.filter((event) => event.client === client)
    const lives = groupBy(own, ({ scopedKey }) => scopedKey)
    const retried = [...lives.values()].filter(({ length }) => length > 1)
    const windows = retried
      .map((life) => Math.max(...life.map(({ atMs }) => atMs)) - firstOf(life))
      .sort((a, b) => a - b)
    const rank = (quantile: number) => windows[Math.max(0, Math.ceil(quantile * windows.length) - 1)]
    const fresh = [...lives].filter(
      ([scopedKey, life]) => firstOf(all.filter((event) => event.scopedKey === scopedKey)) === firstOf(life),
    )
    const minutes = groupBy(fresh, ([, life]) => String(Math.floor(firstOf(life) / MINUTE_MS)))
    const bareKeys = [...new Set(own.map(bareKey))]
    const others = requests.filter((event) => event.client !== client)
    const shared = bareKeys.filter((key) => others.some((event) => bareKey(event) === key))
    const firstBy = (events: readonly Event[], key: string) =>
      firstOf(events.filter((event) => bareKey(event) === key))
    return {
      keyedRequests: own.length,
      replayed: own.filter(({ outcome }) => outcome === 'replayed').length,
      mismatches: own.filter(({ outcome }) => outcome === 'mismatch').length,
      keys: {
        keys: lives.size,
        retried: retried.length,
        requestsPerKey: own.length / lives.size,
        mostRequests: Math.max(...[...lives.values()].map(({ length }) => length)),
        reused: [...lives.values()].filter((life) => life.some(({ outcome }) => outcome === 'mismatch'))
          .length,
        retryWindowMs:
          windows.length === 0
            ? null
            : { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99), longest: windows.at(-1) },
        newKeys: fresh.length,
        newKeysPeakPerMinute: Math.max(0, ...[...minutes.values()].map(({ length }) => length)),
        shared: shared.length,
        sentByOtherFirst: shared.filter((key) => firstBy(others, key) < firstBy(own, key)).length,
      },
    }
  }
}

const firstOf = (events: readonly Event[]): number => Math.min(...events.map(({ atMs }) => atMs))

/** Without its scope: what another caller would have to send too. */
const bareKey = (event: Event): string =>
  event.type === 'request' ? (event.scopedKey.split(' ').at(-1) ?? '') : ''

function groupBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item])
  return groups
}

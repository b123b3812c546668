import type { ReadContext } from '@/lib/context'
import { scopeParts } from '@/lib/core/scope'
import { nullWhenCanceled } from '@/lib/core/sql-state'
import { sampleKeys } from '@/lib/mirror/read/sample-keys'
import { hasCompared } from '@/lib/reconcile/report/has-compared'
import { type NewKeyCases, readNewKeyCases } from '@/lib/reconcile/report/new-keys'
import { toCount } from '@/lib/telemetry/measures/measure'
import { type ClientKeysRow, readClientKeys } from '@/lib/telemetry/read/clients/client-keys'
import { type ClientRequests, readClientRequests } from '@/lib/telemetry/read/clients/client-requests'
import { readSharedKeys, type SharedKeysRow } from '@/lib/telemetry/read/clients/shared-keys'
import { readKeyedRequestsSince } from '@/lib/telemetry/read/requests/keyed-requests-since'
import { readScopes } from '@/lib/telemetry/read/requests/scopes'
import { KEYED_REQUEST_DAYS } from '@/lib/telemetry/retention'
import { OTHER } from '@/lib/telemetry/rollup/dimensions'
import { DAY_MS } from '@/lib/telemetry/window'
import type { ClientFigures, ClientKeys, ClientView } from './client'
import { findClient } from './find-client'
import { timeInKey } from './time-in-key'

export type ClientsPage = {
  items: ClientView[]
  /** Figures of keys are of the time from here on: before it they are no longer kept. Null = of the whole window. */
  keysFrom: string | null
  /** There were too many keys to look through: figures of keys are not measured. */
  tooMany: boolean
}

type Window = { from: Date; to: Date }

/** Every caller that sent requests to routes that take keys: those with the worst findings first, then the busiest. */
export async function readClients(ctx: ReadContext, window: Window): Promise<ClientsPage> {
  const { db } = ctx
  const [requests, looked, since, compared, cases, times] = await Promise.all([
    readClientRequests(db, window),
    Promise.all([readClientKeys(db, window), readSharedKeys(db, window)]).catch(nullWhenCanceled),
    readKeyedRequestsSince(db),
    hasCompared(db),
    readNewKeyCases(db, window),
    readKeyTimes(ctx, window),
  ])
  const keys = new Map(looked?.[0].map((row) => [row.client, row]))
  const shared = new Map(looked?.[1].map((row) => [row.client, row]))
  const suspected = new Map(cases.map((row) => [row.client, row]))
  const isTold = ({ client, unkeyed }: ClientRequests) => client !== '' || unkeyed === 0n
  const allTold = requests.every(isTold)
  const isForgotten = window.from.getTime() < ctx.clock.now().getTime() - KEYED_REQUEST_DAYS * DAY_MS
  const windowMs = window.to.getTime() - window.from.getTime()
  const items = requests.map((row): ClientView => {
    const figures: ClientFigures = {
      ...countsOf(row, allTold),
      keys: keysOf(keys.get(row.client), shared.get(row.client)),
      suspected: compared ? suspectedOf(suspected.get(row.client)) : null,
      keyTimes: times.get(row.client) ?? null,
    }
    return { ...figures, findings: findClient(figures, windowMs) }
  })
  return {
    items: items.toSorted(worstFirst),
    keysFrom: isForgotten && since !== null ? since.toISOString() : null,
    tooMany: looked === null,
  }
}

const countBad = ({ findings }: ClientView): number => findings.filter(({ tone }) => tone === 'bad').length

/** Stable: of equal ones the busiest stays first. */
const worstFirst = (a: ClientView, b: ClientView): number =>
  countBad(b) - countBad(a) || b.findings.length - a.findings.length

const countsOf = (row: ClientRequests, allTold: boolean) => ({
  client: row.client === '' ? null : row.client,
  isOthers: row.client === OTHER,
  keyedRequests: toCount(row.keyed),
  replayed: toCount(row.replayed),
  mismatches: toCount(row.mismatches),
  expiredRetries: toCount(row.expired_retries),
  missingKeys: { requests: toCount(row.unkeyed), atLeast: row.client !== '' && !allTold },
})

function keysOf(row: ClientKeysRow | undefined, sharing: SharedKeysRow | undefined): ClientKeys | null {
  if (row === undefined) return null
  const [p50, p95, p99] = row.windows ?? []
  const isRetried = p50 !== undefined && p95 !== undefined && p99 !== undefined && row.longest_ms !== null
  return {
    keys: row.keys,
    retried: row.retried,
    requestsPerKey: row.requests / row.keys,
    mostRequests: row.most,
    reused: row.reused,
    retryWindowMs: isRetried ? { p50, p95, p99, longest: row.longest_ms ?? 0 } : null,
    newKeys: row.new_keys,
    newKeysPeakPerMinute: row.new_keys_peak,
    shared: sharing?.shared ?? 0,
    sentByOtherFirst: sharing?.sent_by_other_first ?? 0,
  }
}

const suspectedOf = (found: NewKeyCases | undefined) => ({
  cases: found?.cases ?? 0,
  open: found?.open ?? 0,
  money: found?.money ?? [],
})

/** By caller, of a sample of the keys that its stores hold. */
async function readKeyTimes({ db }: ReadContext, window: Window) {
  const times = new Map<string, NonNullable<ClientFigures['keyTimes']>>()
  for (const { scope, key, at } of await sampleKeys(db, await readScopes(db, window))) {
    const { client } = scopeParts(scope)
    const counted = times.get(client) ?? { sampled: 0, minute: 0, hour: 0, day: 0 }
    counted.sampled += 1
    const time = timeInKey(key, at)
    if (time !== null) counted[time] += 1
    times.set(client, counted)
  }
  return times
}

import { systemClock } from '@/lib/core/clock'
import type { Stale } from '@/lib/core/verdict'
import type { Db } from '@/lib/db'
import { env } from '@/lib/env'
import { readOpenSince } from '../cursor'
import { countNoted, type Noted } from '../unreadable'

export type SourceState = 'ok' | 'stale' | 'down' | 'never'

/** A source as the API shows it: never its configuration's secrets. */
export type SourceView = {
  id: string
  kind: string
  adapter: string
  name: string
  system: string
  /** Where its records are kept, in the operator's own words. */
  region: string | null
  enabled: boolean
  /** Which change of it this is: a change or a removal names it. */
  version: number
  state: SourceState
  lastOkAt: string | null
  lastError: string | null
  lastErrorAt: string | null
  capabilities: unknown
  /** Objects that are there and cannot be understood; null = there is none. */
  notUnderstood: Noted | null
  /** Rows that were found by id and that its feed had passed: there may be others that are not read. null = none lately. */
  readLate: Noted | null
  /** The oldest transaction of its database that may still commit rows behind what was read; null = none, or not known. */
  openTransaction: { since: string } | null
}

/** Not heard of for this many stagings = stale. */
const STALE_AFTER_STAGINGS = 5
const STALE_AFTER_MIN_MS = 30_000

/** All sources, by name. There are as many as a person has configured: no pages. */
export async function listSources(
  db: Db,
  now: Date = systemClock.now(),
  staleAfterMs: number = Math.max(STALE_AFTER_MIN_MS, STALE_AFTER_STAGINGS * env().IDEMSCOPE_STAGE_EVERY_MS),
): Promise<SourceView[]> {
  const [rows, notUnderstood, readLate, openSince] = await Promise.all([
    db.prisma.source.findMany({ orderBy: { name: 'asc' }, omit: { secret: true, config: true } }),
    countNoted(db, 'not_understood'),
    countNoted(db, 'late'),
    readOpenSince(db),
  ])
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    adapter: row.adapter,
    name: row.name,
    system: row.system,
    region: row.region,
    version: row.version,
    enabled: row.enabled,
    state: stateOf(row, now, staleAfterMs),
    lastOkAt: row.lastOkAt?.toISOString() ?? null,
    lastError: row.lastError,
    lastErrorAt: row.lastErrorAt?.toISOString() ?? null,
    capabilities: row.capabilities,
    notUnderstood: notUnderstood.get(row.id) ?? null,
    readLate: readLate.get(row.id) ?? null,
    openTransaction: openSince.get(row.id) ?? null,
  }))
}

function stateOf(
  row: { lastOkAt: Date | null; lastErrorAt: Date | null },
  now: Date,
  staleAfterMs: number,
): SourceState {
  const okMs = row.lastOkAt?.getTime()
  const errorMs = row.lastErrorAt?.getTime()
  if (errorMs !== undefined && (okMs === undefined || errorMs > okMs)) return 'down'
  if (okMs === undefined) return 'never'
  return now.getTime() - okMs > staleAfterMs ? 'stale' : 'ok'
}

/** The store whose locks are not known now. */
export function staleStore(sources: readonly SourceView[]): Stale | null {
  const bad = sources.find(
    ({ kind, enabled, state }) => kind === 'intent' && enabled && (state === 'stale' || state === 'down'),
  )
  return bad?.lastOkAt ? { who: `${bad.name} cannot be read`, since: bad.lastOkAt } : null
}

/** Whether anything can be known of keys and locks: "none" is an answer only once a store was read. */
export const STORE_STATES = ['not_connected', 'not_read', 'read'] as const
export type StoreState = (typeof STORE_STATES)[number]

export const readStoreState = async (db: Db): Promise<StoreState> =>
  storeStateOf(await db.prisma.source.findMany({ select: { kind: true, enabled: true, lastOkAt: true } }))

export function storeStateOf(
  sources: readonly { kind: string; enabled: boolean; lastOkAt: string | Date | null }[],
): StoreState {
  const stores = sources.filter(({ kind, enabled }) => kind === 'intent' && enabled)
  if (stores.length === 0) return 'not_connected'
  return stores.some(({ lastOkAt }) => lastOkAt !== null) ? 'read' : 'not_read'
}

import { createLoader, createSerializer, parseAsString, parseAsStringLiteral } from 'nuqs/server'
import { bytesText } from '@/app/_ui/format-bytes'
import { listUsers } from '@/lib/access/users'
import { listActions } from '@/lib/actions/read'
import { namesOf } from '@/lib/core/names'
import { POLICY_ACTION_KIND } from '@/lib/core/states'
import { listSources } from '@/lib/mirror/read/list-sources'
import { listArchives } from '@/lib/retention/archive/list'
import { readCapacities } from '@/lib/retention/capacity'
import { readFloors } from '@/lib/retention/policy/floor'
import { listPolicies } from '@/lib/retention/policy/policies'
import { listCollections, readStorage } from '@/lib/retention/storage'
import { storeTotals } from '@/lib/retention/store-totals'
import { listRuns } from '@/lib/runs/read'
import { canCollect, collectsByRows } from '@/lib/sources/explain-capabilities'
import type { OpenedPage } from '../_page/open-page'

// Which collections are looked at, in the URL.

export const COLLECTIONS_BY = ['all', 'people'] as const

const parsers = {
  by: parseAsStringLiteral(COLLECTIONS_BY).withDefault('all'),
  cursor: parseAsString,
}
const loadStorage = createLoader(parsers)
export const writeStorage = createSerializer(parsers)

const RUNS_SHOWN = 12
const ARCHIVES_SHOWN = 8
const WAITING_SHOWN = 10

/** All that the page shows, each of its cards a part of it. */
export type StorageData = Awaited<ReturnType<typeof readStoragePage>>

export async function readStoragePage(opened: OpenedPage) {
  const { ctx, asked, range, now } = opened
  const { db } = ctx
  const query = await loadStorage(asked)
  const window = { from: range.from, to: range.to }
  const [tiers, marks, capacities, policies, waiting, archives, runs, sources, users] = await Promise.all([
    readStorage(db, window),
    listCollections(db, window),
    readCapacities(db),
    listPolicies(db),
    listActions(db, { kind: [POLICY_ACTION_KIND], state: ['proposed'] }, { limit: WAITING_SHOWN }),
    listArchives(db, { limit: ARCHIVES_SHOWN }),
    listRuns(
      db,
      { kind: ['collection'], ...(query.by === 'people' ? { byPeople: true } : {}) },
      { limit: RUNS_SHOWN, cursor: query.cursor ?? undefined },
    ),
    listSources(db, now),
    listUsers(db),
  ])
  /** Sources whose rows the console can collect one by one, and put back itself. */
  const byRows = new Set(
    sources.filter(({ capabilities }) => collectsByRows(capabilities)).map(({ id }) => id),
  )
  const collectable = sources.filter(
    ({ enabled, kind, capabilities }) => enabled && kind === 'intent' && canCollect(capabilities),
  )
  const floors = await readFloors(ctx, [
    ...collectable.map(({ id }) => id),
    ...policies.map(({ source }) => source),
  ])
  return {
    ...opened,
    query,
    /** By source: up to when its keys can be replayed. */
    floors,
    tiers,
    totals: storeTotals(tiers, capacities),
    marks,
    connected: sources.some(({ kind, enabled }) => kind === 'intent' && enabled),
    policies,
    waiting: waiting.items,
    archives,
    runs,
    collectable,
    byRows,
    names: namesOf(sources),
    people: namesOf(users),
  }
}

export const sumOver = (tiers: StorageData['tiers'], figure: 'rows' | 'expiredRows'): number =>
  tiers.reduce((sum, tier) => sum + tier[figure], 0)

/** "5.2 MiB", or "at least" as much where an engine has not told. */
export function sizeText(tiers: readonly { bytes: number | null }[]): string {
  const known = tiers.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0)
  return `${tiers.some(({ bytes }) => bytes === null) ? 'at least ' : ''}${bytesText(known)}`
}

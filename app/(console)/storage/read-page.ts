import { createLoader, createSerializer, parseAsString, parseAsStringLiteral } from 'nuqs/server'
import type { UserContext } from '@/app/_server/context'
import type { TimeRange } from '@/app/_ui/time-range'
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
import { listRuns } from '@/lib/runs/read'
import { canCollect, collectsByRows } from '@/lib/sources/explain-capabilities'

const RUNS_SHOWN = 12
const ARCHIVES_SHOWN = 8
const WAITING_SHOWN = 10

export async function readStoragePage(ctx: UserContext, query: StorageQuery, range: TimeRange, now: Date) {
  const { db } = ctx
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
  const collectable = sources.filter(
    ({ enabled, kind, capabilities }) => enabled && kind === 'intent' && canCollect(capabilities),
  )
  const floors = await readFloors(ctx, [
    ...collectable.map(({ id }) => id),
    ...policies.map(({ source }) => source),
  ])
  return {
    floors,
    tiers,
    marks,
    connected: sources.some(({ kind, enabled }) => kind === 'intent' && enabled),
    capacities,
    policies,
    waiting: waiting.items,
    archives,
    runs,
    collectable,
    byRows: new Set(sources.filter(({ capabilities }) => collectsByRows(capabilities)).map(({ id }) => id)),
    names: namesOf(sources),
    people: namesOf(users),
  }
}

// Which collections are looked at, in the URL.

export const COLLECTIONS_BY = ['all', 'people'] as const

const parsers = {
  by: parseAsStringLiteral(COLLECTIONS_BY).withDefault('all'),
  cursor: parseAsString,
}
export const loadStorage = createLoader(parsers)
export const writeStorage = createSerializer(parsers)
export type StorageQuery = Awaited<ReturnType<typeof loadStorage>>

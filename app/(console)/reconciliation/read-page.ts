import type { UserContext } from '@/app/_server/context'
import { listUsers } from '@/lib/access/users'
import { listActions } from '@/lib/actions/read'
import { readOutages } from '@/lib/conditions/read-outages'
import { namesOf } from '@/lib/core/names'
import { listSources } from '@/lib/mirror/read/list-sources'
import { readFeeds } from '@/lib/mirror/read/read-feeds'
import { listCases } from '@/lib/reconcile/cases/cases'
import { countCases } from '@/lib/reconcile/cases/count-cases'
import { countTriageable } from '@/lib/reconcile/cases/select-cases'
import { hasCompared } from '@/lib/reconcile/report/has-compared'
import { listRuns, type RunView } from '@/lib/runs/read'
import { type CaseQuery, filterOf } from './query'

const CASES_SHOWN = 25
const RUNS_SHOWN = 6
/** So far back the last run of everything is looked for. */
const RUNS_READ = 50
const APPROVALS_SHOWN = 10
const OUTAGES_OFFERED = 10

export async function readPage(ctx: UserContext, query: CaseQuery, now: Date) {
  const { db } = ctx
  const filter = filterOf(query, now)
  const [
    cases,
    matching,
    counts,
    last,
    active,
    byPeople,
    approvals,
    sources,
    users,
    { coverage },
    outages,
    compared,
  ] = await Promise.all([
    listCases(db, filter, { limit: CASES_SHOWN, cursor: query.cursor ?? undefined }),
    countTriageable(db, filter),
    countCases(db, now),
    listRuns(db, { kind: ['reconciliation'], state: ['done', 'failed'] }, { limit: RUNS_READ }),
    listRuns(db, { kind: ['reconciliation'], state: ['queued', 'running'] }, { limit: RUNS_SHOWN }),
    listRuns(db, { kind: ['reconciliation'], byPeople: true }, { limit: RUNS_SHOWN }),
    listActions(db, { state: ['proposed'] }, { limit: APPROVALS_SHOWN }),
    listSources(db, now),
    listUsers(db),
    readFeeds(db),
    readOutages(db),
    hasCompared(db),
  ])
  const verdict = last.items.find((run) => !run.dryRun && run.state === 'done' && ofEverything(run)) ?? null
  const known = new Map([...active.items, ...byPeople.items, ...last.items].map((run) => [run.id, run]))
  const runs = [...known.values()].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)).slice(0, RUNS_SHOWN)
  return {
    cases,
    matching,
    counts,
    compared,
    verdict,
    runs,
    approvals,
    sources,
    outages: outages.slice(0, OUTAGES_OFFERED),
    coverage,
    people: users.filter(({ service, banned }) => !service && !banned).map(({ id, name }) => ({ id, name })),
    names: namesOf(users),
  }
}
/** A run about one key, order or window says nothing of the rest. */
const ofEverything = ({ params }: RunView): boolean =>
  params === null ||
  typeof params !== 'object' ||
  !['from', 'key', 'reference'].some((name) => name in params)

export type PageData = Awaited<ReturnType<typeof readPage>>

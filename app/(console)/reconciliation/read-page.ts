import type { UserContext } from '@/app/_server/context'
import { listUsers } from '@/lib/access/users'
import { listActions } from '@/lib/actions/read'
import { listCases } from '@/lib/reconcile/cases'
import { countCases } from '@/lib/reconcile/count-cases'
import { listRuns } from '@/lib/runs/read'
import { listSources } from '@/lib/sources/list'
import { readFeeds } from '@/lib/sources/read-feeds'
import { type CaseQuery, filterOf } from './query'

const CASES_SHOWN = 25
const RUNS_SHOWN = 6
const APPROVALS_SHOWN = 10

export async function readPage(ctx: UserContext, query: CaseQuery, now: Date) {
  const { db } = ctx
  const [cases, counts, last, active, byPeople, approvals, sources, users, { coverage }] = await Promise.all([
    listCases(db, filterOf(query, now), { limit: CASES_SHOWN, cursor: query.cursor ?? undefined }),
    countCases(db, now),
    listRuns(db, { kind: ['reconciliation'], state: ['done', 'failed'] }, { limit: RUNS_SHOWN }),
    listRuns(db, { kind: ['reconciliation'], state: ['queued', 'running'] }, { limit: RUNS_SHOWN }),
    listRuns(db, { kind: ['reconciliation'], byPeople: true }, { limit: RUNS_SHOWN }),
    listActions(db, { state: ['proposed'] }, { limit: APPROVALS_SHOWN }),
    listSources(db, now),
    listUsers(db),
    readFeeds(db),
  ])
  const verdict = last.items.find(({ dryRun, state }) => !dryRun && state === 'done') ?? null
  const known = new Map([...active.items, ...byPeople.items, ...last.items].map((run) => [run.id, run]))
  const runs = [...known.values()].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)).slice(0, RUNS_SHOWN)
  return {
    cases,
    counts,
    verdict,
    runs,
    approvals,
    sources,
    coverage,
    names: new Map(users.map(({ id, name }) => [id, name])),
  }
}
export type PageData = Awaited<ReturnType<typeof readPage>>

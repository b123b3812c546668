import { listUsers } from '@/lib/access/users'
import { actionState, actionText } from '@/lib/actions/describe-action'
import { listActions } from '@/lib/actions/read'
import type { ActionView } from '@/lib/actions/view'
import { type Names, nameIn, namesOf } from '@/lib/core/names'
import type { Db } from '@/lib/db'
import { byWhom, isActive, PEOPLES_RUNS, runPage, runState, runText } from '@/lib/runs/describe-run'
import { listRuns, type RunView } from '@/lib/runs/read'
import type { Deploy } from '@/lib/telemetry/read/deploys'
import { auditOf } from './marks'

export type Activity = {
  id: string
  icon: 'run' | 'collection' | 'action' | 'deploy'
  text: string
  detail: string
  at: string
  /** 0–1 while it runs. */
  progress: number | null
  /** Where it is told in full. */
  href: string | null
}

export const ACTIVITIES_SHOWN = 5
const READ_MAX = 20

/** What runs now first, then what ended last. Of a job that repeats itself only its last run is shown. */
export async function readActivity(db: Db, deploys: readonly Deploy[]): Promise<Activity[]> {
  const [byPeople, running, reconciled, collected, actions, users] = await Promise.all([
    listRuns(db, { kind: PEOPLES_RUNS, byPeople: true }, { limit: READ_MAX }),
    listRuns(db, { kind: PEOPLES_RUNS, state: ['running', 'queued'] }, { limit: READ_MAX }),
    listRuns(db, { kind: ['reconciliation'], state: ['done', 'failed'] }, { limit: 1 }),
    listRuns(db, { kind: ['collection'], state: ['done', 'failed'] }, { limit: 1 }),
    listActions(db, {}, { limit: READ_MAX }),
    listUsers(db),
  ])
  const people = namesOf(users)
  const runs = [...running.items, ...byPeople.items, ...reconciled.items, ...collected.items]
  const distinct = [...new Map(runs.map((run) => [run.id, run])).values()]
  return [
    ...distinct.map((run) => fromRun(run, people)),
    ...actions.items.map((action) => fromAction(action, people)),
    ...deploys.map(fromDeploy),
  ]
    .sort((a, b) => Number(b.progress !== null) - Number(a.progress !== null) || (a.at < b.at ? 1 : -1))
    .slice(0, ACTIVITIES_SHOWN)
}

function fromRun(run: RunView, people: Names): Activity {
  return {
    id: run.id,
    icon: run.kind === 'collection' ? 'collection' : 'run',
    text: runText(run),
    detail: `${runState(run)}, ${byWhom(run, people)}`,
    at: run.finishedAt ?? run.startedAt ?? run.createdAt,
    progress: isActive(run) ? run.progress : null,
    href: runPage(run),
  }
}

function fromAction(action: ActionView, people: Names): Activity {
  const person = action.proposer === null ? '' : nameIn(people, action.proposer)
  return {
    id: action.id,
    icon: 'action',
    text: actionText(action),
    detail: [actionState(action), person, `“${action.reason}”`].filter((part) => part !== '').join(', '),
    at: action.finishedAt ?? action.createdAt,
    progress: null,
    href: auditOf(action.id),
  }
}

const fromDeploy = ({ service, version, environment, at }: Deploy): Activity => ({
  id: `${service} ${version} ${environment}`,
  icon: 'deploy',
  text: `${service} ${version} deployed`,
  detail: environment,
  at: at.toISOString(),
  progress: null,
  href: null,
})

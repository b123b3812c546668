import { listUsers } from '@/lib/access/users'
import { actionState, actionText } from '@/lib/actions/describe-action'
import { listActions } from '@/lib/actions/read'
import type { ChartMark } from '@/lib/core/chart-mark'
import { nameIn, namesOf } from '@/lib/core/names'
import type { Db } from '@/lib/db'
import { bySchedule, byWhom, PEOPLES_RUNS, runPage, runText } from '@/lib/runs/describe-run'
import { listRuns, type RunView } from '@/lib/runs/read'
import type { Deploy } from '@/lib/telemetry/read/deploys'

/** More marks of a kind in one range are no picture; the newest are shown. */
const MARKS_MAX = 200
const AROUND_DEPLOY_MS = 15 * 60_000

type Window = { from: Date; to: Date }

/** What people and jobs did within the range, and what was deployed: each with the way to its record or its figures. */
export async function readMarks(db: Db, within: Window, deploys: readonly Deploy[]): Promise<ChartMark[]> {
  const page = { limit: MARKS_MAX }
  const [actions, runs, users] = await Promise.all([
    listActions(db, { within }, page),
    listRuns(db, { kind: PEOPLES_RUNS, within }, page),
    listUsers(db),
  ])
  const people = namesOf(users)
  const marks: ChartMark[] = [
    ...actions.items.map((action) => ({
      at: Date.parse(action.createdAt),
      kind: 'action' as const,
      label: `${actionText(action)}, by ${nameIn(people, action.proposer ?? 'nobody')}: ${actionState(action)}`,
      href: auditOf(action.id),
    })),
    ...runs.items.map((run) => ({
      at: Date.parse(run.createdAt),
      kind: bySchedule(run) ? ('run' as const) : ('action' as const),
      label: `${runText(run)}, ${byWhom(run, people)}`,
      href: runHref(run),
    })),
    ...deploys
      .filter(({ at }) => at >= within.from)
      .map(({ at, service, version }) => ({
        at: at.getTime(),
        kind: 'deploy' as const,
        label: `${service} ${version}`,
        href: versionsAround(at, service),
      })),
  ]
  return marks.sort((a, b) => a.at - b.at)
}

/** Where the console tells of one thing that was done. */
export const auditOf = (subject: string): string => `/audit?${new URLSearchParams({ subject })}`

/** The figures of a service by version, from before a deploy to after it. */
function versionsAround(at: Date, service: string): string {
  const moment = (ms: number) => new Date(at.getTime() + ms).toISOString()
  const range = { from: moment(-AROUND_DEPLOY_MS), to: moment(AROUND_DEPLOY_MS) }
  return `/now?${new URLSearchParams({ service, ...range })}#endpoints`
}

/** What a person started is in the audit; the schedule's own runs tell of themselves. */
const runHref = (run: RunView): string => (bySchedule(run) ? runPage(run) : null) ?? auditOf(run.id)

import type { ChartMark } from '@/app/_ui/charts/chart-mark'
import { listUsers } from '@/lib/access/users'
import { listActions } from '@/lib/actions/read'
import type { Db } from '@/lib/db'
import { listRuns, type RunView } from '@/lib/runs/read'
import type { Deploy } from '@/lib/telemetry/read/deploys'
import { bySchedule, byWhom, nameIn, namesOf } from '../_page/names'
import { runPage } from '../_page/open-run'
import { actionText, PEOPLES_RUNS, runText } from './activity-text'

/** More marks of a kind in one range are no picture; the newest are shown. */
const MARKS_MAX = 200
const AROUND_DEPLOY_MS = 15 * 60_000

type Window = { from: Date; to: Date }

/** What people and jobs did within the range, and what was deployed: each with the way to its record. */
export async function readMarks(db: Db, within: Window, deploys: readonly Deploy[]): Promise<ChartMark[]> {
  const page = { limit: MARKS_MAX }
  const [actions, runs, users] = await Promise.all([
    listActions(db, { within }, page),
    listRuns(db, { kind: PEOPLES_RUNS, within }, page),
    listUsers(db),
  ])
  const people = namesOf(users)
  const marks: ChartMark[] = [
    ...actions.items.map(
      (action): ChartMark => ({
        at: Date.parse(action.createdAt),
        kind: 'action',
        label: `${actionText(action)}, by ${nameIn(people, action.proposer ?? 'nobody')}`,
        href: auditOf(action.id),
      }),
    ),
    ...runs.items.map(
      (run): ChartMark => ({
        at: Date.parse(run.createdAt),
        kind: bySchedule(run) ? 'run' : 'action',
        label: `${runText(run)}, ${byWhom(run, people)}`,
        href: runHref(run),
      }),
    ),
    ...deploys
      .filter(({ at }) => at >= within.from)
      .map(
        (deploy): ChartMark => ({
          at: deploy.at.getTime(),
          kind: 'deploy',
          label: `${deploy.service} ${deploy.version}`,
          href: auditAround(deploy.at),
        }),
      ),
  ]
  return marks.sort((a, b) => a.at - b.at)
}

const auditOf = (subject: string): string => `/audit?${new URLSearchParams({ subject })}`

/** A deploy is not ours to record: what people did about that time is. */
const auditAround = (at: Date): string => {
  const [from, to] = [-AROUND_DEPLOY_MS, AROUND_DEPLOY_MS].map((ms) =>
    new Date(at.getTime() + ms).toISOString(),
  )
  return `/audit?${new URLSearchParams({ from: from ?? '', to: to ?? '' })}`
}

/** What a person started is in the audit; the schedule's own runs tell of themselves. */
const runHref = (run: RunView): string => (bySchedule(run) ? runPage(run) : null) ?? auditOf(run.id)

import { z } from 'zod'
import { actionState, actionText } from '@/lib/actions/describe-action'
import { listActions } from '@/lib/actions/read'
import { auditOf } from '@/lib/alerts/now/marks'
import { caseTitle } from '@/lib/core/case-classes'
import { plural } from '@/lib/core/format-figure'
import { formatMoneyList } from '@/lib/core/money'
import { moneyJsonSchema } from '@/lib/core/money-json'
import { type Names, nameIn } from '@/lib/core/names'
import { encodeCursor } from '@/lib/core/pages'
import type { Db } from '@/lib/db'
import { bySchedule, PEOPLES_RUNS, runPage, runState, runText } from '@/lib/runs/describe-run'
import { listRuns } from '@/lib/runs/read'
import { readDeploys } from '@/lib/telemetry/read/deploys'
import type { EventContext, EventSource, EventWindow, TimelineEvent } from './event'
import { inWindow } from './own-events'

/** The lists have a cursor of the same form: the moment of the last row, and its id. */
const pageOf = ({ limit, after }: EventWindow) => ({
  limit,
  ...(after === null ? {} : { cursor: encodeCursor([after.at, after.id]) }),
})

export async function deployEvents(db: Db, window: EventWindow): Promise<TimelineEvent[]> {
  const deploys = await readDeploys(db, window)
  return inWindow(
    deploys.map(({ at, service, version, environment }) => ({
      id: `${service} ${version} ${environment}`,
      source: 'deploy',
      at: at.toISOString(),
      text: `Deploy of ${service} ${version}`,
      detail: environment,
      by: null,
      path: null,
      clock: 'service',
    })),
    window,
  )
}

export async function runEvents(db: Db, window: EventWindow, people: Names): Promise<TimelineEvent[]> {
  const { items } = await listRuns(db, { kind: PEOPLES_RUNS, within: window }, pageOf(window))
  return items.map((run) => ({
    id: run.id,
    source: 'run',
    at: run.createdAt,
    text: `Run: ${runText(run)}`,
    detail: runState(run),
    by: bySchedule(run) ? null : nameIn(people, run.requestedBy),
    path: runPage(run),
    clock: 'console',
  }))
}

export async function actionEvents(db: Db, window: EventWindow, people: Names): Promise<TimelineEvent[]> {
  const { items } = await listActions(db, { within: window }, pageOf(window))
  return items.map((action) => ({
    id: action.id,
    source: 'action',
    at: action.createdAt,
    text: `${actionText(action)}: ${actionState(action)}`,
    detail: action.reason,
    by: action.proposer === null ? null : nameIn(people, action.proposer),
    path: auditOf(action.id),
    clock: 'console',
  }))
}

/** Cases of one class that were opened, or resolved, at one moment are one event: a run opens hundreds at once. */
const casesAt = (moment: 'first_seen' | 'resolved_at') => `
  SELECT at, class, sum(count)::int AS count, jsonb_agg(jsonb_build_object('minor', amount, 'currency', currency) ORDER BY currency)
    FILTER (WHERE amount IS NOT NULL AND currency IS NOT NULL) AS money
  FROM (SELECT ${moment} AS at, class, currency, count(*) AS count, sum(amount_minor)::text AS amount FROM reconciliation_case
    WHERE ${moment} >= $1 AND ${moment} < $2 AND outcome = 'break' AND resolution IS DISTINCT FROM 'merged'
      AND ($3::text IS NULL OR system = $3)
      AND ($4::timestamptz IS NULL OR ${moment} < $4 OR ${moment} = $4 AND class > $5)
    GROUP BY 1, 2, 3) AS one
  GROUP BY 1, 2 ORDER BY at DESC, class LIMIT $6`
const MOMENT = {
  case_opened: { sql: casesAt('first_seen'), said: 'opened' },
  case_resolved: { sql: casesAt('resolved_at'), said: 'resolved' },
} as const satisfies Partial<Record<EventSource, unknown>>

const casesSchema = z.array(
  z.object({
    at: z.date(),
    class: z.string(),
    count: z.number(),
    money: z.array(moneyJsonSchema).nullable(),
  }),
)

export async function caseEvents(
  db: Db,
  { system }: EventContext,
  what: keyof typeof MOMENT,
  { from, to, after, limit }: EventWindow,
): Promise<TimelineEvent[]> {
  const { sql, said } = MOMENT[what]
  const { rows } = await db.pool.query(sql, [from, to, system, after?.at ?? null, after?.id ?? null, limit])
  return casesSchema.parse(rows).map((row) => ({
    id: row.class,
    source: what,
    at: row.at.toISOString(),
    text: `${plural(row.count, 'case')} ${said}: ${caseTitle(row.class)}`,
    detail: formatMoneyList(row.money ?? []),
    by: null,
    path: `/reconciliation?show=all&class=${row.class}`,
    clock: 'console',
  }))
}

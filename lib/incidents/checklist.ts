import { z } from 'zod'
import { countText, percentText, plural } from '@/lib/core/format-figure'
import type { Standing } from '@/lib/core/verdict'
import type { Db } from '@/lib/db'
import { listSources, type SourceView } from '@/lib/mirror/read/list-sources'
import { runState } from '@/lib/runs/describe-run'
import { listRuns, type RunView } from '@/lib/runs/read'
import { readEndpoints } from '@/lib/telemetry/read/requests/endpoints'
import { readRequestTotals } from '@/lib/telemetry/read/requests/request-totals'
import type { AffectedCallers } from './affected'
import type { IncidentRange } from './range'
import type { IncidentView } from './view'

/** Whether an answer could be given: none of it, not known, nothing connected and not measured are four different things. */
export type Answered = 'known' | 'none' | 'not_known' | 'not_connected' | 'not_measured'

export type Question = {
  id: 'store' | 'where' | 'fallback' | 'reconcile' | 'postmortem'
  question: string
  answered: Answered
  standing: Standing
  /** A sentence a fact; moments as RFC 3339. */
  answers: string[]
  link: { label: string; path: string }
}

type Look = {
  db: Db
  now: Date
  incident: IncidentView
  range: IncidentRange
  affected: AffectedCallers
}

/** What has to be known to run an incident, answered from data. */
export const readChecklist = (look: Look): Promise<Question[]> =>
  Promise.all([storeOnline(look), where(look), fallback(look), reconcile(look), postmortem(look)])

const STORES = { label: 'Sources', path: '/sources' }

async function storeOnline({ db, now, incident: { system } }: Look): Promise<Question> {
  const base = { id: 'store', question: 'Is the store online?', link: STORES } as const
  const stores = (await listSources(db, now)).filter(
    (source) => source.kind === 'intent' && source.enabled && (system === null || source.system === system),
  )
  if (stores.length === 0) {
    const of = system === null ? '' : ` of ${system}`
    return {
      ...base,
      answered: 'not_connected',
      standing: 'unknown',
      answers: [`No idempotency store${of} is connected.`],
    }
  }
  const bad = stores.some(({ state }) => state === 'down' || state === 'stale')
  const known = stores.every(({ state }) => state !== 'never')
  return {
    ...base,
    answered: known ? 'known' : 'not_known',
    standing: bad ? 'bad' : known ? 'ok' : 'unknown',
    answers: stores.map(storeText),
  }
}

function storeText({ name, state, lastOkAt, lastError }: SourceView): string {
  if (state === 'never') return `${name} was not read yet.`
  if (state === 'ok') return `${name} can be read, last at ${lastOkAt}.`
  return `${name} cannot be read since ${lastOkAt ?? 'it was connected'}${lastError === null ? '' : `: ${lastError}`}.`
}

const ENDPOINTS_NAMED = 3

async function where({ db, range, affected }: Look): Promise<Question> {
  const base = {
    id: 'where',
    question: 'Which endpoints and clients?',
    link: { label: 'Now', path: '/now' },
  } as const
  const { rows } = await readEndpoints(db, { ...range, limit: ENDPOINTS_NAMED })
  const twice = rows
    .filter(({ effectsTwice }) => effectsTwice > 0)
    .map(
      ({ endpoint, service, version, effectsTwice }) =>
        `${endpoint} of ${service}${version === '' ? '' : ` ${version}`}: ${plural(effectsTwice, 'side effect')} happened twice.`,
    )
  const hit = affected.items
    .slice(0, ENDPOINTS_NAMED)
    .map(
      (each) =>
        `${each.client === '' ? 'A caller without a name' : each.client} on ${each.endpoint}: ${tallyText(each)}.`,
    )
  const answers = [...twice, ...hit]
  if (answers.length > 0) return { ...base, answered: 'known', standing: 'bad', answers }
  return rows.length === 0
    ? {
        ...base,
        answered: 'not_measured',
        standing: 'unknown',
        answers: ['No service sent keyed requests in this time.'],
      }
    : {
        ...base,
        answered: 'none',
        standing: 'ok',
        answers: ['None has an effect twice, an orphan, a stuck key or a case.'],
      }
}

const tallyText = ({ twice, orphans, stuck, cases }: AffectedCallers['items'][number]): string =>
  [
    ...(twice > 0 ? [`${plural(twice, 'effect')} twice`] : []),
    ...(orphans > 0 ? [plural(orphans, 'orphan')] : []),
    ...(stuck > 0 ? [plural(stuck, 'stuck key')] : []),
    ...(cases > 0 ? [plural(cases, 'case')] : []),
  ].join(', ')

const LATELY_MS = 5 * 60_000

async function fallback({ db, now, incident }: Look): Promise<Question> {
  const base = {
    id: 'fallback',
    question: 'Is a fallback in force?',
    link: { label: 'Holds', path: '/holds' },
  } as const
  const to = incident.closedAt === null ? now : new Date(incident.closedAt)
  const [totals, held] = await Promise.all([
    readRequestTotals(db, { from: new Date(to.getTime() - LATELY_MS), to }),
    countHolds(db, to),
  ])
  const holds =
    held === 0 ? 'Nothing was held from here.' : `${plural(held, 'hold')} placed from here in force.`
  const of = (outcome: string) => totals.find((row) => row.outcome === outcome)?.requests ?? 0n
  const all = totals.reduce(
    (sum, { outcome, requests }) => (outcome === 'unkeyed' ? sum : sum + requests),
    0n,
  )
  if (all === 0n) {
    const none = 'No service sent keyed requests in the last 5 minutes of it.'
    return { ...base, answered: 'not_measured', standing: 'unknown', answers: [none, holds] }
  }
  const share = (count: bigint) =>
    `${countText(count)} of ${countText(all)} requests (${percentText(Number(count) / Number(all))} %)`
  const open = of('bypassed')
  const closed = of('store_error')
  const answers = [
    ...(open > 0n ? [`Fail-open: ${share(open)} ran without protection in the last 5 minutes of it.`] : []),
    ...(closed > 0n ? [`Fail-closed: ${share(closed)} were refused in the last 5 minutes of it.`] : []),
  ]
  return {
    ...base,
    answered: answers.length === 0 && held === 0 ? 'none' : 'known',
    standing: open > 0n ? 'bad' : closed > 0n || held > 0 ? 'warn' : 'ok',
    answers: [
      ...(answers.length === 0
        ? ['None: every request of the last 5 minutes of it was protected.']
        : answers),
      holds,
    ],
  }
}

/** Asked of what was done from here: the stores themselves may be what is down. */
const HOLDS = `
  SELECT count(*)::int AS count FROM action h
  WHERE h.kind = 'hold' AND h.state = 'done' AND h.created_at <= $1
    AND coalesce((h.params->>'endsAt')::timestamptz, h.executed_at + (h.params->>'minutes')::int * interval '1 minute') > $1
    AND NOT EXISTS (SELECT FROM action l WHERE l.kind = 'lift_hold' AND l.state = 'done'
      AND l.params->>'holdId' = h.params->>'holdId' AND l.created_at <= $1)`

async function countHolds(db: Db, at: Date): Promise<number> {
  const { rows } = await db.pool.query(HOLDS, [at])
  return z.array(z.object({ count: z.number() })).parse(rows)[0]?.count ?? 0
}

const RUNS_LOOKED_AT = 50
const rangeSchema = z.object({
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
})
const narrowSchema = z.object({ key: z.unknown().optional(), reference: z.unknown().optional() })

async function reconcile({ db, incident, range }: Look): Promise<Question> {
  const base = {
    id: 'reconcile',
    question: 'Is the window reconciled?',
    link: { label: 'Reconcile this window', path: '/reconciliation' },
  } as const
  const [sources, { items }] = await Promise.all([
    db.prisma.source.count({ where: { enabled: true } }),
    listRuns(
      db,
      { kind: ['reconciliation'], within: { from: range.from, to: new Date(8.64e15) } },
      { limit: RUNS_LOOKED_AT },
    ),
  ])
  if (sources === 0)
    return {
      ...base,
      answered: 'not_connected',
      standing: 'unknown',
      answers: ['No source is connected: nothing can be compared.'],
    }
  const harmEndMs = Date.parse(incident.mitigatedAt ?? incident.closedAt ?? range.to.toISOString())
  const covering = items.find((run) => !run.dryRun && covers(run, range, harmEndMs))
  if (covering === undefined) {
    const until =
      incident.mitigatedAt === null
        ? 'It is not mitigated yet: what happens now is still to come.'
        : 'No run has compared the whole of it since it was mitigated.'
    return {
      ...base,
      answered: 'none',
      standing: incident.mitigatedAt === null ? 'unknown' : 'warn',
      answers: [until],
    }
  }
  const ended = covering.state === 'done' && covering.outcome !== 'incomplete'
  return {
    ...base,
    answered: covering.state === 'done' ? 'known' : 'not_known',
    standing: ended ? 'ok' : 'warn',
    answers: [`A run of ${covering.createdAt}: ${runState(covering)}.`],
    link: { label: 'Open the run', path: `/reconciliation/runs/${covering.id}` },
  }
}

/** A run of the schedule compares all that is new; one of a person may be of a window, a key or an order alone. */
function covers(run: RunView, range: IncidentRange, harmEndMs: number): boolean {
  const asked = rangeSchema.safeParse(run.params).data ?? {}
  const narrow = narrowSchema.safeParse(run.params).data ?? {}
  if (narrow.key !== undefined || narrow.reference !== undefined) return false
  if (Date.parse(run.createdAt) < harmEndMs) return false
  return (
    (asked.from === undefined || Date.parse(asked.from) <= range.from.getTime()) &&
    (asked.to === undefined || Date.parse(asked.to) >= harmEndMs)
  )
}

async function postmortem({ incident: { status, cause, followUps } }: Look): Promise<Question> {
  const base = {
    id: 'postmortem',
    question: 'Is the postmortem written?',
    link: { label: 'Postmortem', path: '#postmortem' },
  } as const
  if (status !== 'closed' || cause === null)
    return {
      ...base,
      answered: 'none',
      standing: 'unknown',
      answers: ['Closing asks for the cause and what is still to be done.'],
    }
  const left = followUps.length === 0 ? 'nothing to follow up' : plural(followUps.length, 'follow-up')
  return { ...base, answered: 'known', standing: 'ok', answers: [`Closed with a cause and ${left}.`] }
}

import { z } from 'zod'
import { listUsers } from '@/lib/access/users'
import { ALERTS, alertText } from '@/lib/alerts/about'
import { CONDITION_KINDS, type ConditionKind } from '@/lib/core/condition-kinds'
import { namesOf } from '@/lib/core/names'
import { decodeCursor, type Page, type PageInput, toPage } from '@/lib/core/pages'
import type { Db } from '@/lib/db'
import type { IncidentRange } from '../range'
import {
  EVENT_SOURCES,
  type EventContext,
  type EventSource,
  type EventWindow,
  type TimelineEvent,
} from './event'
import { actionEvents, caseEvents, deployEvents, runEvents } from './other-events'
import { alertEvents, readAcknowledged, readEntries } from './own-events'

const cursorShape = z.tuple([z.iso.datetime(), z.enum(EVENT_SOURCES), z.string()])
type Last = readonly [at: string, source: EventSource, id: string, ...more: unknown[]]

/**
 * What happened around an incident, the latest first, by the time of each event: alerts, deploys, holds, runs, actions, cases
 * and notes. A page takes the time of a page, however long the incident is.
 */
export async function readTimeline(
  db: Db,
  context: EventContext,
  range: IncidentRange,
  { limit, cursor, sources = EVENT_SOURCES }: PageInput & { sources?: readonly EventSource[] },
): Promise<Page<TimelineEvent>> {
  const people = namesOf(await listUsers(db))
  const last = cursor === undefined ? null : decodeCursor(cursor, cursorShape)
  const of = (source: EventSource): EventWindow => windowOf(source, range, last, limit + 1)
  const readers: Record<EventSource, () => TimelineEvent[] | Promise<TimelineEvent[]>> = {
    entry: () => readEntries(db, context, of('entry')),
    alert_raised: () => alertEvents(context, 'alert_raised', of('alert_raised')),
    alert_cleared: () => alertEvents(context, 'alert_cleared', of('alert_cleared')),
    acknowledgement: () => readAcknowledged(db, context, of('acknowledgement')),
    deploy: () => deployEvents(db, of('deploy')),
    run: () => runEvents(db, of('run'), people),
    action: () => actionEvents(db, of('action'), people),
    case_opened: () => caseEvents(db, context, 'case_opened', of('case_opened')),
    case_resolved: () => caseEvents(db, context, 'case_resolved', of('case_resolved')),
  }
  const read = await Promise.all(sources.map((source) => readers[source]()))
  const merged = read
    .flat()
    // Stable: what one source says of one moment stays in its order.
    .toSorted((a, b) => (a.at === b.at ? rank(a.source) - rank(b.source) : a.at < b.at ? 1 : -1))
  return toPage(merged, limit, ({ at, source, id }) => [at, source, id])
}

const rank = (source: EventSource): number => EVENT_SOURCES.indexOf(source)

/** Of the moment at which the last page ended, the sources behind its last one still have all of theirs to say. */
function windowOf(
  source: EventSource,
  { from, to }: IncidentRange,
  last: Last | null,
  limit: number,
): EventWindow {
  if (last === null) return { from, to, after: null, limit }
  const [at, lastSource, id] = last
  const until = new Date(Date.parse(at) + (rank(source) < rank(lastSource) ? 0 : 1))
  return { from, to: until < to ? until : to, after: source === lastSource ? { at, id } : null, limit }
}

/** What a person must know of a time line before they believe it. */
export type Gap = { from: string; to: string | null; text: string }

/** Times in which the console saw less than it should have. */
const BLIND: Partial<Record<ConditionKind, string>> = {
  worker_dead: 'conditions were evaluated late, and nothing was reconciled',
  receiver_dead: 'no telemetry came in',
  roll_up_late: 'figures were not of then',
  stale_telemetry: 'its figures are missing',
  store_down: 'its keys were not seen',
  stale_source: 'what it holds was not seen',
  clock_skew: 'its times are shifted against the others',
}
const GAPS_MAX = 20

export async function readGaps(db: Db, { from, to }: IncidentRange): Promise<Gap[]> {
  const rows = await db.prisma.alertEpisode.findMany({
    where: {
      kind: { in: Object.keys(BLIND) },
      since: { lt: to },
      OR: [{ clearedAt: null }, { clearedAt: { gt: from } }],
    },
    orderBy: [{ since: 'asc' }, { id: 'asc' }],
    take: GAPS_MAX,
  })
  return rows.map(({ kind: name, subject, since, clearedAt, detail }) => {
    const kind = z.enum(CONDITION_KINDS).parse(name)
    const known = z.record(z.string(), z.unknown()).parse(detail)
    const text = `${alertText({ kind, subject, detail: known })}: ${BLIND[kind] ?? ALERTS[kind].title}`
    return { from: since.toISOString(), to: clearedAt?.toISOString() ?? null, text }
  })
}

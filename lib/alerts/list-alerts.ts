import { z } from 'zod'
import { CONDITION_KINDS, type ConditionKind, SEVERITIES } from '@/lib/core/condition-kinds'
import { decodeCursor, type Page, type PageInput, toPage } from '@/lib/core/pages'
import type { Db } from '@/lib/db'
import type { Prisma } from '@/prisma/generated/client'
import { type AcknowledgementView, readAcknowledgements } from './acknowledge/read'
import { environmentOf, matches } from './silences/match'
import { heldDuring, type SilenceView, silenceView } from './silences/view'

export const ALERT_STATES = ['firing', 'cleared'] as const
export type AlertState = (typeof ALERT_STATES)[number]

export type AlertFilter = {
  state?: readonly AlertState[] | undefined
  kind?: readonly ConditionKind[] | undefined
  id?: string | undefined
}

/** Silences of one page of alerts; beyond it the oldest are not told. */
const SILENCES_MAX = 500
const cursorShape = z.tuple([z.iso.datetime(), z.string()])

const WITH_TOLD = {
  notifications: { include: { receiver: { select: { name: true } } }, orderBy: { createdAt: 'asc' } },
} satisfies Prisma.AlertEpisodeInclude
type Row = Prisma.AlertEpisodeGetPayload<{ include: typeof WITH_TOLD }>

/** One time that an alert fired, as the API and the console show it. */
export type AlertView = ReturnType<typeof alertView> & {
  /** Who looks after it; null = nobody, or it is over. */
  acknowledgement: AcknowledgementView | null
}

/** Every time that an alert fired, newest first, silenced or not: when, on what figures, and who was told. */
export async function listAlerts(
  db: Db,
  now: Date,
  filter: AlertFilter,
  page: PageInput,
): Promise<Page<AlertView>> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor, cursorShape)
  const { state, kind, id } = filter
  const rows = await db.prisma.alertEpisode.findMany({
    where: {
      kind: { in: [...(kind ?? CONDITION_KINDS)] },
      ...(id === undefined ? {} : { id }),
      ...(state?.length === 1 ? { clearedAt: state[0] === 'firing' ? null : { not: null } } : {}),
      ...(after === undefined
        ? {}
        : {
            OR: [{ since: { lt: new Date(after[0]) } }, { since: new Date(after[0]), id: { gt: after[1] } }],
          }),
    },
    include: WITH_TOLD,
    orderBy: [{ since: 'desc' }, { id: 'asc' }],
    take: page.limit + 1,
  })
  const oldest = rows.at(-1)?.since ?? now
  const silences = await db.prisma.silence.findMany({
    where: { endsAt: { gt: oldest }, startsAt: { lte: now } },
    orderBy: { endsAt: 'desc' },
    take: SILENCES_MAX,
  })
  const views = silences.map((silence) => silenceView(silence, now))
  const acknowledgedBy = await readAcknowledgements(db, now)
  return toPage(
    rows.map((row) => {
      const alert = alertView(row, views)
      return { ...alert, acknowledgement: alert.state === 'firing' ? acknowledgedBy(alert) : null }
    }),
    page.limit,
    (row) => [row.since, row.id],
  )
}

function alertView(row: Row, silences: readonly SilenceView[]) {
  const alert = {
    id: row.id,
    kind: z.enum(CONDITION_KINDS).parse(row.kind),
    subject: row.subject,
    severity: z.enum(SEVERITIES).parse(row.severity),
    times: row.times,
    since: row.since.toISOString(),
    clearedAt: row.clearedAt?.toISOString() ?? null,
    state: row.clearedAt === null ? ('firing' as const) : ('cleared' as const),
    detail: z.record(z.string(), z.unknown()).parse(row.detail),
    incidentId: row.incidentId,
  }
  const about = { ...alert, environment: environmentOf(alert.detail) }
  const silenced = silences.filter(
    (silence) => matches(silence, about) && heldDuring(silence, alert.since, alert.clearedAt),
  )
  return {
    ...about,
    /** Silences that held while it fired. */
    silences: silenced.map(({ id }) => id),
    notifications: row.notifications.map((sent) => ({
      id: sent.id,
      receiver: sent.receiver.name,
      transition: sent.transition,
      state: sent.state,
      attempts: sent.attempts,
      dueAt: sent.dueAt.toISOString(),
      finishedAt: sent.finishedAt?.toISOString() ?? null,
      result: resultSchema.parse(sent.result),
    })),
  }
}

const resultSchema = z.object({
  status: z.number().nullable().default(null),
  error: z.string().nullable().default(null),
  body: z.string().nullable().default(null),
  durationMs: z.number().nullable().default(null),
})

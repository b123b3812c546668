import { z } from 'zod'
import { decodeCursor, type Page, type PageInput, toPage } from '@/lib/core/pages'
import type { Db } from '@/lib/db'
import type { Prisma } from '@/prisma/generated/client'
import { type SilenceState, type SilenceView, silenceView } from './view'

/** So many may hold or be planned at once: all of them are held against each alert. */
export const SILENCES_MAX = 200

const cursorShape = z.tuple([z.iso.datetime(), z.string()])

const IN_STATE = {
  active: (now: Date) => ({ expiredAt: null, startsAt: { lte: now }, endsAt: { gt: now } }),
  scheduled: (now: Date) => ({ expiredAt: null, startsAt: { gt: now }, endsAt: { gt: now } }),
  ended: (now: Date) => ({ OR: [{ expiredAt: { not: null } }, { endsAt: { lte: now } }] }),
} satisfies Record<SilenceState, (now: Date) => Prisma.SilenceWhereInput>

/** What ends last comes first; no state means all. */
export async function listSilences(
  db: Db,
  now: Date,
  filter: { state?: readonly SilenceState[] | undefined },
  page: PageInput,
): Promise<Page<SilenceView>> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor, cursorShape)
  const rows = await db.prisma.silence.findMany({
    where: {
      AND: [
        filter.state === undefined ? {} : { OR: filter.state.map((state) => IN_STATE[state](now)) },
        after === undefined
          ? {}
          : {
              OR: [
                { endsAt: { lt: new Date(after[0]) } },
                { endsAt: new Date(after[0]), id: { gt: after[1] } },
              ],
            },
      ],
    },
    orderBy: [{ endsAt: 'desc' }, { id: 'asc' }],
    take: page.limit + 1,
  })
  return toPage(
    rows.map((row) => silenceView(row, now)),
    page.limit,
    (row) => [row.endsAt, row.id],
  )
}

/** Those that hold now. */
export async function activeSilences(db: Db, now: Date): Promise<SilenceView[]> {
  return (await listSilences(db, now, { state: ['active'] }, { limit: SILENCES_MAX })).items
}

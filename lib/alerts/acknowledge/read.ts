import type { Db } from '@/lib/db'
import type { Acknowledgement } from '@/prisma/generated/client'

/** An acknowledgement as the API and the console show it. */
export type AcknowledgementView = ReturnType<typeof acknowledgementView>

export const acknowledgementView = (row: Acknowledgement) => ({
  id: row.id,
  alert: row.episodeId,
  by: row.by,
  byName: row.byName,
  at: row.at.toISOString(),
  until: row.until.toISOString(),
  note: row.note,
})

/** Who looks after an alert: one acknowledgement is of all that fires of its kind and system. */
export async function readAcknowledgements(
  db: Db,
  now: Date,
): Promise<(alert: { kind: string; detail: Record<string, unknown> }) => AcknowledgementView | null> {
  const rows = await db.prisma.acknowledgement.findMany({
    where: { endedAt: null, until: { gt: now } },
    orderBy: { at: 'asc' },
  })
  const held = new Map(rows.map((row) => [`${row.kind} ${row.system}`, acknowledgementView(row)]))
  return ({ kind, detail }) => held.get(`${kind} ${systemOf(detail)}`) ?? null
}

/** '' = it names none. */
export const systemOf = ({ system }: Record<string, unknown>): string =>
  typeof system === 'string' ? system : ''

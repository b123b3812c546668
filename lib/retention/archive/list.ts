import { z } from 'zod'
import { decodeCursor, type Page, type PageInput, toPage } from '@/lib/core/pages'
import type { Db } from '@/lib/db'

export type ArchiveView = {
  id: string
  source: string
  runId: string
  at: string
  file: string
  rows: number
  bytes: string
  sha256: string
  /** Null = written, but its rows were not collected: the run died in between. */
  collectedAt: string | null
}

const cursorShape = z.tuple([z.iso.datetime(), z.string()])

/** What was written before it was collected, newest first. */
export async function listArchives(db: Db, page: PageInput): Promise<Page<ArchiveView>> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor, cursorShape)
  const rows = await db.prisma.archive.findMany({
    where:
      after === undefined
        ? {}
        : { OR: [{ at: { lt: new Date(after[0]) } }, { at: new Date(after[0]), id: { gt: after[1] } }] },
    orderBy: [{ at: 'desc' }, { id: 'asc' }],
    take: page.limit + 1,
  })
  const views = rows.map((row) => ({
    id: row.id,
    source: row.sourceId,
    runId: row.runId,
    at: row.at.toISOString(),
    file: row.file,
    rows: row.rows,
    bytes: row.bytes.toString(),
    sha256: row.sha256,
    collectedAt: row.collectedAt?.toISOString() ?? null,
  }))
  return toPage(views, page.limit, (row) => [row.at, row.id])
}

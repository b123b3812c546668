import { z } from 'zod'
import type { RecordPage, RecordRow, UnreadableRow } from '../../contracts'
import type { Place } from './changes'
import type { Walker } from './reader'
import { walkStep } from './walk-step'

const placeSchema = z.object({ session: z.string(), at: z.number() })
const cursorSchema = z.object({
  /** A walk that is under way, on the server that gave its cursor. `place`: from where what is told is read after it. */
  walk: z
    .object({
      cursor: z.string(),
      startedMs: z.number(),
      runId: z.string(),
      place: placeSchema.nullable(),
    })
    .nullable(),
  /** Up to where what is told of changes was read, by each process that reads: the last ones. */
  followed: z.array(placeSchema),
  /** Everything that was written before this was read; null = the first walk is not at its end. */
  wholeUntilMs: z.number().nullable(),
})
type Cursor = z.infer<typeof cursorSchema>
const START: Cursor = { walk: null, followed: [], wholeUntilMs: null }
const SESSIONS_KEPT = 8

const keep = (places: readonly Place[], place: Place): Place[] =>
  [...places.filter(({ session }) => session !== place.session), place].slice(-SESSIONS_KEPT)

/** Steps of a walk that one page takes: its position is kept after each page. */
const STEPS_A_PAGE = 200
/** Written this long before a walk began, and read by it all the same. */
const OVERLAP_MS = 60_000

/**
 * Finished keys: by a walk through the keyspace, and from then on those that are told to have changed. Where nothing is
 * told, or some of it was lost, it walks again and reads what was written since the last walk began.
 */
export async function readRecords(
  reader: Walker,
  cursorText: string | null,
  limit: number,
): Promise<RecordPage> {
  const last = cursorText === null ? START : cursorSchema.parse(JSON.parse(cursorText))
  const place = await reader.changes.begin()
  const { nowMs, server, behind } = await reader.look()
  const page = (at: Cursor, rows: Rows, more: boolean): RecordPage => ({
    ...rows,
    cursor: JSON.stringify(at),
    more,
    ...(behind === null ? {} : { unread: behind }),
    ...(place === null && at.wholeUntilMs !== null ? { asOf: new Date(at.wholeUntilMs) } : {}),
  })

  const mine = last.followed.find(({ session }) => session === place?.session)
  if (last.walk === null && mine !== undefined) {
    const told = await reader.changes.since(mine, limit)
    if (told !== null) {
      const rows = await readRows(reader, told.names, null)
      const wholeUntilMs = told.more ? last.wholeUntilMs : nowMs
      return page({ walk: null, followed: keep(last.followed, told.next), wholeUntilMs }, rows, told.more)
    }
  }
  if (last.walk === null && last.wholeUntilMs !== null && place === null) {
    const dueMs = last.wholeUntilMs + reader.config.walkEveryMs
    if (dueMs > nowMs) return page(last, { items: [], unreadable: [] }, false)
  }

  // A cursor means something on the server that gave it only.
  const goesOn = last.walk?.runId === server.runId
  const walk =
    goesOn && last.walk !== null ? last.walk : { cursor: '0', startedMs: nowMs, runId: server.runId, place }
  const sinceMs = last.wholeUntilMs === null ? null : last.wholeUntilMs - OVERLAP_MS
  const rows: Rows = { items: [], unreadable: [] }
  let { cursor } = walk
  for (let step = 0; step < STEPS_A_PAGE && rows.items.length < limit; step += 1) {
    const from = cursor
    const { next, pauseMs } = await reader.use((client) =>
      walkStep(
        client,
        from,
        async (redisKeys) => {
          const found = await readRows(reader, redisKeys, sinceMs)
          rows.items.push(...found.items)
          rows.unreadable.push(...found.unreadable)
        },
        reader,
      ),
    )
    cursor = next
    if (next === '0') {
      const followed = walk.place === null ? last.followed : keep(last.followed, walk.place)
      return page({ walk: null, followed, wholeUntilMs: walk.startedMs }, rows, false)
    }
    await reader.pause(pauseMs)
  }
  return page({ ...last, walk: { ...walk, cursor } }, rows, true)
}

type Rows = { items: RecordRow[]; unreadable: UnreadableRow[] }

async function readRows(reader: Walker, redisKeys: readonly string[], sinceMs: number | null): Promise<Rows> {
  const rows: Rows = { items: [], unreadable: [] }
  for (const [, found] of await reader.understand(redisKeys, { kind: 'ended', sinceMs })) {
    if (found.kind === 'ended') rows.items.push(found.record)
    if (found.kind === 'unreadable') rows.unreadable.push(found.row)
  }
  return rows
}

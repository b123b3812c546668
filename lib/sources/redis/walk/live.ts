import type { LeasePage, LeaseRow, UnreadableRow } from '../../contracts'
import type { Place } from './changes'
import type { Reader } from './reader'
import { walkStep } from './walk-step'

type Found = { lease: LeaseRow } | { row: UnreadableRow }

/**
 * Keys in progress, as far as they are known: by a walk through the keyspace, and from then on by what is told to have
 * changed, or by another walk. Whatever was lost in between begins again, and proves nothing absent meanwhile.
 */
export function openLive(reader: Reader) {
  const { config } = reader
  const live = new Map<string, Found>()
  let runId = ''
  /** Up to where what is told of changes was followed; null = nothing is told. */
  let followed: Place | null = null
  let walk: { cursor: string; startedMs: number } | null = null
  let wholeUntilMs: number | null = null

  function forget(): void {
    live.clear()
    walk = null
    wholeUntilMs = null
  }

  async function readAgain(redisKeys: readonly string[]): Promise<void> {
    const found = await reader.understand(redisKeys, { kind: 'live' })
    for (const redisKey of redisKeys) live.delete(redisKey)
    for (const [redisKey, each] of found) {
      if (each.kind === 'live') live.set(redisKey, { lease: each.lease })
      if (each.kind === 'unreadable') live.set(redisKey, { row: each.row })
    }
  }

  /** Goes on with a walk for as long as a call may take. */
  async function advance(nowMs: number): Promise<void> {
    const isDue = wholeUntilMs === null || (followed === null && wholeUntilMs + config.walkEveryMs <= nowMs)
    if (walk === null && isDue) walk = { cursor: '0', startedMs: nowMs }
    const until = reader.clock.now().getTime() + config.walkCallMs
    while (walk !== null) {
      const { cursor } = walk
      walk.cursor = await reader.use((client) => walkStep(client, cursor, readAgain, reader))
      if (walk.cursor === '0') {
        wholeUntilMs = walk.startedMs
        walk = null
      }
      if (reader.clock.now().getTime() >= until) return
    }
  }

  async function read(limit: number): Promise<LeasePage> {
    const place = await reader.changes.begin()
    const { nowMs, server, behind } = await reader.look()
    if (place?.session !== followed?.session || server.runId !== runId) {
      forget()
      followed = place
      runId = server.runId
    }
    await advance(nowMs)
    if (followed === null) await readAgain([...live.keys()])
    else {
      const told = await reader.changes.since(followed)
      if (told === null) {
        forget()
        return page(nowMs, limit, 'the connection was lost: the store is walked through again')
      }
      await readAgain(told.names)
      followed = told.next
    }
    const first = 'the first walk through the store since it was connected is not at its end'
    return page(nowMs, limit, wholeUntilMs === null ? first : behind)
  }

  function page(nowMs: number, limit: number, unread: string | null): LeasePage {
    const all = [...live.values()]
    const leases = all
      .flatMap((each) => ('lease' in each ? [each.lease] : []))
      .filter(({ fence }) => Number(fence) > nowMs)
      .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
    return {
      now: new Date(nowMs),
      leases: leases.slice(0, limit),
      truncated: leases.length > limit || unread !== null,
      unreadable: all.flatMap((each) => ('row' in each ? [each.row] : [])),
      ...(unread === null ? {} : { unread, wholeUntil: null }),
      // Where nothing is told of changes, what was taken since the last walk is not known.
      ...(unread === null && followed === null && wholeUntilMs !== null
        ? { wholeUntil: new Date(wholeUntilMs) }
        : {}),
    }
  }

  // Two readings at once would take turns with one walk.
  let turn: Promise<unknown> = Promise.resolve()
  return (limit: number): Promise<LeasePage> => {
    const mine = turn.then(() => read(limit))
    turn = mine.catch(() => undefined)
    return mine
  }
}

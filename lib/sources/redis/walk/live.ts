import type { LeasePage, LeaseRow, UnreadableRow } from '../../contracts'
import type { Place } from './changes'
import type { Reader } from './reader'
import { walkStep } from './walk-step'

type Found = { lease: LeaseRow } | { row: UnreadableRow }

/** It goes on between readings, a step at a time. `failed`: what ended it before its end. */
type Walk = { ended: Promise<void>; failed: unknown }

/**
 * Keys in progress, as far as they are known: by a walk through the keyspace, and from then on by what is told to have
 * changed, or by another walk. Whatever was lost in between begins again, and proves nothing absent meanwhile.
 */
export function openLive(reader: Reader) {
  const { config } = reader
  let live = new Map<string, Found>()
  let runId = ''
  /** Up to where what is told of changes was followed; null = nothing is told. */
  let followed: Place | null = null
  let walk: Walk | null = null
  let wholeUntilMs: number | null = null

  function forget(): void {
    // A step that is under way still writes into the map that it began with.
    live = new Map()
    walk = null
    wholeUntilMs = null
  }

  async function readAgain(into: Map<string, Found>, redisKeys: readonly string[]): Promise<void> {
    const found = await reader.understand(redisKeys, { kind: 'live' })
    for (const redisKey of redisKeys) into.delete(redisKey)
    for (const [redisKey, each] of found) {
      if (each.kind === 'live') into.set(redisKey, { lease: each.lease })
      if (each.kind === 'unreadable') into.set(redisKey, { row: each.row })
    }
  }

  // One at a time changes what is known: an older reading never replaces a newer one.
  let turn: Promise<unknown> = Promise.resolve()
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
  }

  function begin(startedMs: number): Walk {
    const into = live
    const begun: Walk = { ended: Promise.resolve(), failed: null }
    const isOurs = () => walk === begun
    async function run(): Promise<void> {
      for (let cursor: string | null = null; cursor !== '0' && isOurs(); ) {
        const from: string = cursor ?? '0'
        const { next, pauseMs } = await inTurn(() =>
          reader.use((client) => walkStep(client, from, (redisKeys) => readAgain(into, redisKeys), reader)),
        )
        cursor = next
        if (next !== '0') await reader.pause(pauseMs)
      }
      if (!isOurs()) return
      wholeUntilMs = startedMs
      walk = null
    }
    walk = begun
    begun.ended = run().catch((error: unknown) => {
      begun.failed = error
    })
    return begun
  }

  async function advance(nowMs: number): Promise<void> {
    // One that ended between readings begins again.
    if (walk !== null && walk.failed !== null) forget()
    const isDue = wholeUntilMs === null || (followed === null && wholeUntilMs + config.walkEveryMs <= nowMs)
    if (walk === null && !isDue) return
    const current = walk ?? begin(nowMs)
    await within(config.walkCallMs, current.ended)
    if (current.failed === null) return
    forget()
    throw current.failed
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
    return inTurn(async () => {
      if (followed === null) await readAgain(live, [...live.keys()])
      else {
        const told = await reader.changes.since(followed)
        if (told === null) {
          forget()
          return page(nowMs, limit, 'the connection was lost: the store is walked through again')
        }
        await readAgain(live, told.names)
        followed = told.next
      }
      const first = 'the first walk through the store since it was connected is not at its end'
      return page(nowMs, limit, wholeUntilMs === null ? first : behind)
    })
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

  // One reading at a time: two would begin two walks.
  let reading: Promise<unknown> = Promise.resolve()
  return {
    read(limit: number): Promise<LeasePage> {
      const mine = reading.then(() => read(limit))
      reading = mine.catch(() => undefined)
      return mine
    },
    close: forget,
  }
}

/** Waits for its end, so long at most. */
async function within(ms: number, ended: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([ended, late])
  clearTimeout(timer)
}

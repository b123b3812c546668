import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { SourceUnavailableError } from '../../contracts'
import { connectClient, unavailable } from '../connection'

/** The last names are kept, for readers that are at different places; for one that is further behind a walk is cheaper. */
const NAMES_MAX = 50_000

/** A place in what is told: of one session, which ends with its connections. */
export type Place = { session: string; at: number }

/** Names of keys as they change (`CLIENT TRACKING … BCAST`), from when it began until a connection is lost. */
export type Changes = {
  /** Begins, or goes on: the place of what comes next. Null = the server does not tell, or the user may not ask. */
  begin(): Promise<Place | null>
  /** What changed between a place and this call, all of it or the first `max`; null = some of it was lost. */
  since(place: Place, max?: number): Promise<{ names: string[]; next: Place; more: boolean } | null>
  close(): void
}

type Session = { id: string; clients: Redis[]; names: string[]; dropped: number; lost: boolean }

/** `isOurs`: which names are kept, where others have the prefix as well. */
export function openChanges(
  url: string,
  prefix: string,
  { isOurs = () => true, ...options }: { commandTimeoutMs: number; isOurs?: (name: string) => boolean },
): Changes {
  let session: Session | null = null
  // Without a prefix it would be told of everybody's keys.
  let refused = prefix === ''

  async function start(): Promise<Session> {
    const begun: Session = { id: randomUUID(), clients: [], names: [], dropped: 0, lost: false }
    const connect = async (name: string): Promise<Redis> => {
      const client = await connectClient(url, { ...options, name }, () => {
        begun.lost = true
      })
      begun.clients.push(client)
      return client
    }
    try {
      const listener = await connect('idemscope-changes')
      const id = await listener.client('ID')
      listener.on('messageBuffer', (_channel: unknown, message: unknown) => note(begun, message, isOurs))
      await listener.subscribe('__redis__:invalidate')
      const tracker = await connect('idemscope-tracking')
      await tracker.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(id), 'BCAST', 'PREFIX', prefix)
      return begun
    } catch (error) {
      end(begun)
      throw unavailable(error)
    }
  }

  return {
    async begin() {
      if (refused) return null
      if (session !== null && !session.lost) return endOf(session)
      if (session !== null) end(session)
      session = null
      try {
        session = await start()
        return endOf(session)
      } catch (error) {
        // An old server, or a user without the right: the store is walked instead.
        if (!(error instanceof SourceUnavailableError) || !error.refused) throw error
        refused = true
        return null
      }
    },
    async since(place, max = Number.POSITIVE_INFINITY) {
      const told = session
      if (told === null) return null
      try {
        // What was written before the first ping is told before the answer to the second: it goes out at the end of a turn.
        for (const client of [...told.clients, ...told.clients]) await client.ping()
      } catch {
        told.lost = true
      }
      if (told.lost || told.id !== place.session || place.at < told.dropped) return null
      const from = place.at - told.dropped
      const names = told.names.slice(from, from + max)
      const next = { session: told.id, at: place.at + names.length }
      return { names: [...new Set(names)], next, more: next.at < endOf(told).at }
    },
    close() {
      if (session !== null) end(session)
      session = null
    },
  }
}

const endOf = ({ id, dropped, names }: Session): Place => ({ session: id, at: dropped + names.length })

function note(session: Session, message: unknown, isOurs: (name: string) => boolean): void {
  // FLUSHALL and FLUSHDB name no keys.
  if (!Array.isArray(message)) session.lost = true
  else session.names.push(...message.map(String).filter(isOurs))
  if (session.names.length <= 2 * NAMES_MAX) return
  session.dropped += session.names.length - NAMES_MAX
  session.names = session.names.slice(-NAMES_MAX)
}

function end(session: Session): void {
  session.lost = true
  session.names = []
  for (const client of session.clients) client.disconnect()
}

import type pg from 'pg'
import { z } from 'zod'
import type { Tx } from '@/lib/db'

/** The channel of PostgreSQL that the console's live stream listens to. */
export const LIVE_CHANNEL = 'idemscope'

export const LIVE_KINDS = [
  'telemetry',
  'effects',
  'locks',
  'action',
  'case',
  'run',
  'conditions',
  'incident',
  'messages',
  'kill_switch',
] as const

export const liveEventSchema = z.object({
  kind: z.enum(LIVE_KINDS),
  id: z.string().max(128).optional(),
})
/** Something changed: what kind of thing, and which one. It carries no data; readers read. */
export type LiveEvent = z.infer<typeof liveEventSchema>

/** Announces a change to every open page: inside a transaction when it commits, on a pool at once. */
export async function notify(to: Tx | Pick<pg.Pool, 'query'>, event: LiveEvent): Promise<void> {
  const [channel, payload] = notification(event)
  if ('$executeRaw' in to) await to.$executeRaw`SELECT pg_notify(${channel}, ${payload})`
  else await to.query('SELECT pg_notify($1, $2)', [channel, payload])
}

/** The two parameters of pg_notify, for a statement that announces its own change. */
export const notification = (event: LiveEvent): [channel: string, payload: string] => [
  LIVE_CHANNEL,
  JSON.stringify(event),
]

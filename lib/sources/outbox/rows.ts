import { z } from 'zod'
import type { MessageRow, MessageState } from '../contracts'

const STATES: Record<string, MessageState> = {
  P: 'pending',
  R: 'retrying',
  W: 'waiting',
  S: 'sent',
  D: 'dead',
  X: 'discarded',
}

/** Of `idem_outbox o`: all but the payload. */
export const COLUMNS = `
  o.id, o.topic, o.key, o.type, o.state::text AS state, o.created_at, o.settled_at, o.attempts, o.error, o.headers,
  octet_length(o.payload) AS size, idem_outbox_version(o) AS version, o.settled_at::text AS settled_text`

const rowSchema = z.object({
  id: z.string(),
  topic: z.string(),
  key: z.string().nullable(),
  type: z.string(),
  state: z.string(),
  created_at: z.date(),
  settled_at: z.date().nullable(),
  attempts: z.int(),
  error: z.string().nullable(),
  headers: z.record(z.string(), z.coerce.string()),
  size: z.int(),
  version: z.string(),
  settled_text: z.string().nullable(),
})

/** With its microseconds, for the position of the next page. */
export type ReadMessage = MessageRow & { settledText: string | null }

export function toMessage(raw: Record<string, unknown>): ReadMessage {
  const row = rowSchema.parse(raw)
  const [, traceId = null] = /^00-([0-9a-f]{32})-/.exec(row.headers.traceparent ?? '') ?? []
  return {
    id: row.id,
    topic: row.topic,
    key: row.key,
    type: row.type,
    state: z.enum(Object.values(STATES)).parse(STATES[row.state]),
    publishedAt: row.created_at,
    settledAt: row.settled_at,
    attempts: row.attempts,
    error: row.error,
    group: null,
    traceId,
    headers: row.headers,
    sizeBytes: row.size,
    actionId: row.headers['idemscope-action'] ?? null,
    seen: { place: row.id, version: row.version },
    settledText: row.settled_text,
  }
}

import { z } from 'zod'
import { MESSAGE_STATES, type MessageRow } from '../contracts'
import type { MappedOutboxConfig } from './config'

const text = z.string().nullable()
const rowSchema = z.object({
  id: z.string(),
  version: z.string(),
  message_id: text,
  topic: z.string(),
  key: text,
  type: text,
  group: text,
  state: z.enum(MESSAGE_STATES),
  created_at: z.date().nullable(),
  settled_at: z.date().nullable(),
  attempts: text,
  error: text,
  action_id: text,
  headers: text,
  size: z.int(),
})

export function toMessage(raw: Record<string, unknown>, config: MappedOutboxConfig): MessageRow {
  const row = rowSchema.parse(raw)
  const headers = readHeaders(row.headers, config.headers?.member)
  const { messageId, errorHeader } = config
  const [, traceId = null] = /^00-([0-9a-f]{32})-/.exec(headers.traceparent ?? '') ?? []
  return {
    id: messageId && 'header' in messageId ? (headers[messageId.header] ?? null) : row.message_id,
    topic: row.topic,
    key: row.key,
    type: row.type,
    state: row.state,
    publishedAt: row.created_at,
    settledAt: row.settled_at,
    attempts: Number(row.attempts ?? 0) || 0,
    error: row.error ?? (errorHeader === undefined ? null : (headers[errorHeader] ?? null)),
    group: row.group,
    traceId,
    headers,
    sizeBytes: row.size,
    actionId: row.action_id,
    seen: { place: row.id, version: row.version },
  }
}

/** Anybody may have written them: what is no object of texts is none. */
function readHeaders(text: string | null, member: string | undefined): Record<string, string> {
  try {
    const whole: unknown = JSON.parse(text ?? '{}')
    const found = member === undefined ? whole : (whole as Record<string, unknown> | null)?.[member]
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return {}
    return Object.fromEntries(
      Object.entries(found).flatMap(([name, value]) =>
        value === null ? [] : [[name, typeof value === 'string' ? value : JSON.stringify(value)]],
      ),
    )
  } catch {
    return {}
  }
}

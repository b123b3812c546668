import { createHash } from 'node:crypto'
import { canonicalJson } from '@/lib/core/canonical-json'

/** An entry's row, as every statement here selects it. */
export type SealableEntry = {
  id: string
  at: Date
  actor: string
  actor_id: string | null
  via: string
  verb: string
  subject: string
  outcome: string
  reason: string | null
  before: unknown
  after: unknown
  request_id: string | null
}

export const ENTRY_COLUMNS =
  'e.id::text, e.at, e.actor, e.actor_id, e.via, e.verb, e.subject, e.outcome, e.reason, e.before, e.after, e.request_id'

/** The chain's beginning. */
export const GENESIS = Buffer.alloc(32)

/** What is hashed of an entry: the form in which an export has it. */
export const entryContent = (entry: SealableEntry) => ({
  id: entry.id,
  at: entry.at,
  actor: entry.actor,
  actorId: entry.actor_id,
  via: entry.via,
  verb: entry.verb,
  subject: entry.subject,
  outcome: entry.outcome,
  reason: entry.reason,
  before: entry.before,
  after: entry.after,
  requestId: entry.request_id,
})

/** sha256(previous hash ‖ canonical JSON of the entry's content). */
export const contentHash = (previous: Buffer, content: unknown): Buffer =>
  createHash('sha256').update(previous).update(canonicalJson(content)).digest()

export const entryHash = (previous: Buffer, entry: SealableEntry): Buffer =>
  contentHash(previous, entryContent(entry))

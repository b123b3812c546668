import pg from 'pg'
import type { SourceFault } from './contracts'

/** SQLSTATEs, whole or by class, and what they say of the source. The first that matches. */
const BY_STATE: readonly [RegExp, SourceFault][] = [
  [/^57014$/, 'slow'],
  [/^25006$/, 'read_only'],
  [/^(42P01|42703|42883|42704|3F000|42804|22P02|42601)$/, 'schema_changed'],
  [/^42501$/, 'permission'],
  [/^(28...|3D000)$/, 'credentials'],
  [/^(53...|55P03)$/, 'overloaded'],
  [/^(08...|57P0.|58...|XX...)$/, 'down'],
]

const SAID: Record<SourceFault, string> = {
  down: 'It cannot be reached',
  slow: 'It is slow: the statement was cancelled at its timeout',
  read_only: 'It is read-only: a standby, or switched so',
  schema_changed: 'Its tables are not as they were when it was connected',
  permission: 'The role lacks a permission',
  credentials: 'It refuses the credentials',
  overloaded: 'It has no room: too many connections, or a lock is held',
  other: 'It answers with an error',
}

/** Says what is wrong, in words that tell the cases apart, and whether the server refused the statement whole. */
export function describeFault(cause: unknown): { fault: SourceFault; message: string; refused: boolean } {
  const fault = faultOf(cause)
  const detail = cause instanceof Error ? cause.message || cause.name : 'the query failed'
  // A server that answered with an error has rolled the statement back; one that went away has said nothing.
  const refused = cause instanceof pg.DatabaseError && fault !== 'down'
  return { fault, message: `${SAID[fault]}: ${detail}`, refused }
}

function faultOf(cause: unknown): SourceFault {
  if (cause instanceof pg.DatabaseError) {
    const state = cause.code ?? ''
    return BY_STATE.find(([pattern]) => pattern.test(state))?.[1] ?? 'other'
  }
  const message = cause instanceof Error ? cause.message : ''
  if (/timeout exceeded when trying to connect/i.test(message)) return 'down'
  if (/timeout/i.test(message)) return 'slow'
  return 'down'
}

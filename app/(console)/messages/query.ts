import { createLoader, parseAsString } from 'nuqs/server'
import { given } from '@/lib/core/given'
import type { DeadFilter } from '@/lib/messages/read/dead-letters'

export const loadQuery = createLoader({
  source: parseAsString,
  topic: parseAsString,
  /** The group of dead messages that is looked into. */
  cause: parseAsString,
  cursor: parseAsString,
})
export type Query = Awaited<ReturnType<typeof loadQuery>>

export const toFilter = ({ source, topic, cause }: Query): DeadFilter =>
  given({ source, topic, fingerprint: cause })

import { createLoader, parseAsString, parseAsStringLiteral } from 'nuqs/server'
import { KEY_STATES } from '@/lib/core/states'
import type { KeyFilter } from '@/lib/keys/list-keys'

/** Fewer characters name a key, not how one begins. */
const PREFIX_LENGTH_MIN = 3

export const loadQuery = createLoader({
  key: parseAsString,
  state: parseAsStringLiteral(KEY_STATES),
  scope: parseAsString,
  source: parseAsString,
  reference: parseAsString,
  trace: parseAsString,
  effect: parseAsString,
  cursor: parseAsString,
})
export type Query = Awaited<ReturnType<typeof loadQuery>>

export function toFilter(query: Query): KeyFilter {
  const text = (value: string | null): string | undefined => value?.trim() || undefined
  const key = text(query.key)?.replace(/^"(.*)"$/, '$1')
  return {
    ...(key === undefined ? {} : key.length < PREFIX_LENGTH_MIN ? { key } : { prefix: key }),
    state: query.state ?? undefined,
    scope: text(query.scope),
    source: text(query.source),
    reference: text(query.reference),
    traceId: text(query.trace),
    providerRef: text(query.effect),
  }
}

export const isFiltered = ({ cursor: _, ...filters }: Query): boolean =>
  Object.values(filters).some((value) => value !== null)

import { createLoader, createSerializer, parseAsString, parseAsStringLiteral } from 'nuqs/server'

// Which collections are looked at, in the URL.

export const COLLECTIONS_BY = ['all', 'people'] as const

const parsers = {
  by: parseAsStringLiteral(COLLECTIONS_BY).withDefault('all'),
  cursor: parseAsString,
}
export const loadStorage = createLoader(parsers)
export const writeStorage = createSerializer(parsers)
export type StorageQuery = Awaited<ReturnType<typeof loadStorage>>

import { canonicalJson } from './canonical-json'

export type JsonObject = { [name: string]: JsonValue }
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject

/** Plain JSON of any value, for a json column: bigint becomes a decimal string, a date RFC 3339; undefined goes. */
export const toJsonValue = (value: unknown): JsonValue =>
  JSON.parse(canonicalJson(value ?? null)) as JsonValue

export const toJsonObject = (value: Record<string, unknown>): JsonObject => toJsonValue(value) as JsonObject

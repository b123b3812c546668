import { z } from 'zod'
import { AppError } from './errors'

/** Cursor pagination, shared by every list: `limit` 1–200 (default 50), an opaque `cursor`. */
export const pageSchema = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
})
export type PageInput = { limit: number; cursor?: string | undefined }
export type Page<T> = { items: T[]; next: string | null }

/** A cursor is the last row's sort key, as JSON in base64url. */
export const encodeCursor = (sortKey: readonly (string | number)[]): string =>
  base64url(JSON.stringify(sortKey))

/** Throws `invalid` on a cursor that this list did not hand out. */
export function decodeCursor<T extends readonly [z.ZodType, ...z.ZodType[]]>(
  cursor: string,
  shape: z.ZodTuple<T>,
): z.infer<z.ZodTuple<T>> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.from(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0)),
    )
    return shape.parse(JSON.parse(text))
  } catch (cause) {
    throw new AppError('invalid', 'The cursor is not one of this list: start again without it.', { cause })
  }
}

/** Cuts a list that was read with `limit + 1` rows into a page. */
export function toPage<T>(
  rows: T[],
  limit: number,
  sortKey: (row: T) => readonly (string | number)[],
): Page<T> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? encodeCursor(sortKey(last)) : null }
}

function base64url(text: string): string {
  const bytes = new TextEncoder().encode(text)
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

import { z } from 'zod'
import { SourceUnavailableError } from './fault'

/**
 * A row that is there and cannot be understood, with whatever of it could be read. It proves neither presence nor
 * absence: its key is neither finished nor free.
 */
export type UnreadableRow = {
  /** Names it in its source, where scope and key do not. */
  place: string
  scope: string | null
  key: string | null
  /** As the source has it. */
  createdAtText: string | null
  reason: string
}

/** Reads a row; what cannot be understood is set apart instead of stopping what is read beside it. */
export function understand<T>(read: () => T, remnant: Omit<UnreadableRow, 'reason'>): T | UnreadableRow {
  try {
    return read()
  } catch (error) {
    if (error instanceof z.ZodError) {
      const [issue] = error.issues
      const field = issue?.path.join('.') ?? ''
      return { ...remnant, reason: `${field}: ${issue?.message ?? error.message}` }
    }
    if (error instanceof SyntaxError || error instanceof RangeError)
      return { ...remnant, reason: error.message }
    throw error
  }
}

export const isUnreadable = <T extends object>(row: T | UnreadableRow): row is UnreadableRow =>
  'reason' in row && 'place' in row

/** Those that were understood, and those that were not. */
export function setApart<T extends object>(rows: readonly (T | UnreadableRow)[]) {
  const read: T[] = []
  const unreadable: UnreadableRow[] = []
  for (const row of rows) {
    if (isUnreadable(row)) unreadable.push(row)
    else read.push(row)
  }
  return { read, unreadable }
}

/** A row that was asked for by its key, is there, and cannot be understood. `now`: the store's clock. */
export class UnreadableKeyError extends SourceUnavailableError {
  constructor(
    readonly row: UnreadableRow,
    readonly now: Date,
  ) {
    super(`The row of this key cannot be understood: ${row.reason}`)
    this.name = 'UnreadableKeyError'
  }
}

/** One bounded read. `cursor` continues it; `null` = read to the end. */
export type PageOf<T> = { items: T[]; next: string | null }

/** From is included, to is not. */
export type TimeRange = { from: Date; to: Date }

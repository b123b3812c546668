// What a cell of the comparison says.

export type Cell =
  | { kind: 'text'; text: string; strong?: boolean }
  | { kind: 'ids'; ids: string[]; note?: string }
  | { kind: 'times'; at: string[] }
  /** This side does not carry the field. */
  | { kind: 'not_carried' }
  /** It carries it, and has nothing. */
  | { kind: 'nothing' }
  /** There is no such source. */
  | { kind: 'no_source' }

export const distinct = (values: readonly (string | null)[]): string[] => [
  ...new Set(values.filter((value) => value !== null)),
]
export const sameSet = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((value) => right.includes(value))

export const idsCell = (ids: string[], note?: string): Cell =>
  ids.length === 0 ? { kind: 'nothing' } : { kind: 'ids', ids, ...(note === undefined ? {} : { note }) }

export const textCell = (texts: readonly string[], strong = false): Cell =>
  texts.length === 0
    ? { kind: 'nothing' }
    : { kind: 'text', text: countAlike(texts), ...(strong ? { strong } : {}) }

/** "completed, answered 201" twice reads "2 × completed, answered 201". */
function countAlike(texts: readonly string[]): string {
  return distinct(texts)
    .map((text) => {
      const count = texts.filter((each) => each === text).length
      return count === 1 ? text : `${count} × ${text}`
    })
    .join('; ')
}

/** 1 posting, 2 charges succeeded */
export function tally<T>(items: readonly T[], words: (item: T) => string): string[] {
  const texts = items.map(words)
  return distinct(texts).map((text) => {
    const count = texts.filter((each) => each === text).length
    return `${count} ${count === 1 ? text : text.replace(/^(\w+)/, '$1s')}`
  })
}

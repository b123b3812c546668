/** Of users or of sources, by their ids. */
export type Names = ReadonlyMap<string, string>

/** The id itself, of what is not known any more. */
export const nameIn = (names: Names, id: string): string => names.get(id) ?? id

export const namesOf = (items: readonly { id: string; name: string }[]): Names =>
  new Map(items.map(({ id, name }) => [id, name]))

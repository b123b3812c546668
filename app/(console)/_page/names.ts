import type { RunView } from '@/lib/runs/read'

/** Of users or of sources, by their ids. */
export type Names = ReadonlyMap<string, string>

/** The id itself, of what is not known any more. */
export const nameIn = (names: Names, id: string): string => names.get(id) ?? id

export const namesOf = (items: readonly { id: string; name: string }[]): Names =>
  new Map(items.map(({ id, name }) => [id, name]))

export const bySchedule = ({ requestedBy }: RunView): boolean => requestedBy.startsWith('system:')

export const byWhom = (run: RunView, people: Names): string =>
  bySchedule(run) ? 'by schedule' : `by ${nameIn(people, run.requestedBy)}`

export const isActive = ({ state }: RunView): boolean => state === 'running' || state === 'queued'

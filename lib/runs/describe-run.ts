import { z } from 'zod'
import { countText, plural } from '@/lib/core/format-figure'
import { type Names, nameIn } from '@/lib/core/names'
import { MESSAGE_ACTION_KINDS, type RunKind, type RunState } from '@/lib/core/states'
import type { RunView } from './read'

/** What a person wants to know of; the other jobs run every few seconds and say nothing. */
export const PEOPLES_RUNS: readonly RunKind[] = ['reconciliation', 'collection', 'bulk']
const KIND_LABEL: Partial<Record<RunKind, string>> = {
  reconciliation: 'Reconciliation',
  collection: 'Collection of expired keys',
  bulk: 'Bulk action',
}

export const RUN_STATE_LABEL: Record<RunState, string> = {
  queued: 'Waiting for a worker',
  running: 'Running',
  done: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
}

/** Reconciliation, dry run */
export function runText(run: RunView): string {
  const name = KIND_LABEL[run.kind] ?? run.kind
  return run.dryRun ? `${name}, dry run` : name
}

export const isActive = ({ state }: RunView): boolean => state === 'running' || state === 'queued'

/** How it stands, or how it ended: breaks → "12 breaks in 90 compared", collected → "Collected, 1,204 keys". */
export function runState(run: RunView): string {
  if (run.state === 'failed') return `Failed: ${run.error ?? 'see its log'}`
  const outcome =
    isActive(run) || run.outcome === null ? RUN_STATE_LABEL[run.state] : outcomeText(run.outcome)
  if (isActive(run)) return outcome
  if (run.kind === 'collection') {
    const rows = field(run.counts, 'rows')
    return rows === null ? outcome : `${outcome}, ${countText(rows)} keys`
  }
  if (run.kind !== 'reconciliation') return outcome
  const systems = Object.values(run.counts ?? {})
  const sum = (name: string) =>
    systems.reduce((total: number, each) => total + Number(field(each, name) ?? 0), 0)
  return run.outcome === 'breaks'
    ? `${plural(sum('breaks'), 'break')} in ${countText(sum('compared'))} compared`
    : `${outcome}, ${countText(sum('compared'))} compared`
}

/** dry_run → Dry run */
const outcomeText = (outcome: string): string =>
  (outcome.charAt(0).toUpperCase() + outcome.slice(1)).replaceAll('_', ' ')

/** A count of a run's free-form counts. */
function field(counts: unknown, name: string): string | number | null {
  if (counts === null || typeof counts !== 'object' || !(name in counts)) return null
  const value = (counts as Record<string, unknown>)[name]
  return typeof value === 'number' || typeof value === 'string' ? value : null
}

export const bySchedule = ({ requestedBy }: RunView): boolean => requestedBy.startsWith('system:')

export const byWhom = (run: RunView, people: Names): string =>
  bySchedule(run) ? 'by schedule' : `by ${nameIn(people, run.requestedBy)}`

const PAGE: Partial<Record<RunKind, (run: Pick<RunView, 'id' | 'params'>) => string>> = {
  reconciliation: ({ id }) => `/reconciliation/runs/${id}`,
  collection: ({ id }) => `/storage/runs/${id}`,
  bulk: ({ params }) => (ofMessages.safeParse(params).success ? '/messages' : '/locks'),
}
const ofMessages = z.object({ verb: z.enum(MESSAGE_ACTION_KINDS) })

/** The console's page on which a run is told in full; null = its kind has none. */
export const runPage = (run: Pick<RunView, 'kind' | 'id' | 'params'>): string | null =>
  PAGE[run.kind]?.(run) ?? null

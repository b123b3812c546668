import { countText, plural } from '@/app/_ui/format-figure'
import { listUsers } from '@/lib/access/users'
import { listActions } from '@/lib/actions/read'
import type { ActionView } from '@/lib/actions/view'
import { formatMoney } from '@/lib/core/money'
import type { ActionKind, ActionState, RunKind } from '@/lib/core/states'
import type { Db } from '@/lib/db'
import { listRuns, type RunView } from '@/lib/runs/read'
import type { Deploy } from '@/lib/telemetry/read/deploys'

export type Activity = {
  id: string
  icon: 'run' | 'collection' | 'action' | 'deploy'
  text: string
  detail: string
  at: string
  /** 0–1 while it runs. */
  progress: number | null
}

export const ACTIVITIES_SHOWN = 5
const READ_MAX = 20
/** What a person wants to know of; the other jobs run every few seconds and say nothing. */
const RUNS: readonly RunKind[] = ['reconciliation', 'collection', 'bulk']

/** What runs now first, then what ended last. Of a job that repeats itself only its last run is shown. */
export async function readActivity(db: Db, deploys: readonly Deploy[]): Promise<Activity[]> {
  const [byPeople, running, reconciled, collected, actions, users] = await Promise.all([
    listRuns(db, { kind: RUNS, byPeople: true }, { limit: READ_MAX }),
    listRuns(db, { kind: RUNS, state: ['running', 'queued'] }, { limit: READ_MAX }),
    listRuns(db, { kind: ['reconciliation'], state: ['done', 'failed'] }, { limit: 1 }),
    listRuns(db, { kind: ['collection'], state: ['done', 'failed'] }, { limit: 1 }),
    listActions(db, {}, { limit: READ_MAX }),
    listUsers(db),
  ])
  const names = new Map(users.map(({ id, name }) => [id, name]))
  const runs = [...running.items, ...byPeople.items, ...reconciled.items, ...collected.items]
  const distinct = [...new Map(runs.map((run) => [run.id, run])).values()]
  return [
    ...distinct.map(fromRun),
    ...actions.items.map((action) => fromAction(action, names)),
    ...deploys.map(fromDeploy),
  ]
    .sort((a, b) => Number(b.progress !== null) - Number(a.progress !== null) || (a.at < b.at ? 1 : -1))
    .slice(0, ACTIVITIES_SHOWN)
}

const RUN_TEXT: Partial<Record<RunKind, string>> = {
  reconciliation: 'Reconciliation',
  collection: 'Collection of expired keys',
  bulk: 'Bulk action',
}

function fromRun(run: RunView): Activity {
  const active = run.state === 'running' || run.state === 'queued'
  const by = run.requestedBy.startsWith('system:') ? 'by schedule' : `by ${run.requestedBy}`
  const name = RUN_TEXT[run.kind] ?? run.kind
  return {
    id: run.id,
    icon: run.kind === 'collection' ? 'collection' : 'run',
    text: run.dryRun ? `${name}, dry run` : name,
    detail: [active ? run.state : ended(run), by].join(', '),
    at: run.finishedAt ?? run.startedAt ?? run.createdAt,
    progress: active ? run.progress : null,
  }
}

/** breaks → "12 breaks", collected → "1,204 keys", failed → what failed. */
function ended(run: RunView): string {
  if (run.state === 'failed') return `failed: ${run.error ?? 'see its log'}`
  const outcome = (run.outcome ?? run.state).replaceAll('_', ' ')
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

/** A count of a run's free-form counts. */
function field(counts: unknown, name: string): string | number | null {
  if (counts === null || typeof counts !== 'object' || !(name in counts)) return null
  const value = (counts as Record<string, unknown>)[name]
  return typeof value === 'number' || typeof value === 'string' ? value : null
}

const ACTION_TEXT: Record<ActionKind, string> = {
  release: 'Release of a lock',
  complete: 'Completion of a key',
  fail: 'Final failure of a key',
  refund: 'Refund',
  book_ledger: 'Booking of a charge',
  book_refund: 'Booking of a refund',
  reverse_ledger: 'Reversal of a booking',
  adopt: 'Adoption of a charge',
  ignore: 'Case ignored',
}

const STATE_TEXT: Record<ActionState, string> = {
  proposed: 'waits for approval',
  approved: 'approved',
  executing: 'executing',
  unknown: 'outcome unknown',
  done: 'done',
  refused: 'refused',
  failed: 'failed',
  rejected: 'rejected',
  expired: 'approval expired',
}

function fromAction(action: ActionView, names: ReadonlyMap<string, string>): Activity {
  const amount =
    action.amount === null
      ? ''
      : ` of ${formatMoney({ minor: BigInt(action.amount.minor), currency: action.amount.currency })}`
  const person = action.proposer === null ? '' : (names.get(action.proposer) ?? action.proposer)
  return {
    id: action.id,
    icon: 'action',
    text: `${ACTION_TEXT[action.kind as ActionKind]}${amount}, ${STATE_TEXT[action.state as ActionState]}`,
    detail: [person, `“${action.reason}”`].filter((part) => part !== '').join(', '),
    at: action.finishedAt ?? action.createdAt,
    progress: null,
  }
}

const fromDeploy = ({ service, version, environment, at }: Deploy): Activity => ({
  id: `${service} ${version} ${environment}`,
  icon: 'deploy',
  text: `${service} ${version} deployed`,
  detail: environment,
  at: at.toISOString(),
  progress: null,
})

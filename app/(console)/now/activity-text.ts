import type { ActionView } from '@/lib/actions/view'
import { countText, plural } from '@/lib/core/format-figure'
import { formatMoney } from '@/lib/core/money'
import type { ActionState, ALL_ACTION_KINDS, RunKind } from '@/lib/core/states'
import type { RunView } from '@/lib/runs/read'
import { isActive } from '../_page/names'

/** What a person wants to know of; the other jobs run every few seconds and say nothing. */
export const PEOPLES_RUNS: readonly RunKind[] = ['reconciliation', 'collection', 'bulk']
const RUN_TEXT: Partial<Record<RunKind, string>> = {
  reconciliation: 'Reconciliation',
  collection: 'Collection of expired keys',
  bulk: 'Bulk action',
}

/** breaks → "12 breaks", collected → "1,204 keys", failed → what failed. */
function endedText(run: RunView): string {
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

const ACTION_TEXT: Record<(typeof ALL_ACTION_KINDS)[number], string> = {
  retention_policy: 'Change of a retention policy',
  reconciliation_rules: 'Change of what reconciliation tolerates',
  role_raise: 'Raise of a role',
  release: 'Release of a lock',
  complete: 'Completion of a key',
  fail: 'Final failure of a key',
  refund: 'Refund',
  book_ledger: 'Booking of a charge',
  book_refund: 'Booking of a refund',
  book_dispute: 'Booking of a dispute',
  book_fee: 'Booking of a fee',
  reverse_ledger: 'Reversal of a booking',
  adopt: 'Adoption of a charge',
  refresh: 'Fresh look at a case',
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

/** Refund of €89.90, done */
export function actionText(action: ActionView): string {
  const amount =
    action.amount === null
      ? ''
      : ` of ${formatMoney({ minor: BigInt(action.amount.minor), currency: action.amount.currency })}`
  return `${ACTION_TEXT[action.kind as keyof typeof ACTION_TEXT]}${amount}, ${STATE_TEXT[action.state as ActionState]}`
}

/** Reconciliation, dry run */
export function runText(run: RunView): string {
  const name = RUN_TEXT[run.kind] ?? run.kind
  return run.dryRun ? `${name}, dry run` : name
}

/** How it stands, or how it ended. */
export const runState = (run: RunView): string => (isActive(run) ? run.state : endedText(run))

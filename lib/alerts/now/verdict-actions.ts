import { plural } from '@/lib/core/format-figure'
import { pathIn, rangeOf } from '../about'
import { RUNBOOKS } from '../runbooks'
import type { NowData } from './read-now'
import { measureOf } from './verdict'
import { worstOf } from './verdict-sentence'

export type VerdictAction = { label: string; href: string }

const ACTIONS_MAX = 2
const OF_SOURCES = ['store_errors', 'stale_source', 'unread_rows', 'stale_telemetry'] as const

/** Where one goes from the verdict, the most urgent first; the range goes along. */
export function verdictActions(data: NowData): VerdictAction[] {
  const duplicates = Number(measureOf(data, 'M2').numerator ?? 0) + data.unseenDuplicates
  const orphans = Number(measureOf(data, 'M6').detail.open ?? 0)
  const firing = new Set(data.conditions.map(({ kind }) => kind))
  const { all, p1 } = data.openCases
  const offered: (VerdictAction | false)[] = [
    nextStep(data) ?? false,
    duplicates > 0 && { label: `Open ${plural(duplicates, 'effect')}`, href: '/effects?kind=duplicate' },
    OF_SOURCES.some((kind) => firing.has(kind)) && {
      label: 'Open sources',
      href: '/sources',
    },
    firing.has('intent_latency') && { label: 'Open slow traces', href: '/traces' },
    p1 > 0 && { label: `Open ${plural(all, 'case')}`, href: '/reconciliation' },
    data.locks.stuck > 0 && { label: `Open ${plural(data.locks.stuck, 'stuck lock')}`, href: '/locks' },
    orphans > 0 && { label: `Open ${plural(orphans, 'orphan')}`, href: '/effects?kind=orphan' },
  ]
  const shown = offered
    .filter((action) => action !== false)
    // What the next step opens needs no second button.
    .filter(({ href }, place, all) => all.findIndex((other) => pageOf(other) === pageOf({ href })) === place)
    .slice(0, ACTIONS_MAX)
  return [...shown, ...incidentOf(data), ...runbookOf(data)]
}

/** Where the worst of what fires is run. */
function incidentOf({ conditions }: NowData): VerdictAction[] {
  const id = worstOf(conditions).find(({ incidentId }) => incidentId !== null)?.incidentId ?? null
  return id === null ? [] : [{ label: 'Open incident', href: `/incidents/${id}` }]
}

/** What it opens, whatever the range. */
function pageOf({ href }: Pick<VerdictAction, 'href'>): string {
  const { pathname, searchParams } = new URL(href, 'https://console')
  searchParams.delete('from')
  searchParams.delete('to')
  return `${pathname}?${searchParams}`
}

/** Where the first step of the runbook is done that has a page: for duplicates it is the hold. */
function nextStep({ conditions, now }: NowData): VerdictAction | undefined {
  const [alert] = worstOf(conditions)
  if (alert === undefined) return undefined
  const link = RUNBOOKS[alert.kind].steps.find((step) => step.link !== undefined)?.link
  if (link === undefined) return undefined
  return { label: link.label, href: pathIn(link.path, rangeOf({ ...alert, clearedAt: null }, now)) }
}

/** What to do about what fires, the worst first: the alert in its own range. */
function runbookOf({ conditions, now }: NowData): VerdictAction[] {
  const [alert] = worstOf(conditions)
  if (alert === undefined) return []
  return [
    {
      label: 'Runbook',
      href: pathIn(`/alerts?open=${alert.id}`, rangeOf({ ...alert, clearedAt: null }, now)),
    },
  ]
}

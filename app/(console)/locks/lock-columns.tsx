'use client'

import { CircleAlert, CircleHelp, CircleSlash, Hourglass, type LucideIcon, Minus } from 'lucide-react'
import { classNames } from '@/app/_ui/class-names'
import { shortId } from '@/app/_ui/identifier'
import { useNow } from '@/app/_ui/now-clock'
import type { SteadyRow } from '@/app/_ui/steady-rows'
import { type Column, RowLink, secondLineClass, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { ageText, durationText } from '@/lib/core/format-figure'
import { dotted, scopeParts } from '@/lib/core/scope'
import { heartbeatIsAhead, providerSays, TONE_INK, verdictLabels } from './labels'
import type { LockRow } from './read-locks'

/** `longestMs`: how long the oldest of the table is held, the end of each bar's scale. */
export const lockColumns = (open: string | null, longestMs: number): Column<SteadyRow<LockRow>>[] => [
  {
    head: 'Held',
    width: 'w-24',
    cell: ({ item }) => <Held lock={item} longestMs={longestMs} />,
  },
  {
    head: 'Key',
    className: 'max-w-0 w-[34%] max-md:w-full max-md:py-2',
    cell: (row) => {
      const { client, endpoint } = scopeParts(row.item.scope)
      return (
        <>
          <RowLink
            to={{ lock: row.item.id }}
            open={row.item.id === open}
            title={row.item.key}
            className="truncate font-mono text-s"
          >
            {shortId(row.item.key, 16, 4)}
          </RowLink>
          <span className={secondLineClass}>{dotted(endpoint, client)}</span>
          <span className="md:hidden">
            <Verdict row={row} />
          </span>
        </>
      )
    },
  },
  {
    head: 'Holder',
    from: 'lg',
    className: 'max-w-44',
    cell: ({ item }) => (
      <TwoLines below={<HolderLife lock={item} />}>
        <span className="block truncate font-mono text-s" title={item.holder}>
          {shortId(item.holder, 18, 4)}
        </span>
      </TwoLines>
    ),
  },
  {
    head: 'Provider says',
    from: 'md',
    nowrap: true,
    cell: ({ item }) => <ProviderMark answer={item.providerAnswer} />,
  },
  { head: 'Verdict', from: 'md', nowrap: true, cell: (row) => <Verdict row={row} /> },
]

const Verdict = ({ row: { item, gone } }: { row: SteadyRow<LockRow> }) =>
  gone ? <>Ended</> : <VerdictMark lock={item} />

function Held({ lock, longestMs }: { lock: LockRow; longestMs: number }) {
  const acquired = Date.parse(lock.acquiredAt)
  const heldMs = useNow() - acquired
  return (
    <>
      {ageText(heldMs)}
      <LeaseBar heldMs={heldMs} leaseMs={Date.parse(lock.leaseUntil) - acquired} longestMs={longestMs} />
    </>
  )
}

/** Whether somebody still works on it, by the store's own clock when it was checked. */
function HolderLife({ lock }: { lock: LockRow }) {
  const now = useNow()
  switch (lock.state) {
    case 'leased':
      return (
        <>
          {heartbeatIsAhead(lock, now) ? 'heartbeat' : 'alive,'} <Time at={lock.heartbeatAt} kind="ago" />
        </>
      )
    case 'retryable':
      return <>let go</>
    case 'unknown':
      return (
        <>
          end unknown, <Time at={lock.heartbeatAt} kind="age" />
        </>
      )
    default:
      return (
        <>
          gone <Time at={lock.leaseUntil} kind="age" />
        </>
      )
  }
}

const WIDTH = 72
const HEIGHT = 7
/** The lease takes the first half; what is beyond is drawn to a logarithmic scale. */
const LEASE_AT = WIDTH / 2

/** How long a key is held, with the end of its lease marked. */
function LeaseBar({ heldMs, leaseMs, longestMs }: { heldMs: number; leaseMs: number; longestMs: number }) {
  const past = heldMs > leaseMs
  const width = past
    ? LEASE_AT + beyond(heldMs, leaseMs, longestMs)
    : (heldMs / Math.max(1, leaseMs)) * LEASE_AT
  const words = past
    ? `${durationText(heldMs - leaseMs)} past its lease`
    : `its lease runs ${durationText(leaseMs - heldMs)} more`
  return (
    <svg
      role="img"
      aria-label={words}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      className="mt-1 block"
    >
      <title>{words}</title>
      <rect width={WIDTH} height={HEIGHT} rx={2} fill="var(--sunken)" />
      <rect
        width={Math.max(2, width)}
        height={HEIGHT}
        rx={2}
        fill={past ? 'var(--warning)' : 'var(--processing)'}
      />
      <rect x={LEASE_AT - 0.75} width={1.5} height={HEIGHT} fill="var(--ink)" />
    </svg>
  )
}

function beyond(heldMs: number, leaseMs: number, longestMs: number): number {
  const base = Math.max(1, leaseMs)
  const most = Math.log1p(Math.max(longestMs, heldMs) / base)
  const least = Math.log1p(1)
  if (most <= least) return 2
  const share = (Math.log1p(heldMs / base) - least) / (most - least)
  return Math.max(2, Math.min(1, share) * (WIDTH - LEASE_AT))
}

const ANSWER_ICON: Record<LockRow['providerAnswer']['kind'], LucideIcon> = {
  not_asked: Minus,
  no_provider: Minus,
  none: CircleSlash,
  found: CircleAlert,
  possible: CircleAlert,
  not_settled: Hourglass,
  unreachable: CircleHelp,
}

function VerdictMark({ lock }: { lock: LockRow }) {
  const { icon: Icon, row, tone } = verdictLabels(lock, useNow())
  return (
    <span className={classNames('flex items-center gap-1.5 font-medium', TONE_INK[tone])}>
      <Icon size={14} aria-hidden="true" className="shrink-0" /> {row}
    </span>
  )
}

function ProviderMark({ answer }: { answer: LockRow['providerAnswer'] }) {
  const Icon = ANSWER_ICON[answer.kind]
  const { id, text, tone } = providerSays(answer)
  return (
    <span
      className={classNames('flex items-center gap-1.5', TONE_INK[tone], tone !== 'quiet' && 'font-medium')}
    >
      <Icon size={14} aria-hidden="true" className="shrink-0" />
      <span className="min-w-0">
        {id !== undefined && (
          <span className="block truncate font-mono text-s" title={id}>
            {shortId(id, 7, 3)}
          </span>
        )}
        <span className={classNames('block truncate', id !== undefined && 'text-s')}>{text}</span>
      </span>
    </span>
  )
}

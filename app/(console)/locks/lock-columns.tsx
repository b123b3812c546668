'use client'

import { shortId } from '@/app/_ui/identifier'
import { useNow } from '@/app/_ui/now-clock'
import type { SteadyRow } from '@/app/_ui/steady-rows'
import { type Column, RowLink, secondLineClass, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { durationText } from '@/lib/core/format-figure'
import { scopeParts } from '@/lib/core/scope'
import { LeaseBar } from './lease-bar'
import type { LockRow } from './read-locks'
import { ProviderMark, VerdictMark } from './verdict-mark'

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
          <span className={secondLineClass}>
            {endpoint} · {client}
          </span>
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
  gone ? 'Ended' : <VerdictMark lock={item} />

function Held({ lock, longestMs }: { lock: LockRow; longestMs: number }) {
  const acquired = Date.parse(lock.acquiredAt)
  const heldMs = useNow() - acquired
  return (
    <>
      {durationText(heldMs)}
      <LeaseBar heldMs={heldMs} leaseMs={Date.parse(lock.leaseUntil) - acquired} longestMs={longestMs} />
    </>
  )
}

/** Whether somebody still works on it, by the store's own clock when it was checked. */
function HolderLife({ lock }: { lock: LockRow }) {
  switch (lock.state) {
    case 'leased':
      return (
        <>
          alive, <Time at={lock.heartbeatAt} kind="ago" />
        </>
      )
    case 'retryable':
      return 'let go'
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

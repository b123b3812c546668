'use client'

import { classNames } from '@/app/_ui/class-names'
import { durationText } from '@/app/_ui/format-time'
import { scopeParts, shortId } from '@/app/_ui/identifier'
import { useNow } from '@/app/_ui/now-clock'
import { QueryLink } from '@/app/_ui/page-link'
import { cellClass, secondLineClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { LeaseBar } from './lease-bar'
import type { LockRow } from './read-locks'
import { ProviderMark, VerdictMark } from './verdict-mark'

type Props = {
  lock: LockRow
  gone: boolean
  open: boolean
  selected: boolean
  onSelect: () => void
  longestMs: number
}

export function LockLine({ lock, gone, open, selected, onSelect, longestMs }: Props) {
  const { client, endpoint } = scopeParts(lock.scope)
  const heldMs = useNow() - Date.parse(lock.acquiredAt)
  const leaseMs = Date.parse(lock.leaseUntil) - Date.parse(lock.acquiredAt)
  return (
    <tr
      data-row={lock.id}
      className={classNames(
        'relative',
        open ? 'bg-accent-soft' : 'hover:bg-sunken',
        gone && 'text-ink-3 opacity-70',
      )}
    >
      <td className={cellClass('pr-0')}>
        <input
          type="checkbox"
          aria-label={`Select ${lock.key}`}
          checked={selected && !gone}
          disabled={gone}
          onChange={onSelect}
          className="relative z-[1] block size-4 accent-accent-fill max-md:size-5"
        />
      </td>
      <td className={cellClass()}>
        {durationText(heldMs)}
        <LeaseBar heldMs={heldMs} leaseMs={leaseMs} longestMs={longestMs} />
      </td>
      <td className={cellClass('max-w-0 w-[34%] max-md:w-full max-md:py-2')}>
        <QueryLink
          set={{ lock: lock.id }}
          scroll={false}
          data-row-link
          aria-current={open ? 'true' : undefined}
          title={lock.key}
          className="block truncate font-mono text-s after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-accent focus-visible:after:-outline-offset-2"
        >
          {shortId(lock.key, 16, 4)}
        </QueryLink>
        <span className={secondLineClass}>
          {endpoint} · {client}
        </span>
        <span className="md:hidden">{gone ? 'Ended' : <VerdictMark lock={lock} />}</span>
      </td>
      <td className={cellClass('max-lg:hidden max-w-44')}>
        <span className="block truncate font-mono text-s" title={lock.holder}>
          {shortId(lock.holder, 18, 4)}
        </span>
        <span className={secondLineClass}>
          <HolderLife lock={lock} />
        </span>
      </td>
      <td className={cellClass('max-md:hidden whitespace-nowrap')}>
        <ProviderMark answer={lock.providerAnswer} />
      </td>
      <td className={cellClass('whitespace-nowrap max-md:hidden')}>
        {gone ? 'Ended' : <VerdictMark lock={lock} />}
      </td>
    </tr>
  )
}

/** Whether somebody still works on it, by the store's own clock when it was checked. */
function HolderLife({ lock }: { lock: LockRow }) {
  switch (lock.state) {
    case 'leased':
      return (
        <>
          alive, <Time at={lock.heartbeatAt} kind="age" /> ago
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

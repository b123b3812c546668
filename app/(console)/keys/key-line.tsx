import { scopeParts, shortId } from '@/app/_ui/identifier'
import { KeyStateBadge } from '@/app/_ui/key-state'
import { PageLink } from '@/app/_ui/page-link'
import { cellClass, secondLineClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { KeyView } from '@/lib/keys/list-keys'

export function KeyLine({ row }: { row: KeyView }) {
  const { client, endpoint } = scopeParts(row.scope)
  return (
    <tr data-row={row.id} className="relative hover:bg-sunken">
      <td className={cellClass('w-[38%] max-w-0 max-md:w-full')}>
        <PageLink
          href={`/keys/${row.id}`}
          data-row-link
          title={row.key}
          className="block truncate font-mono text-s after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-accent focus-visible:after:-outline-offset-2"
        >
          {shortId(row.key, 30, 4)}
        </PageLink>
        <span className={secondLineClass}>
          {endpoint} · {client}
        </span>
      </td>
      <td className={cellClass()}>
        <KeyStateBadge state={row.state} />
        {row.status !== null && <span className="ml-2 text-ink-3 text-s max-md:hidden">{row.status}</span>}
      </td>
      <td className={cellClass('text-right max-md:hidden')}>{row.attempts ?? '—'}</td>
      <td className={cellClass('max-w-48 truncate font-mono text-s max-md:hidden')}>
        {row.reference ?? '—'}
      </td>
      <td className={cellClass('whitespace-nowrap text-right')}>
        <Time at={row.createdAt} kind="age" />
        <span className="max-md:hidden"> ago</span>
      </td>
      <td className={cellClass('whitespace-nowrap text-right max-lg:hidden')}>
        {row.expiresAt === null ? '—' : <Time at={row.expiresAt} />}
      </td>
    </tr>
  )
}

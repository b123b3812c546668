import { type Column, Table } from '@/app/_ui/table'
import type { LockView } from '@/lib/locks/list-locks'
import { providerSays } from '../labels'

const LINES: { name: string; of: (lock: LockView) => string }[] = [
  { name: 'State', of: ({ state }) => state.replaceAll('_', ' ') },
  { name: 'Fencing token', of: ({ fence }) => fence },
  { name: 'Holder', of: ({ holder }) => holder },
  { name: 'Heartbeat', of: ({ heartbeatAt }) => heartbeatAt.slice(11, 23) },
  {
    name: 'Provider',
    of: ({ providerAnswer }) => {
      const { id, text } = providerSays(providerAnswer)
      return id === undefined ? text : `${id} ${text}`
    },
  },
]

/** A stale version: what the person looked at beside what it is now. */
export function SeenAndNow({ seen, now }: { seen: LockView; now: LockView | null }) {
  if (now === null) return <p className="mt-1 text-s">It is gone.</p>
  const columns: Column<(typeof LINES)[number]>[] = [
    { head: 'Field', shown: null, names: true, width: 'w-24', cell: ({ name }) => name },
    { head: 'You saw', className: 'break-words', cell: ({ of }) => of(seen) },
    {
      head: 'Now',
      className: ({ of }) => (of(seen) === of(now) ? 'break-words text-ink-2' : 'break-words font-semibold'),
      cell: ({ of }) => (of(seen) === of(now) ? 'the same' : of(now)),
    },
  ]
  return (
    <Table
      columns={columns}
      rows={LINES}
      id={({ name }) => name}
      lines={1}
      className="mt-2 table-fixed text-ink text-s"
    />
  )
}

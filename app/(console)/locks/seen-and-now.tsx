import type { LockView } from '@/lib/locks/list-locks'
import { providerSays } from './words'

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
  return (
    <table className="mt-2 w-full table-fixed text-left text-ink text-s">
      <thead className="text-ink-2">
        <tr>
          <td className="w-24" />
          <th scope="col" className="py-1 font-medium">
            You saw
          </th>
          <th scope="col" className="py-1 font-medium">
            Now
          </th>
        </tr>
      </thead>
      <tbody>
        {LINES.map(({ name, of }) => {
          const same = of(seen) === of(now)
          return (
            <tr key={name} className="border-bad-line border-t">
              <th scope="row" className="py-1 pr-2 font-normal text-ink-2">
                {name}
              </th>
              <td className="break-words py-1 pr-2">{of(seen)}</td>
              <td className={same ? 'break-words py-1 text-ink-2' : 'break-words py-1 font-semibold'}>
                {same ? 'the same' : of(now)}
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { plural } from '@/app/_ui/format-figure'
import { moneyText } from '@/app/_ui/money-text'
import { ShortId } from '@/app/_ui/short-id'
import { cellClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { ProviderStatus } from '@/lib/sources/contracts'
import type { KeyPage } from './read-key'

const TONE: Record<ProviderStatus, 'ok' | 'warn' | 'bad' | 'plain'> = {
  succeeded: 'ok',
  pending: 'warn',
  failed: 'plain',
  canceled: 'plain',
  other: 'bad',
}

/** What the provider and the books hold of it, as they were last read. */
export function SidesCard({ page: { detail, ledger, hasProvider } }: { page: KeyPage }) {
  const { providerObjects } = detail
  return (
    <div className="grid gap-3 lg:grid-cols-2">
      <Card id="provider" title="At the provider" aside={plural(providerObjects.length, 'object')}>
        {providerObjects.length === 0 ? (
          <p className="px-4 pb-4 text-ink-2">
            {hasProvider
              ? 'Nothing that was read of the provider carries this key. What was made without a key in its metadata is not shown here.'
              : 'No provider is connected: what was made there is not known.'}
          </p>
        ) : (
          <table className="w-full">
            <tbody>
              {providerObjects.map((object) => (
                <tr key={object.id}>
                  <td className={cellClass()}>
                    <ShortId id={object.id} />
                    <span className="block text-ink-3 text-s">
                      {object.kind}
                      {object.reference !== null && ` · ${object.reference}`}
                    </span>
                  </td>
                  <td className={cellClass()}>
                    <Badge tone={TONE[object.status]}>{object.status}</Badge>
                  </td>
                  <td className={cellClass('text-right')}>
                    {moneyText(object.amount)}
                    <span className="block text-ink-3 text-s">
                      {object.refunded.minor !== '0' ? `${moneyText(object.refunded)} refunded, ` : ''}
                      <Time at={object.createdAt.toISOString()} kind="seconds" />
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Card>
      <Card
        id="ledger"
        title="In the ledger"
        aside={ledger === null ? undefined : plural(ledger.length, 'row')}
      >
        {ledger === null ? (
          <p className="px-4 pb-4 text-ink-2">No ledger is connected: what is booked is not known.</p>
        ) : ledger.length === 0 ? (
          <p className="px-4 pb-4 text-ink-2">No row is booked for it.</p>
        ) : (
          <table className="w-full">
            <tbody>
              {ledger.map((row) => (
                <tr key={row.id}>
                  <td className={cellClass()}>
                    {row.kind} {row.reversed && <Badge tone="warn">reversed</Badge>}
                    <span className="block text-ink-3 text-s">
                      {row.providerRef === null ? (
                        (row.reference ?? row.id)
                      ) : (
                        <ShortId id={row.providerRef} />
                      )}
                    </span>
                  </td>
                  <td className={cellClass('text-right')}>
                    {row.amount === null ? '—' : moneyText(row.amount)}
                    <span className="block text-ink-3 text-s">
                      booked <Time at={row.bookedAt} kind="seconds" />
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Card>
    </div>
  )
}

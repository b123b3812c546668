import { Badge, type BadgeTone } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { Item, Items } from '@/app/_ui/item'
import { PageLink } from '@/app/_ui/page-link'
import type { MessagePage } from './read-message-page'

type State = MessagePage['consumers'][number]['state']

export const STATE: Record<State, { label: string; tone: BadgeTone }> = {
  applied: { label: 'Applied', tone: 'ok' },
  applied_ending: { label: 'Applied, record ends', tone: 'warn' },
  ended: { label: 'Ended without effect', tone: 'plain' },
  never_applied: { label: 'Never applied', tone: 'plain' },
  proved_absent: { label: 'Never applied, by the provider', tone: 'plain' },
  partly: { label: 'Partly done', tone: 'warn' },
  held: { label: 'Held', tone: 'warn' },
  to_retry: { label: 'To be retried', tone: 'plain' },
  in_progress: { label: 'In progress', tone: 'warn' },
  unknown: { label: 'Outcome unknown', tone: 'bad' },
  expired: { label: 'Record gone', tone: 'warn' },
  not_known: { label: 'Not known', tone: 'warn' },
}

const HAS_RECORD: ReadonlySet<State> = new Set([
  'applied',
  'applied_ending',
  'ended',
  'partly',
  'to_retry',
  'in_progress',
  'unknown',
])

/** Whether each consumer has applied it, by its own record. */
export function ConsumersCard({ page: { consumers, message } }: { page: MessagePage }) {
  return (
    <Card id="consumers" title="Consumers" aside="from their own records, read now">
      {consumers.length === 0 && (
        <EmptyState kind="waiting" title={`Nobody has said who consumes ${message.topic}`}>
          Name its consumers, and the store that has their records, in the source’s configuration. Until then
          it is not sent again.
        </EmptyState>
      )}
      <Items>
        {consumers.map(({ group, store, state, text, keyId, named, movesMoney }) => (
          <Item
            key={`${group} ${store}`}
            title={
              <>
                {group}
                <Badge tone={STATE[state].tone}>{STATE[state].label}</Badge>
                {movesMoney && <Badge>Moves money</Badge>}
              </>
            }
            action={
              keyId !== null && HAS_RECORD.has(state) && <PageLink href={`/keys/${keyId}`}>Its key</PageLink>
            }
          >
            {text}{' '}
            <span className="text-ink-3">
              {store}
              {!named && ', seen there; the source does not name it'}
            </span>
          </Item>
        ))}
      </Items>
    </Card>
  )
}

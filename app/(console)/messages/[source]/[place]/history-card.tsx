import { Card } from '@/app/_ui/card'
import { Item, Items } from '@/app/_ui/item'
import { PageLink } from '@/app/_ui/page-link'
import { Time } from '@/app/_ui/time'
import { actionState, actionText } from '@/lib/actions/describe-action'
import { auditOf } from '@/lib/alerts/now/marks'
import { plural } from '@/lib/core/format-figure'
import type { MessagePage } from './read-message-page'

/** From its publication to now, the oldest first. */
export function HistoryCard({ page: { message, actions } }: { page: MessagePage }) {
  const { publishedAt, settledAt, traceId, attempts, state, key } = message
  return (
    <Card id="history" title="What happened">
      <Items>
        <Item title="Published">
          {publishedAt === null ? (
            'when is not known'
          ) : (
            <Time at={publishedAt.toISOString()} kind="seconds" />
          )}
          {key !== null && (
            <>
              {' '}
              · key <span className="break-all font-mono">{key}</span>
            </>
          )}
          {traceId !== null && (
            <>
              {' · '}
              <PageLink href={`/traces/${traceId}`} look="inline">
                its trace
              </PageLink>
            </>
          )}
        </Item>
        {attempts > 0 && <Item title={plural(attempts, 'attempt')}>to hand it to the broker</Item>}
        {settledAt !== null && (
          <Item title={SETTLED[state] ?? 'Settled'}>
            <Time at={settledAt.toISOString()} kind="seconds" />
          </Item>
        )}
        {actions.toReversed().map((action) => (
          <Item key={action.id} title={`${actionText(action)}: ${actionState(action).toLowerCase()}`}>
            <Time at={action.createdAt} kind="seconds" /> ·{' '}
            <PageLink href={auditOf(action.id)} look="inline">
              audit
            </PageLink>
            {action.reason !== '' && <p>“{action.reason}”</p>}
          </Item>
        ))}
      </Items>
    </Card>
  )
}

const SETTLED: Partial<Record<MessagePage['message']['state'], string>> = {
  sent: 'Handed to the broker',
  dead: 'Given up',
  discarded: 'Discarded',
}

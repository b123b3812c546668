import { Card } from '@/app/_ui/card'
import { Item, Items } from '@/app/_ui/item'
import { PageLink } from '@/app/_ui/page-link'
import { Time } from '@/app/_ui/time'
import { eventsOf } from './events'
import type { MessagePage } from './read-message-page'

/** From its publication to now, with what its consumers made of it, on one time line. */
export function HistoryCard({ page }: { page: MessagePage }) {
  return (
    <Card id="history" title="What happened" aside="oldest first">
      <Items>
        {eventsOf(page).map(({ at, title, detail, link }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: what happened does not move
          <Item key={index} title={title}>
            {at === null ? 'when is not known' : <Time at={at} kind="seconds" />}
            {link !== null && (
              <>
                {' · '}
                <PageLink href={link.href} look="inline">
                  {link.label}
                </PageLink>
              </>
            )}
            {detail !== null && <p className="break-all">{detail}</p>}
          </Item>
        ))}
      </Items>
    </Card>
  )
}

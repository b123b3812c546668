import { ActionDialog } from '@/app/_ui/action-dialog'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { Item, Items } from '@/app/_ui/item'
import { Note } from '@/app/_ui/note'
import { PageLink } from '@/app/_ui/page-link'
import { Pager } from '@/app/_ui/pager'
import { Time } from '@/app/_ui/time'
import { auditOf } from '@/lib/alerts/now/marks'
import type { HoldView } from '@/lib/locks/holds/list-holds'
import { endHold } from './actions'
import type { HoldsData } from './read-page'

/** What is held now: since when, until when, why, by whom. */
export function InForceCard({ inForce, stores, mayLift, place, nameOf }: HoldsData) {
  return (
    <Card id="in-force" title="In force" aside="new executions answer 503">
      {inForce.unread.map(({ source, name, why }) => (
        <Note key={source} tone="warn" className="mx-4 mb-2 text-s" title={`Holds of ${name} are not known`}>
          {why}
        </Note>
      ))}
      {inForce.items.length === 0 && <NoHold connected={stores.length > 0} unread={inForce.unread.length} />}
      <Items>
        {inForce.items.map((hold) => (
          <Item
            key={`${hold.source} ${hold.id}`}
            data-hold={hold.id}
            title={<What hold={hold} store={nameOf(hold.source)} />}
            action={
              <ActionDialog
                opener="Lift"
                forbidden={mayLift}
                title={`Lift this hold in ${place}`}
                lead={`New executions of ${hold.what} begin again within 2 seconds.`}
                confirm={`Lift 1 hold in ${place}`}
                withReason
                action={endHold.bind(null, { source: hold.source, id: hold.id })}
              />
            }
          >
            <Terms hold={hold} />
          </Item>
        ))}
      </Items>
    </Card>
  )
}

function NoHold({ connected, unread }: { connected: boolean; unread: number }) {
  if (connected)
    return (
      <EmptyState
        kind="none"
        title={unread === 0 ? 'Nothing is held' : 'Nothing is held where holds can be read'}
      />
    )
  return (
    <EmptyState kind="waiting" title="No connected store keeps holds">
      The SDK’s own stores do.{' '}
      <PageLink href="/sources" look="link">
        Connect one in Sources.
      </PageLink>
    </EmptyState>
  )
}

export function EndedCard({ ended, stores, query, nameOf }: HoldsData) {
  if (stores.length === 0) return null
  return (
    <Card id="ended" title="Ended" aside="newest first">
      {ended.items.length === 0 && <EmptyState kind="none" title="No hold has ended yet" />}
      <Items>
        {ended.items.map((hold) => (
          <Item
            key={`${hold.source} ${hold.id}`}
            data-hold={hold.id}
            title={<What hold={hold} store={nameOf(hold.source)} />}
          >
            <Terms hold={hold} />
            {hold.liftedAt !== null && (
              <p>
                lifted <Time at={hold.liftedAt} /> by {hold.liftedBy}: “{hold.liftReason}”
              </p>
            )}
          </Item>
        ))}
      </Items>
      <Pager shown={ended.items.length} noun="hold" cursor={query.cursor} next={ended.next} />
    </Card>
  )
}

const What = ({ hold, store }: { hold: HoldView; store: string }) => (
  <>
    <span className="break-all font-mono text-s">{hold.what}</span>
    <span className="font-normal text-ink-2 text-s">in {store}</span>
  </>
)

function Terms({ hold }: { hold: HoldView }) {
  return (
    <>
      <p>
        <Time at={hold.placedAt} /> – <Time at={hold.endsAt} />, by {hold.placedBy} ·{' '}
        <PageLink href={auditOf(hold.id)} look="inline">
          audit
        </PageLink>
      </p>
      <p>“{hold.reason}”</p>
    </>
  )
}

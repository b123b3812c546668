import { ActionDialog } from '@/app/_ui/action-dialog'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { Item, Items } from '@/app/_ui/item'
import { Time } from '@/app/_ui/time'
import type { FailingReceiver } from '@/lib/alerts/notify/read-failing'
import { plural } from '@/lib/core/format-figure'
import { nameIn } from '@/lib/core/names'
import { RECEIVER_LABEL } from '@/lib/core/receiver-kinds'
import { dropReceiver } from '../actions'
import type { AlertsData } from '../read-page'
import { AddReceiver } from './add-receiver'
import { TestReceiver } from './test-receiver'

/** Who is told when something is raised and cleared. Of a URL only the host is shown: the rest is a credential. */
export function ReceiversCard({ receivers, failing, pages, people, forbid, place }: AlertsData) {
  return (
    <Card
      id="receivers"
      title="Notification"
      aside={`pages for duplicates in 7 days: ${pages ?? 'not measured'}`}
    >
      {receivers.length === 0 && (
        <EmptyState kind="waiting" title="No receiver is configured">
          Alerts fire on this page and in the bar only, and pages for duplicates (M10) are not measured.
        </EmptyState>
      )}
      <Items>
        {receivers.map((receiver) => (
          <Item
            key={receiver.id}
            data-receiver={receiver.name}
            title={
              <>
                {receiver.name}
                <Badge>{RECEIVER_LABEL[receiver.kind]}</Badge>
                {receiver.paging && <Badge tone="warn">Pages</Badge>}
              </>
            }
            action={
              <ActionDialog
                opener="Remove"
                openerLook="quiet"
                forbidden={forbid('receiver.manage')}
                title={`Remove the receiver ${receiver.name}`}
                lead="It is told nothing more, and its URL is forgotten. What it was told stays in the history."
                tone="danger"
                confirm={`Remove 1 receiver in ${place}`}
                withReason
                action={dropReceiver.bind(null, receiver.id)}
              />
            }
          >
            <p>
              {receiver.host}, since <Time at={receiver.createdAt} />, by {nameIn(people, receiver.createdBy)}
            </p>
            <Failing receiver={failing.find(({ id }) => id === receiver.id)} />
            <TestReceiver id={receiver.id} name={receiver.name} forbidden={forbid('alert.test')} />
          </Item>
        ))}
      </Items>
      <AddReceiver place={place} forbidden={forbid('receiver.manage')} />
    </Card>
  )
}

/** It takes nothing any more. */
function Failing({ receiver }: { receiver: FailingReceiver | undefined }) {
  if (receiver === undefined) return null
  const { failures, since, lastError } = receiver
  return (
    <p className="break-words text-bad-ink">
      Takes nothing: {plural(failures, 'try', 'tries')} in a row failed since <Time at={since} />. {lastError}
    </p>
  )
}

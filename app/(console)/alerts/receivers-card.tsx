import { ActDialog } from '@/app/_ui/act-dialog'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { fieldClass } from '@/app/_ui/field'
import { Time } from '@/app/_ui/time'
import type { ReceiverView } from '@/lib/alerts/notify/receivers'
import { dropReceiver, saveReceiver } from './act'
import { TestReceiver } from './test-receiver'

type Props = {
  receivers: readonly ReceiverView[]
  /** M10; null = nobody is paged by us. */
  pages: number | null
  people: ReadonlyMap<string, string>
  forbidden: { test: string | null; manage: string | null }
  place: string
}

/** Who is told when something is raised and cleared. Of a URL only the host is shown: the rest is a credential. */
export function ReceiversCard({ receivers, pages, people, forbidden, place }: Props) {
  return (
    <Card
      id="receivers"
      title="Notification"
      aside={`pages for duplicates in 7 days: ${pages ?? 'not measured'}`}
    >
      {receivers.length === 0 && (
        <EmptyState kind="waiting" title="Nobody is told yet">
          Alerts fire on this page and in the bar only, and pages for duplicates (M10) are not measured.
        </EmptyState>
      )}
      <ul className="divide-y divide-line">
        {receivers.map((receiver) => (
          <li key={receiver.id} data-receiver={receiver.name} className="px-4 py-2">
            <div className="flex flex-wrap items-start gap-3">
              <div className="min-w-0 flex-1 basis-60">
                <p className="flex flex-wrap items-center gap-2 font-medium">
                  {receiver.name}
                  <Badge>webhook</Badge>
                  {receiver.paging && <Badge tone="warn">pages</Badge>}
                </p>
                <p className="break-all text-ink-2 text-s">
                  {receiver.host}, since <Time at={receiver.createdAt} />, by{' '}
                  {people.get(receiver.createdBy) ?? receiver.createdBy}
                </p>
              </div>
              <ActDialog
                opener="Remove"
                openerLook="quiet"
                forbidden={forbidden.manage}
                title={`Remove the receiver ${receiver.name}`}
                lead="It is told nothing more, and its URL is forgotten. What it was told stays in the history."
                tone="danger"
                confirm={`Remove 1 receiver in ${place}`}
                withReason
                act={dropReceiver.bind(null, receiver.id)}
              />
            </div>
            <TestReceiver id={receiver.id} name={receiver.name} forbidden={forbidden.test} />
          </li>
        ))}
      </ul>
      <div className="px-4 py-3">
        <ActDialog
          opener="Add a webhook"
          forbidden={forbidden.manage}
          title={`Add a webhook in ${place}`}
          lead="From now on it is told of every alert that is raised and cleared, unless that is silenced."
          confirm={`Add 1 webhook in ${place}`}
          withReason
          act={saveReceiver}
        >
          <WebhookFields />
        </ActDialog>
      </div>
    </Card>
  )
}

function WebhookFields() {
  return (
    <>
      <label className="block">
        <span className="mb-1 block font-medium">Name</span>
        <input name="name" required maxLength={60} autoComplete="off" className={fieldClass} />
      </label>
      <label className="block">
        <span className="mb-1 block font-medium">URL</span>
        <input
          name="url"
          type="url"
          required
          maxLength={2000}
          autoComplete="off"
          placeholder="https://"
          className={fieldClass}
        />
        <span className="mt-1 block text-ink-3 text-s">
          Kept as a credential: sealed, and never shown again. https to a public address; networks of your own
          need IDEMSCOPE_OUTBOUND_ALLOW.
        </span>
      </label>
      <label className="flex min-h-8 items-center gap-2 max-md:min-h-11">
        <input type="checkbox" name="paging" /> It pages somebody: counts for pages for duplicates (M10)
      </label>
    </>
  )
}

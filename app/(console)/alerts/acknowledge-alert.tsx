'use client'

import { parseAsString, useQueryState } from 'nuqs'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { AcknowledgeFields } from '../_page/acknowledge-fields'
import { acknowledgeAlert, unacknowledgeAlert } from './actions'

type Props = {
  id: string
  place: string
  /** Why this person may not; the button stays visible and says so. */
  forbidden: string | null
  /** It is the one to which the URL leads. */
  chosen: boolean
}

/** Somebody looks after it: seen by everybody, and no reminders until it ends. */
export function AcknowledgeAlert({ id, place, forbidden, chosen }: Props) {
  // A link in a message led here to do just this.
  const [asked, setAsked] = useQueryState('acknowledge', parseAsString)
  return (
    <ActionDialog
      opener="Acknowledge"
      forbidden={forbidden}
      startsOpen={chosen && asked !== null}
      title={`Acknowledge this alert in ${place}`}
      lead="It is of all alerts of this kind and system. Reminders stop; when it ends and something fires on, receivers are told again."
      confirm="Acknowledge 1 alert"
      action={acknowledgeAlert.bind(null, id)}
      onDone={() => setAsked(null)}
    >
      <AcknowledgeFields />
    </ActionDialog>
  )
}

export const UnacknowledgeAlert = ({ id, forbidden }: Pick<Props, 'id' | 'forbidden'>) => (
  <ActionDialog
    opener="End acknowledgement"
    openerLook="quiet"
    forbidden={forbidden}
    title="End this acknowledgement now"
    lead="Nobody looks after it: reminders go on."
    confirm="End 1 acknowledgement"
    action={unacknowledgeAlert.bind(null, id)}
  />
)

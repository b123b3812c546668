'use client'

import { parseAsString, useQueryState } from 'nuqs'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { LinesField, SelectField } from '@/app/_ui/field'
import {
  canBecome,
  INCIDENT_SEVERITIES,
  INCIDENT_SEVERITY_MEANING,
  type IncidentSeverity,
  type IncidentStatus,
} from '@/lib/core/incident-states'
import { AcknowledgeFields } from '../../_page/acknowledge-fields'
import {
  acknowledgeSeen,
  closeSeen,
  mitigateSeen,
  reopenSeen,
  type SeenIncident,
  setSeveritySeen,
  takeRole,
  writeNote,
} from '../actions'

type Props = {
  incident: {
    id: string
    revision: number
    status: IncidentStatus
    severity: IncidentSeverity
    alerts: { firing: number }
    commander: string | null
  }
  place: string
  forbidden: string | null
}

/** What is done next comes first. Each is of the incident as it was seen. */
export function RunBar({ incident, place, forbidden }: Props) {
  const { id, revision, status, severity, alerts, commander } = incident
  const seen: SeenIncident = { id, revision }
  // A message's link leads here to do just this.
  const [asked, setAsked] = useQueryState('acknowledge', parseAsString)
  const live = status !== 'closed'
  return (
    <>
      {canBecome(status, 'acknowledged') && (
        <ActionDialog
          opener="Acknowledge"
          openerLook="primary"
          forbidden={forbidden}
          startsOpen={asked !== null}
          title={`Acknowledge this incident in ${place}`}
          lead={`Everybody sees that you look after it. ${alerts.firing === 0 ? 'None of its alerts fires.' : 'Reminders of its alerts stop until then.'}`}
          confirm="Acknowledge 1 incident"
          action={acknowledgeSeen.bind(null, seen)}
          onDone={() => setAsked(null)}
        >
          <AcknowledgeFields />
        </ActionDialog>
      )}
      {live && commander === null && (
        <ActionDialog
          opener="Take command"
          forbidden={forbidden}
          title="Take command of this incident"
          lead="You decide what is done, until somebody takes over."
          confirm="Take command of 1 incident"
          action={takeRole.bind(null, seen, 'commander')}
        />
      )}
      {canBecome(status, 'mitigated') && (
        <ActionDialog
          opener="Mitigate"
          forbidden={forbidden}
          title={`Say that no more harm is done in ${place}`}
          lead="What was done is still to be mended. A page that joins later opens it again."
          confirm="Mitigate 1 incident"
          withReason
          action={mitigateSeen.bind(null, seen)}
        />
      )}
      <ActionDialog
        opener="Note"
        forbidden={forbidden}
        title="Add a note to the time line"
        lead="It stands under your name, and in the audit. It cannot be edited."
        confirm="Add 1 note"
        action={writeNote.bind(null, id)}
      >
        <LinesField name="text" label="Note" required maxLength={4000} rows={4} />
      </ActionDialog>
      {live && (
        <ActionDialog
          opener="Severity"
          openerLook="quiet"
          forbidden={forbidden}
          title="Set how severe it is"
          lead="Pages that join later only make it worse."
          confirm="Set 1 severity"
          withReason
          action={setSeveritySeen.bind(null, seen)}
        >
          <SelectField
            name="severity"
            label="Severity"
            defaultValue={severity}
            choices={INCIDENT_SEVERITIES.map((value) => ({
              value,
              label: `${value.toUpperCase()}: ${INCIDENT_SEVERITY_MEANING[value]}`,
            }))}
          />
        </ActionDialog>
      )}
      {canBecome(status, 'closed') && (
        <ActionDialog
          opener="Close"
          openerLook="quiet"
          forbidden={forbidden}
          title={`Close this incident in ${place}`}
          lead={`The reason is its cause, as the postmortem says it. ${alerts.firing === 0 ? 'None of its alerts fires.' : `${alerts.firing} of its alerts still ${alerts.firing === 1 ? 'fires' : 'fire'}.`}`}
          confirm="Close 1 incident"
          withReason
          action={closeSeen.bind(null, seen)}
        >
          <LinesField
            name="followUps"
            label="Follow-ups, one a line"
            hint="What is still to be done. Leave it empty when there is nothing."
            maxLength={10_000}
            rows={4}
          />
        </ActionDialog>
      )}
      {status === 'closed' && (
        <ActionDialog
          opener="Reopen"
          forbidden={forbidden}
          title="Reopen this incident"
          lead="It was not over. Cause and follow-ups stay, to be written anew."
          confirm="Reopen 1 incident"
          withReason
          action={reopenSeen.bind(null, seen)}
        />
      )}
    </>
  )
}

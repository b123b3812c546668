'use client'

import { useRouter } from 'next/navigation'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { SelectField, TextField } from '@/app/_ui/field'
import { INCIDENT_SEVERITIES, INCIDENT_SEVERITY_MEANING } from '@/lib/core/incident-states'
import { openByHand } from './actions'

type Props = {
  systems: string[]
  /** Ids of the open ones on the page: another one by then is a conflict. */
  seen: string[]
  place: string
  forbidden: string | null
}

/** Something is wrong that no alert says. */
export function OpenIncidentDialog({ systems, seen, place, forbidden }: Props) {
  const router = useRouter()
  return (
    <ActionDialog
      opener="Open incident"
      openerLook="primary"
      forbidden={forbidden}
      title={`Open an incident in ${place}`}
      lead="Alerts that fire in its place join it. Nobody is paged by it."
      confirm={`Open 1 incident in ${place}`}
      action={openByHand}
      onDone={({ id }) => router.push(`/incidents/${id}`)}
    >
      <TextField label="What is wrong" name="title" required maxLength={200} />
      <div className="grid gap-3 sm:grid-cols-2 [&>*]:min-w-0">
        <SelectField
          label="Severity"
          name="severity"
          defaultValue="sev2"
          choices={INCIDENT_SEVERITIES.map((value) => ({
            value,
            label: `${value.toUpperCase()}: ${INCIDENT_SEVERITY_MEANING[value]}`,
          }))}
        />
        <SelectField
          label="Of"
          name="area"
          defaultValue="payments"
          choices={[
            { value: 'payments', label: 'Payments' },
            { value: 'console', label: 'The console itself' },
          ]}
        />
        <SelectField
          label="System"
          name="system"
          defaultValue=""
          choices={[{ value: '', label: 'Not known' }, ...systems]}
        />
        <TextField
          label="Began, minutes ago"
          name="minutesAgo"
          inputMode="numeric"
          placeholder="empty where it is not known"
          maxLength={5}
        />
      </div>
      <input type="hidden" name="seen" value={seen.join(',')} />
    </ActionDialog>
  )
}

'use client'

import { useState } from 'react'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { Button } from '@/app/_ui/button'
import { Dialog } from '@/app/_ui/dialog'
import { CheckField, SelectField, TextField } from '@/app/_ui/field'
import { ShownOnce } from '@/app/_ui/shown-once'
import { RECEIVER_KINDS, RECEIVER_LABEL, type ReceiverKind } from '@/lib/core/receiver-kinds'
import { saveReceiver } from '../actions'

type Props = {
  place: string
  /** Why this person may not; the buttons stay visible and say so. */
  forbidden: string | null
}

/** One button and one form for each kind of receiver. */
export function AddReceiver({ place, forbidden }: Props) {
  const [signingSecret, setSigningSecret] = useState<string | null>(null)
  return (
    <div className="flex flex-wrap gap-2 px-4 py-3">
      {RECEIVER_KINDS.map((kind) => (
        <ActionDialog
          key={kind}
          opener={`Add ${NOUN[kind]}`}
          forbidden={forbidden}
          title={`Add ${NOUN[kind]} in ${place}`}
          lead="It is notified of every alert from now on, unless a route of its own says which."
          confirm={`Add 1 ${RECEIVER_LABEL[kind] === 'Webhook' ? 'webhook' : `${RECEIVER_LABEL[kind]} receiver`} in ${place}`}
          withReason
          action={(input) => saveReceiver(kind, input)}
          onDone={(added) => setSigningSecret(added.signingSecret)}
        >
          <TextField name="name" label="Name" required maxLength={60} />
          <KindFields kind={kind} />
          <CheckField name="paging" label="It pages somebody: counts for pages for duplicates (M10)" />
        </ActionDialog>
      ))}
      {signingSecret !== null && (
        <SigningSecret secret={signingSecret} close={() => setSigningSecret(null)} />
      )}
    </div>
  )
}

const NOUN: Record<ReceiverKind, string> = {
  webhook: 'a webhook',
  slack: 'Slack',
  pagerduty: 'PagerDuty',
  opsgenie: 'Jira Service Management or Opsgenie',
  alertmanager: 'an Alertmanager',
  email: 'e-mail',
}

const URL_HINT =
  'Kept as a credential: sealed, and never shown again. https to a public address; networks of your own need IDEMSCOPE_OUTBOUND_ALLOW.'
const SEALED = 'Sealed when it is saved, and never shown again.'

function UrlField({
  hint = URL_HINT,
  ...input
}: {
  hint?: string
  defaultValue?: string
  placeholder?: string
}) {
  return (
    <TextField
      name="url"
      label="URL"
      type="url"
      required
      maxLength={2000}
      placeholder="https://"
      hint={hint}
      {...input}
    />
  )
}

const SecretField = (input: { name: string; label: string; required?: boolean; hint?: string }) => (
  <TextField type="password" autoComplete="new-password" maxLength={2000} hint={SEALED} {...input} />
)

/** What a kind needs to be reached. */
function KindFields({ kind }: { kind: ReceiverKind }) {
  switch (kind) {
    case 'webhook':
      return <UrlField />
    case 'slack':
      return <UrlField placeholder="https://hooks.slack.com/services/…" />
    case 'pagerduty':
      return (
        <>
          <SecretField
            name="routingKey"
            label="Integration key"
            required
            hint={`Of an Events API v2 integration: 32 letters and digits. ${SEALED}`}
          />
          <UrlField
            defaultValue="https://events.pagerduty.com"
            hint="https://events.eu.pagerduty.com for accounts in the EU."
          />
        </>
      )
    case 'opsgenie':
      return (
        <>
          <SecretField name="apiKey" label="API key of the integration" required />
          <UrlField
            defaultValue="https://api.atlassian.com/jsm/ops/integration"
            hint="Opsgenie: https://api.opsgenie.com or https://api.eu.opsgenie.com, until April 2027."
          />
        </>
      )
    case 'alertmanager':
      return (
        <>
          <UrlField
            placeholder="https://alertmanager.example.com"
            hint="Its base URL, without /api/v2. Networks of your own need IDEMSCOPE_OUTBOUND_ALLOW."
          />
          <TextField name="username" label="User name; empty means none" maxLength={200} />
          <SecretField name="password" label="Password" />
          <SecretField name="bearerToken" label="Bearer token; instead of a user name" />
        </>
      )
    case 'email':
      return (
        <>
          <div className="grid grid-cols-2 gap-3">
            <TextField
              name="host"
              label="SMTP server"
              required
              maxLength={253}
              placeholder="smtp.example.com"
            />
            <TextField
              name="port"
              label="Port"
              required
              inputMode="numeric"
              defaultValue="587"
              maxLength={5}
            />
          </div>
          <SelectField
            name="security"
            label="Security"
            defaultValue="starttls"
            choices={[
              { value: 'starttls', label: 'STARTTLS' },
              { value: 'tls', label: 'TLS from the start (port 465)' },
              { value: 'none', label: 'None (networks of your own only)' },
            ]}
          />
          <TextField name="username" label="User name; empty means none" maxLength={200} />
          <SecretField name="password" label="Password" />
          <TextField name="from" label="From" type="email" required maxLength={254} />
          <TextField name="to" label="To, separated by commas" required maxLength={2000} />
        </>
      )
    default:
      return kind satisfies never
  }
}

function SigningSecret({ secret, close }: { secret: string; close: () => void }) {
  return (
    <Dialog
      open
      onClose={close}
      title="Webhook added"
      footer={
        <Button look="primary" data-autofocus onClick={close}>
          Close
        </Button>
      }
    >
      <ShownOnce
        lead="Signing secret: copy it now, it is not shown again."
        secret={secret}
        copyLabel="Copy signing secret"
      >
        Messages are signed by Standard Webhooks with it.
      </ShownOnce>
    </Dialog>
  )
}

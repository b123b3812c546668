'use client'

import { useState } from 'react'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { Button } from '@/app/_ui/button'
import { Dialog } from '@/app/_ui/dialog'
import { SelectField, TextField } from '@/app/_ui/field'
import { ShownOnce } from '@/app/_ui/shown-once'
import { Time } from '@/app/_ui/time'
import { VerbForm } from '@/app/_ui/verb-form'
import { ROLES } from '@/lib/core/permissions'
import { changePassword, inviteUser, type Link, mint, newLink } from './actions'

// Forms whose answer is shown: what is in it is kept nowhere.

const DAYS = [7, 30, 90, 180, 365]
/** A quarter, as the server says without being asked. */
const DAYS_DEFAULT = 90

/** A token of one's own, with its end. It is shown once, here. */
export function MintToken() {
  return (
    <VerbForm
      inline
      verb={mint}
      submit="Make 1 token"
      done={({ token }) => (
        <ShownOnce lead="Copy it now: it is not shown again." secret={token} copyLabel="Copy token" />
      )}
    >
      <div className="min-w-40 flex-1">
        <TextField name="name" label="Name of a new token" required maxLength={64} placeholder="laptop" />
      </div>
      <SelectField
        name="days"
        label="Ends after"
        defaultValue={DAYS_DEFAULT}
        choices={DAYS.map((days) => ({ value: String(days), label: `${days} days` }))}
      />
    </VerbForm>
  )
}

/** Another person, who sets their own password by a link. */
export function InviteUser() {
  return (
    <details className="border-line border-t px-4 py-3">
      <summary className="font-medium text-accent-ink max-md:min-h-11">Invite a user</summary>
      <VerbForm verb={inviteUser} submit="Invite 1 user" look="primary" withReason done={ShownLink}>
        <TextField name="email" label="Email" type="email" required maxLength={200} />
        <div className="grid grid-cols-2 gap-3">
          <TextField name="name" label="Name" required maxLength={60} />
          <SelectField name="role" label="Role" defaultValue="viewer" choices={ROLES} />
        </div>
        <p className="text-ink-2">
          More than a viewer takes a second administrator. Whom you invite cannot approve what you propose,
          nor you what they propose.
        </p>
      </VerbForm>
    </details>
  )
}

export function ChangePassword() {
  return (
    <details>
      <summary className="font-medium text-accent-ink max-md:min-h-11">Change your password</summary>
      <VerbForm
        verb={changePassword}
        submit="Change 1 password"
        done={() => <span className="text-ok-ink">Changed. Your other sessions have ended.</span>}
      >
        <TextField
          name="current"
          label="Current password"
          type="password"
          autoComplete="current-password"
          required
        />
        <TextField
          name="next"
          label="New password, at least 12 characters"
          type="password"
          autoComplete="new-password"
          required
          minLength={12}
          maxLength={128}
        />
      </VerbForm>
    </details>
  )
}

/** Another link for somebody who lost theirs, or their password. */
export function NewLink({ userId, name }: { userId: string; name: string }) {
  const [link, setLink] = useState<Link | null>(null)
  const [title, close] = [`Make a new link for ${name}`, () => setLink(null)]
  return (
    <>
      <ActionDialog
        opener="New link"
        openerLook="quiet"
        title={title}
        lead="They set another password by it; their sessions and tokens end then. You count as them until a second administrator confirms the account again."
        tone="danger"
        confirm="Make 1 link"
        withReason
        action={({ reason }) => newLink(userId, reason)}
        onDone={setLink}
      />
      {link !== null && (
        <Dialog
          open
          onClose={close}
          title={title}
          footer={
            <Button data-autofocus onClick={close}>
              Close
            </Button>
          }
        >
          <div role="status">
            <ShownLink {...link} />
          </div>
        </Dialog>
      )}
    </>
  )
}

/** An invitation's link. The person who has it sets the account's password. */
const ShownLink = ({ email, url, expiresAt, note }: Link) => (
  <ShownOnce
    lead={`Link for ${email}: hand it to them alone, it is not shown again.`}
    secret={url}
    copyLabel="Copy link"
  >
    <p>
      It works once, until <Time at={expiresAt} />. {note}
    </p>
  </ShownOnce>
)

'use client'

import { SelectField, TextField } from '@/app/_ui/field'
import { VerbForm } from '@/app/_ui/verb-form'
import { ROLES } from '@/lib/core/permissions'
import { changePassword, inviteUser, mint } from './actions'
import { ShownLink, ShownOnce } from './shown-once'

// What is asked for on the page itself, without a dialog.

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
          <SelectField
            name="role"
            label="Role"
            defaultValue="viewer"
            choices={ROLES.map((role) => ({ value: role, label: role }))}
          />
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

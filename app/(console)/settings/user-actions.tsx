import { ActionDialog } from '@/app/_ui/action-dialog'
import { SelectField, TextField } from '@/app/_ui/field'
import type { Account } from '@/lib/access/accounts/read-accounts'
import { ROLES } from '@/lib/core/permissions'
import { changeRole, confirm, letIn, lockOut, rename, withdrawLink } from './actions'
import { NewLink } from './forms'
import type { User } from './read-page'

type OneUser = { user: User; forbidden: string | null }

const QUIET = { openerLook: 'quiet', withReason: true } as const

export function LockOut({ user: { id, name, banned }, forbidden }: OneUser) {
  return banned ? (
    <ActionDialog
      {...QUIET}
      forbidden={forbidden}
      opener="Let in"
      title={`Let in ${name}`}
      lead="They can sign in again, and their tokens work again. You count as them from now on: you approve nothing of each other."
      confirm="Let in 1 user"
      action={letIn.bind(null, id)}
    />
  ) : (
    <ActionDialog
      {...QUIET}
      forbidden={forbidden}
      opener="Lock out"
      title={`Lock out ${name}`}
      lead="Their sessions end at once, their tokens within 10 s. What they did stays under their name. It works while writes are off."
      tone="danger"
      confirm="Lock out 1 user"
      action={lockOut.bind(null, id)}
    />
  )
}

export function ChangeRole({ user: { id, name, role: now, service }, forbidden }: OneUser) {
  return (
    <ActionDialog
      opener="Change role"
      {...QUIET}
      forbidden={forbidden}
      title={`Change the role of ${name}`}
      lead="A lower role holds at once, for their tokens within 10 s. A higher one waits for a second administrator."
      tone="danger"
      confirm="Change 1 role"
      action={changeRole.bind(null, id)}
    >
      <SelectField
        name="role"
        label="Role"
        defaultValue={now}
        choices={ROLES.filter((role) => !service || role === 'viewer' || role === 'operator')}
      />
    </ActionDialog>
  )
}

/** What is seldom done with an account. */
export function MoreOfUser({ user, account, me }: { user: User; account: Account; me: string }) {
  return (
    <details className="open:basis-full">
      <summary className="inline-flex h-8 cursor-pointer items-center rounded-m px-3 font-medium text-ink-2 hover:bg-sunken hover:text-ink max-md:h-11">
        More<span className="sr-only"> of {user.name}</span>
      </summary>
      <div className="flex flex-wrap justify-end">
        {account.accepted && account.heldBy.length > 0 && <Confirm user={user} account={account} />}
        {user.id !== me && !user.banned && <NewLink userId={user.id} name={user.name} />}
        {account.invitedUntil !== null && (
          <ActionDialog
            opener="Withdraw link"
            {...QUIET}
            title={`Withdraw the link of ${user.name}`}
            lead="Nobody can set a password by it any more."
            tone="danger"
            confirm="Withdraw 1 link"
            action={withdrawLink.bind(null, user.id)}
          />
        )}
        <ActionDialog
          opener="Rename"
          {...QUIET}
          title={`Rename ${user.name}`}
          lead="What they did before stays under the old name. You count as them from now on: you approve nothing of each other."
          confirm="Rename 1 user"
          action={rename.bind(null, user.id)}
        >
          <TextField name="name" label="Name" defaultValue={user.name} required maxLength={60} />
        </ActionDialog>
      </div>
    </details>
  )
}

function Confirm({ user, account }: { user: User; account: Account }) {
  return (
    <ActionDialog
      opener="Confirm"
      {...QUIET}
      forbidden={
        account.hasCode ? null : 'Its person has no code yet: they set a password of their own first'
      }
      title={`Confirm that ${user.name} uses this account`}
      lead={`${account.heldBy.join(', ')} held its link or password, and may be behind it. Ask ${user.name} in person for the code in their Settings.`}
      confirm="Confirm 1 account"
      action={confirm.bind(null, user.id)}
    >
      <TextField
        name="code"
        label={`Code that ${user.name} reads to you`}
        required
        maxLength={20}
        placeholder="ABCD-2345"
      />
    </ActionDialog>
  )
}

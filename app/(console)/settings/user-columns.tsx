import { ActionDialog } from '@/app/_ui/action-dialog'
import { Badge } from '@/app/_ui/badge'
import { SelectField } from '@/app/_ui/field'
import { type Column, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { Account } from '@/lib/access/accounts/read-accounts'
import { ROLES } from '@/lib/core/permissions'
import { changeRole, letIn, lockOut } from './actions'
import { MoreOfUser } from './more-of-user'
import type { User } from './users-card'

type About = { accounts: ReadonlyMap<string, Account>; me: string; forbidden: string | null }

export const userColumns = ({ accounts, me, forbidden }: About): Column<User>[] => [
  {
    head: 'User',
    className: 'max-w-[13rem] max-md:max-w-[8.5rem]',
    cell: ({ name, email, service }) => (
      <TwoLines below={service ? 'service, token only' : email} title={email}>
        <span className="block truncate font-medium">{name}</span>
      </TwoLines>
    ),
  },
  { head: 'Role', cell: (user) => <Role user={user} account={accounts.get(user.id) ?? null} /> },
  { head: 'Since', from: '2xl', cell: ({ createdAt }) => <Time at={createdAt} /> },
  {
    head: 'Change',
    shown: null,
    align: 'right',
    width: 'max-md:px-1',
    className: 'max-md:px-1',
    cell: (user) => {
      const account = accounts.get(user.id) ?? null
      return (
        <div className="flex flex-wrap items-center justify-end max-md:flex-col">
          <LockOut user={user} forbidden={forbidden} />
          <ChangeRole user={user} forbidden={forbidden} />
          {forbidden === null && !user.service && account !== null && (
            <MoreOfUser user={user} account={account} me={me} />
          )}
        </div>
      )
    },
  },
]

function Role({ user, account }: { user: User; account: Account | null }) {
  const { role, banned, service } = user
  return (
    <span className="flex flex-wrap gap-1">
      <Badge tone={role === 'admin' || role === 'approver' ? 'accent' : 'plain'}>{role}</Badge>
      {banned && <Badge tone="bad">Locked out</Badge>}
      {!service && account !== null && !banned && <Standing account={account} />}
    </span>
  )
}

/** What an account waits for. */
function Standing({ account: { accepted, invitedUntil, heldBy } }: { account: Account }) {
  if (!accepted) return <Badge tone="warn">{invitedUntil === null ? 'Link ended' : 'Invited'}</Badge>
  if (heldBy.length === 0) return null
  return (
    <Badge tone="warn" title={`${heldBy.join(', ')} may be behind it`}>
      Not confirmed
    </Badge>
  )
}

type OneUser = { user: User; forbidden: string | null }

function LockOut({ user: { id, name, banned }, forbidden }: OneUser) {
  const shared = { openerLook: 'quiet', forbidden, withReason: true } as const
  return banned ? (
    <ActionDialog
      {...shared}
      opener="Let in"
      title={`Let in ${name}`}
      lead="They can sign in again, and their tokens work again. You count as them from now on: you approve nothing of each other."
      confirm="Let in 1 user"
      action={letIn.bind(null, id)}
    />
  ) : (
    <ActionDialog
      {...shared}
      opener="Lock out"
      title={`Lock out ${name}`}
      lead="Their sessions end at once, their tokens within 10 s. What they did stays under their name. It works while writes are off."
      tone="danger"
      confirm="Lock out 1 user"
      action={lockOut.bind(null, id)}
    />
  )
}

function ChangeRole({ user: { id, name, role: now, service }, forbidden }: OneUser) {
  return (
    <ActionDialog
      opener="Change role"
      openerLook="quiet"
      forbidden={forbidden}
      title={`Change the role of ${name}`}
      lead="A lower role holds at once, for their tokens within 10 s. A higher one waits for a second administrator."
      tone="danger"
      confirm="Change 1 role"
      withReason
      action={changeRole.bind(null, id)}
    >
      <SelectField
        name="role"
        label="Role"
        defaultValue={now}
        choices={ROLES.filter((role) => !service || role === 'viewer' || role === 'operator').map((role) => ({
          value: role,
          label: role,
        }))}
      />
    </ActionDialog>
  )
}

import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { type Column, Table, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { Account } from '@/lib/access/accounts/read-accounts'
import { raiseEvidenceSchema } from '@/lib/actions/role-raise'
import type { ActionView } from '@/lib/actions/view'
import { plural } from '@/lib/core/format-figure'
import { Changed, ProposedChange } from '../_decide/decision'
import { InviteUser } from './forms'
import type { SettingsData, User } from './read-page'
import { ChangeRole, LockOut, MoreOfUser } from './user-actions'

/** Who may do what. A service user acts by its token only, and never approves. */
export function UsersCard(settings: SettingsData) {
  const { users, accounts, raises, forbid } = settings
  const mayManage = forbid('user.manage') === null
  const admins = users.filter(
    ({ id, role, banned }) => role === 'admin' && !banned && accounts.get(id)?.accepted === true,
  )
  return (
    <Card id="users" title="Users" aside={plural(users.length, 'user')}>
      {raises.map((action) => (
        <WaitingRaise key={action.id} action={action} {...settings} />
      ))}
      <Table columns={columnsOf(settings)} rows={users} id={({ id }) => id} />
      {mayManage && admins.length < 2 && <OneAdministrator />}
      {mayManage && <InviteUser />}
    </Card>
  )
}

/** Two have to agree, and there is one: the second is made on the host. */
function OneAdministrator() {
  return (
    <p className="border-line border-t px-4 py-3 text-ink-2">
      There is one administrator, and raising a role takes two. On the host,{' '}
      <code className="break-all font-mono text-s">
        npm run --silent invite -- --role admin --email EMAIL --name NAME
      </code>{' '}
      prints the link of another one.
    </p>
  )
}

const columnsOf = ({ accounts, me, forbid }: SettingsData): Column<User>[] => [
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
      const forbidden = forbid('user.manage')
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

/** A higher role that waits for a second administrator. */
function WaitingRaise({ action, people, me, forbid, place }: SettingsData & { action: ActionView }) {
  const parsed = raiseEvidenceSchema.safeParse(action.evidence)
  if (!parsed.success) return null
  const { name, email, before, after } = parsed.data
  return (
    <ProposedChange
      label={`Proposed role of ${name}`}
      what="higher role"
      {...{ action, people, me }}
      forbidden={forbid('user.manage')}
      facts={[
        { label: 'Who', value: `${name}, ${email}` },
        { label: 'Role', value: <Changed before={before} after={after} /> },
      ]}
      approval={{
        opener: 'Approve role',
        title: `Make ${name} ${after} in ${place}`,
        lead: 'Holds at once. You count as them from now on: you approve nothing of each other.',
        confirm: `Raise 1 role in ${place}`,
        typed: { label: 'Who', expected: name },
      }}
    />
  )
}

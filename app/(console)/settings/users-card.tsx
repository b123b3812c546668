import { Card } from '@/app/_ui/card'
import { Table } from '@/app/_ui/table'
import type { Account } from '@/lib/access/accounts/read-accounts'
import type { listUsers } from '@/lib/access/users'
import type { ActionView } from '@/lib/actions/view'
import { plural } from '@/lib/core/format-figure'
import { namesOf } from '@/lib/core/names'
import { InviteUser } from './forms'
import { userColumns } from './user-columns'
import { WaitingRaise } from './waiting-raise'

export type User = Awaited<ReturnType<typeof listUsers>>[number]

type Props = {
  users: readonly User[]
  accounts: ReadonlyMap<string, Account>
  raises: readonly ActionView[]
  me: string
  forbidden: string | null
  place: string
}

/** Who may do what. A service user acts by its token only, and never approves. */
export function UsersCard({ users, accounts, raises, me, forbidden, place }: Props) {
  const people = namesOf(users)
  const admins = users.filter(
    ({ id, role, banned }) => role === 'admin' && !banned && accounts.get(id)?.accepted === true,
  )
  return (
    <Card id="users" title="Users" aside={plural(users.length, 'user')}>
      {raises.map((action) => (
        <WaitingRaise key={action.id} {...{ action, people, me, forbidden, place }} />
      ))}
      <Table columns={userColumns({ accounts, me, forbidden })} rows={users} id={({ id }) => id} />
      {forbidden === null && admins.length < 2 && <OneAdministrator />}
      {forbidden === null && <InviteUser />}
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

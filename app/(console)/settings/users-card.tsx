import { Card } from '@/app/_ui/card'
import { plural } from '@/app/_ui/format-figure'
import { stillHeadClass, tableClass } from '@/app/_ui/table'
import type { Account } from '@/lib/access/accounts/read-accounts'
import type { listUsers } from '@/lib/access/users'
import type { ActionView } from '@/lib/actions/view'
import { InviteUser } from './invite-user'
import { UserRow } from './user-row'
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
  const names = new Map(users.map(({ id, name }) => [id, name]))
  const admins = users.filter(
    ({ id, role, banned }) => role === 'admin' && !banned && accounts.get(id)?.accepted === true,
  )
  return (
    <Card id="users" title="Users" aside={plural(users.length, 'user')}>
      {raises.map((action) => (
        <WaitingRaise key={action.id} {...{ action, names, me, forbidden, place }} />
      ))}
      <table className={tableClass}>
        <thead>
          <tr>
            <th scope="col" className={stillHeadClass()}>
              User
            </th>
            <th scope="col" className={stillHeadClass()}>
              Role
            </th>
            <th scope="col" className={stillHeadClass('max-2xl:hidden')}>
              Since
            </th>
            <th scope="col" className={stillHeadClass('text-right max-md:px-1')}>
              <span className="sr-only">Change</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <UserRow
              key={user.id}
              user={user}
              account={accounts.get(user.id) ?? null}
              me={me}
              forbidden={forbidden}
            />
          ))}
        </tbody>
      </table>
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

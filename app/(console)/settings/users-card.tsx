import { ActDialog } from '@/app/_ui/act-dialog'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { fieldClass } from '@/app/_ui/field'
import { plural } from '@/app/_ui/format-figure'
import { cellClass, secondLineClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { listUsers } from '@/lib/access/users'
import { ROLES } from '@/lib/core/permissions'
import { changeRole, lockOut } from './act'
import { AddUser } from './add-user'

type User = Awaited<ReturnType<typeof listUsers>>[number]

/** Who may do what. A service user acts by its token only, and never approves. */
export function UsersCard({ users, forbidden }: { users: readonly User[]; forbidden: string | null }) {
  return (
    <Card id="users" title="Users" aside={plural(users.length, 'user')}>
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
            <UserRow key={user.id} user={user} forbidden={forbidden} />
          ))}
        </tbody>
      </table>
      {forbidden === null && <AddUser />}
    </Card>
  )
}

function UserRow({ user, forbidden }: { user: User; forbidden: string | null }) {
  return (
    <tr>
      <td className={cellClass('max-w-[13rem] max-md:max-w-[8.5rem]')}>
        <span className="block truncate font-medium">{user.name}</span>
        <span className={secondLineClass} title={user.email}>
          {user.service ? 'service, token only' : user.email}
        </span>
      </td>
      <td className={cellClass()}>
        <Badge tone={user.role === 'admin' || user.role === 'approver' ? 'accent' : 'plain'}>
          {user.role}
        </Badge>
        {user.banned && <Badge tone="bad">locked out</Badge>}
      </td>
      <td className={cellClass('max-2xl:hidden')}>
        <Time at={user.createdAt} />
      </td>
      <td className={cellClass('text-right max-md:px-1')}>
        <div className="flex justify-end max-md:flex-col">
          <ActDialog
            opener={user.banned ? 'Let in' : 'Lock out'}
            openerLook="quiet"
            forbidden={forbidden}
            title={`${user.banned ? 'Let in' : 'Lock out'} ${user.name}`}
            lead={
              user.banned
                ? 'They can sign in again, and their tokens work again.'
                : 'Their sessions end at once, their tokens within 10 s. What they did stays under their name.'
            }
            tone={user.banned ? 'plain' : 'danger'}
            confirm={`${user.banned ? 'Let in' : 'Lock out'} 1 user`}
            withReason
            act={lockOut.bind(null, user.id, !user.banned)}
          />
          <ActDialog
            opener="Change role"
            openerLook="quiet"
            forbidden={forbidden}
            title={`Change the role of ${user.name}`}
            lead="Takes effect at once, for their tokens within 10 s."
            tone="danger"
            confirm="Change 1 role"
            withReason
            act={changeRole.bind(null, user.id)}
          >
            <label className="block">
              <span className="mb-1 block font-medium">Role</span>
              <select name="role" defaultValue={user.role} className={fieldClass}>
                {ROLES.filter((role) => !user.service || role === 'viewer' || role === 'operator').map(
                  (role) => (
                    <option key={role}>{role}</option>
                  ),
                )}
              </select>
            </label>
          </ActDialog>
        </div>
      </td>
    </tr>
  )
}

import { ActDialog } from '@/app/_ui/act-dialog'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { fieldClass } from '@/app/_ui/field'
import { plural } from '@/app/_ui/format-figure'
import { cellClass, secondLineClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { listUsers } from '@/lib/access/users'
import { ROLES } from '@/lib/core/permissions'
import { changeRole } from './act'

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
            <th scope="col" className={stillHeadClass('max-md:hidden')}>
              Since
            </th>
            <th scope="col" className={stillHeadClass('text-right')}>
              <span className="sr-only">Change</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <tr key={user.id}>
              <td className={cellClass()}>
                <span className="block font-medium">{user.name}</span>
                <span className={secondLineClass}>{user.service ? 'service, token only' : user.email}</span>
              </td>
              <td className={cellClass()}>
                <Badge tone={user.role === 'admin' || user.role === 'approver' ? 'accent' : 'plain'}>
                  {user.role}
                </Badge>
                {user.banned && <Badge tone="bad">banned</Badge>}
              </td>
              <td className={cellClass('max-md:hidden')}>
                <Time at={user.createdAt} />
              </td>
              <td className={cellClass('text-right')}>
                <div className="flex justify-end">
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
                        {ROLES.filter(
                          (role) => !user.service || role === 'viewer' || role === 'operator',
                        ).map((role) => (
                          <option key={role}>{role}</option>
                        ))}
                      </select>
                    </label>
                  </ActDialog>
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  )
}

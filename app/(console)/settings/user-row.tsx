import { ActDialog } from '@/app/_ui/act-dialog'
import { Badge } from '@/app/_ui/badge'
import { fieldClass } from '@/app/_ui/field'
import { cellClass, secondLineClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { Account } from '@/lib/access/accounts/read-accounts'
import { ROLES } from '@/lib/core/permissions'
import { changeRole, letIn, lockOut } from './act'
import { MoreOfUser } from './more-of-user'
import type { User } from './users-card'

type Props = { user: User; account: Account | null; me: string; forbidden: string | null }

export function UserRow({ user, account, me, forbidden }: Props) {
  return (
    <tr>
      <td className={cellClass('max-w-[13rem] max-md:max-w-[8.5rem]')}>
        <span className="block truncate font-medium">{user.name}</span>
        <span className={secondLineClass} title={user.email}>
          {user.service ? 'service, token only' : user.email}
        </span>
      </td>
      <td className={cellClass()}>
        <span className="flex flex-wrap gap-1">
          <Badge tone={user.role === 'admin' || user.role === 'approver' ? 'accent' : 'plain'}>
            {user.role}
          </Badge>
          {user.banned && <Badge tone="bad">locked out</Badge>}
          {!user.service && account !== null && !user.banned && <Standing account={account} />}
        </span>
      </td>
      <td className={cellClass('max-2xl:hidden')}>
        <Time at={user.createdAt} />
      </td>
      <td className={cellClass('text-right max-md:px-1')}>
        <div className="flex flex-wrap items-center justify-end max-md:flex-col">
          <LockOut user={user} forbidden={forbidden} />
          <ChangeRole user={user} forbidden={forbidden} />
          {forbidden === null && !user.service && account !== null && (
            <MoreOfUser user={user} account={account} me={me} />
          )}
        </div>
      </td>
    </tr>
  )
}

/** What an account waits for. */
function Standing({ account }: { account: Account }) {
  if (!account.accepted)
    return account.invitedUntil === null ? (
      <Badge tone="warn">link ended</Badge>
    ) : (
      <Badge tone="warn">invited</Badge>
    )
  if (account.heldBy.length === 0) return null
  return (
    <Badge tone="warn" title={`${account.heldBy.join(', ')} may be behind it`}>
      not confirmed
    </Badge>
  )
}

function LockOut({ user, forbidden }: { user: User; forbidden: string | null }) {
  const shared = { openerLook: 'quiet', forbidden, withReason: true } as const
  return user.banned ? (
    <ActDialog
      {...shared}
      opener="Let in"
      title={`Let in ${user.name}`}
      lead="They can sign in again, and their tokens work again. You count as them from now on: you approve nothing of each other."
      confirm="Let in 1 user"
      act={letIn.bind(null, user.id)}
    />
  ) : (
    <ActDialog
      {...shared}
      opener="Lock out"
      title={`Lock out ${user.name}`}
      lead="Their sessions end at once, their tokens within 10 s. What they did stays under their name. It works while writes are off."
      tone="danger"
      confirm="Lock out 1 user"
      act={lockOut.bind(null, user.id)}
    />
  )
}

function ChangeRole({ user, forbidden }: { user: User; forbidden: string | null }) {
  return (
    <ActDialog
      opener="Change role"
      openerLook="quiet"
      forbidden={forbidden}
      title={`Change the role of ${user.name}`}
      lead="A lower role holds at once, for their tokens within 10 s. A higher one waits for a second administrator."
      tone="danger"
      confirm="Change 1 role"
      withReason
      act={changeRole.bind(null, user.id)}
    >
      <label className="block">
        <span className="mb-1 block font-medium">Role</span>
        <select name="role" defaultValue={user.role} className={fieldClass}>
          {ROLES.filter((role) => !user.service || role === 'viewer' || role === 'operator').map((role) => (
            <option key={role}>{role}</option>
          ))}
        </select>
      </label>
    </ActDialog>
  )
}

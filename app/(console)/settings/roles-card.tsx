import { Check, Minus } from 'lucide-react'
import type { Column } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { PERMISSIONS, ROLES, roleAllows, type Verb } from '@/lib/core/permissions'

const WORDS: Record<Verb, string> = {
  view: 'See everything',
  'lock.release': 'Release a key',
  'lock.complete': 'Complete a key',
  'lock.fail': 'Propose to fail a key for good',
  'run.start': 'Start a run',
  'run.cancel': 'Abort a run',
  'retention.run': 'Collect expired keys',
  'case.triage': 'Acknowledge, assign, snooze, comment, close',
  'case.propose': 'Propose a correction',
  'action.approve': 'Approve somebody else’s correction',
  'action.reject': 'Reject a correction',
  'alert.silence': 'Silence alerts',
  'alert.test': 'Send test notifications',
  'audit.verify': 'Verify the audit',
  'kill_switch.set': 'Switch writes off, on with a second person',
  'source.manage': 'Connect sources, set links',
  'receiver.manage': 'Add and remove receivers',
  'user.manage': 'Invite, lock out, change roles with a second admin',
  'token.mint': 'Mint tokens of services',
}

/** Which role may do what: the table that the server checks by. */
export function RolesCard() {
  return (
    <TableCard
      id="roles"
      title="Roles"
      aside="what the server checks by"
      scrolls="Roles, table"
      lines={1}
      columns={COLUMNS}
      rows={Object.keys(PERMISSIONS) as Verb[]}
      rowId={(verb) => verb}
    />
  )
}

const COLUMNS: Column<Verb>[] = [
  {
    head: 'May',
    names: true,
    cell: (verb) => (
      <>
        {WORDS[verb]} <code className="ml-1 font-mono text-ink-3 text-xs max-md:hidden">{verb}</code>
      </>
    ),
  },
  ...ROLES.map((role): Column<Verb> => {
    const place = 'text-center max-md:px-1'
    return {
      head: role,
      width: place,
      className: place,
      cell: (verb) => <Allowed yes={roleAllows(role, verb)} />,
    }
  }),
]

function Allowed({ yes }: { yes: boolean }) {
  const Icon = yes ? Check : Minus
  return (
    <>
      <Icon size={15} aria-hidden="true" className={`mx-auto ${yes ? 'text-processing' : 'text-ink-3'}`} />
      <span className="sr-only">{yes ? 'yes' : 'no'}</span>
    </>
  )
}

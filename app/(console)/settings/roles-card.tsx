import { Check, Minus } from 'lucide-react'
import type { Column } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { PERMISSIONS, ROLES, roleAllows, VERB_LABEL, type Verb } from '@/lib/core/permissions'

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
        {VERB_LABEL[verb]} <code className="ml-1 font-mono text-ink-3 text-xs max-md:hidden">{verb}</code>
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

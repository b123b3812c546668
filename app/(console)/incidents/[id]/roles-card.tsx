import { ActionDialog } from '@/app/_ui/action-dialog'
import { Card } from '@/app/_ui/card'
import { Item, Items } from '@/app/_ui/item'
import { Time } from '@/app/_ui/time'
import { INCIDENT_ROLE_LABEL, INCIDENT_ROLES } from '@/lib/core/incident-states'
import type { IncidentView } from '@/lib/incidents/view'
import { leaveRole, takeRole } from '../actions'

type Props = { incident: IncidentView; me: string; forbidden: string | null }

/** Who does what. One takes a role, from whoever has it, or leaves one's own. */
export function RolesCard({ incident: { id, revision, status, roles }, me, forbidden }: Props) {
  const seen = { id, revision }
  return (
    <Card id="roles" title="Roles">
      <Items>
        {INCIDENT_ROLES.map((role) => {
          const held = roles.find((each) => each.role === role)
          const label = INCIDENT_ROLE_LABEL[role]
          const mine = held?.userId === me
          return (
            <Item
              key={role}
              data-role={role}
              title={label}
              action={
                status !== 'closed' && (
                  <ActionDialog
                    opener={mine ? 'Leave' : held === undefined ? 'Take' : 'Take over'}
                    openerLook="quiet"
                    forbidden={forbidden}
                    title={mine ? `Leave: ${label}` : `Take: ${label}`}
                    lead={
                      mine
                        ? 'Nobody has this role then.'
                        : held === undefined
                          ? 'Everybody sees that it is you.'
                          : `${held.name} has it now.`
                    }
                    confirm={mine ? 'Leave 1 role' : 'Take 1 role'}
                    action={(mine ? leaveRole : takeRole).bind(null, seen, role)}
                  />
                )
              }
            >
              {held === undefined ? (
                'nobody'
              ) : (
                <>
                  {held.name}, since <Time at={held.since} />
                </>
              )}
            </Item>
          )
        })}
      </Items>
    </Card>
  )
}

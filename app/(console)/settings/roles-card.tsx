import { Check, Minus } from 'lucide-react'
import { Card } from '@/app/_ui/card'
import { ScrollBox } from '@/app/_ui/scroll-box'
import { cellClass, stillHeadClass, tableClass } from '@/app/_ui/table'
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
    <Card id="roles" title="Roles" aside="what the server checks by">
      <ScrollBox label="Roles, table">
        <table className={tableClass}>
          <thead>
            <tr>
              <th scope="col" className={stillHeadClass()}>
                May
              </th>
              {ROLES.map((role) => (
                <th key={role} scope="col" className={stillHeadClass('text-center max-md:px-1')}>
                  {role}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(Object.keys(PERMISSIONS) as Verb[]).map((verb) => (
              <tr key={verb}>
                <th scope="row" className={cellClass('h-9! text-left font-normal')}>
                  {WORDS[verb]}{' '}
                  <code className="ml-1 font-mono text-ink-3 text-xs max-md:hidden">{verb}</code>
                </th>
                {ROLES.map((role) => (
                  <td key={role} className={cellClass('h-9! text-center max-md:px-1')}>
                    {roleAllows(role, verb) ? (
                      <>
                        <Check size={15} aria-hidden="true" className="mx-auto text-processing" />
                        <span className="sr-only">yes</span>
                      </>
                    ) : (
                      <>
                        <Minus size={15} aria-hidden="true" className="mx-auto text-ink-3" />
                        <span className="sr-only">no</span>
                      </>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </Card>
  )
}

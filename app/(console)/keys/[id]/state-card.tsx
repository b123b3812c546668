import { Card } from '@/app/_ui/card'
import { Facts } from '@/app/_ui/facts'
import { KEY_STATE } from '@/app/_ui/key-state'
import { KEY_STATE_LABEL } from '@/app/_ui/key-state-label'
import { Note } from '@/app/_ui/note'
import { Time } from '@/app/_ui/time'
import { KEY_ACTIONS } from '@/lib/core/states'
import { FailProposal } from '../../locks/open/fail-proposal'
import { LockActions } from '../../locks/open/lock-actions'
import type { KeyPage } from './read-key'

/** What may be done to it now, and by what state. */
export function StateCard({ page: { detail, rules, permit, stored, waitingFail } }: { page: KeyPage }) {
  const { lock, state } = detail
  // It can be rejected also when nothing may be done to the key any more.
  const proposal = waitingFail === null ? null : <FailProposal waiting={waitingFail} />
  const facts = (
    <Facts
      facts={[
        { label: 'Attempts', value: detail.attempts ?? 'not recorded' },
        { label: 'Holder', value: <span className="font-mono text-s">{detail.holder ?? 'none'}</span> },
        {
          label: 'Fencing token',
          value: <span className="font-mono text-s">{detail.fence ?? 'none'}</span>,
        },
        {
          label: 'Fingerprint',
          value: (
            <span className="break-all font-mono text-s">
              {stored === null ? 'not readable now' : (stored.fingerprint ?? 'none stored')}
            </span>
          ),
        },
        ...(stored?.nonce == null
          ? []
          : [
              {
                label: 'Nonce of its acquire',
                value: <span className="font-mono text-s">{stored.nonce}</span>,
              },
            ]),
        { label: 'Lease until', value: lock && <Time at={lock.leaseUntil} kind="seconds" /> },
        { label: 'Last heartbeat', value: lock && <Time at={lock.heartbeatAt} kind="ago" /> },
      ]}
    />
  )
  return (
    <Card id="state" title="State and actions" aside={state === null ? undefined : KEY_STATE_LABEL[state]}>
      {detail.storeError !== null && (
        <Note tone="warn" className="mx-4 mb-2 text-s">
          {detail.sourceName} cannot be read now: this is as it was last staged.
        </Note>
      )}
      {lock !== null && state !== null && KEY_ACTIONS[state].length > 0 ? (
        <LockActions
          lock={{ ...lock, keyId: detail.id, sourceName: detail.sourceName }}
          rules={rules}
          permit={permit}
          proposal={proposal}
        >
          <div className="mt-2">{facts}</div>
        </LockActions>
      ) : (
        <div className="px-4 pb-3">
          <Note tone="quiet">
            {state === null
              ? 'No store has this key: there is nothing to act on.'
              : `${KEY_STATE[state].says} Nothing may be done to it in this state.`}
          </Note>
          <div className="mt-2">{facts}</div>
          {proposal}
        </div>
      )}
    </Card>
  )
}

'use client'

import { ActionDialog } from '@/app/_ui/action-dialog'
import { remove } from './actions'

type Props = {
  source: { id: string; name: string; version: number; system: string; enabled: boolean }
  place: string
  forbidden: string | null
}

/** Removes a source that is switched off. It cannot be undone. */
export function RemoveButton({ source: { id, name, version, system, enabled }, place, forbidden }: Props) {
  return (
    <ActionDialog
      opener="Remove …"
      openerLook="quiet"
      forbidden={forbidden ?? (enabled ? 'Switch it off first' : null)}
      tone="danger"
      title={`Remove ${name} from ${place}`}
      lead={
        <>
          <p>
            This goes: its credentials, what was read of it, where its readings stood, its retention policies.
          </p>
          <p className="mt-1">
            This stays: cases with what they rest on, actions, archives, the audit log, and everything in{' '}
            {name} itself. What happened in {system} until now is not called missing because {name} is silent.
          </p>
        </>
      }
      confirm={`Remove 1 source from ${place}`}
      withReason
      typed={{ label: 'It cannot be undone', expected: name }}
      action={remove.bind(null, { id, version, name })}
    />
  )
}

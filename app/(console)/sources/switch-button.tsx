'use client'

import { ActionDialog } from '@/app/_ui/action-dialog'
import { switchOff, switchOn } from './actions'

type Props = {
  source: { id: string; name: string; system: string; enabled: boolean }
  place: string
  forbidden: string | null
}

/** Switches a source off, or on again; what was read of it is kept. */
export function SwitchButton({ source: { id, name, system, enabled }, place, forbidden }: Props) {
  const verb = enabled ? 'Switch off' : 'Switch on'
  return (
    <ActionDialog
      key={verb}
      opener={`${verb} …`}
      openerLook="quiet"
      forbidden={forbidden}
      tone={enabled ? 'danger' : 'plain'}
      title={`${verb} ${name} in ${place}`}
      lead={
        enabled
          ? `It is read no more and nothing is done in it. Its silence proves nothing: runs of ${system} are incomplete until it is on again. What was read of it is kept.`
          : 'It is read from the next turn on, from where it was left.'
      }
      confirm={`${verb} 1 source in ${place}`}
      withReason
      action={(enabled ? switchOff : switchOn).bind(null, id)}
    />
  )
}

'use client'

import { useState } from 'react'
import { GuardedButton } from '@/app/_ui/guarded-button'
import type { MessageVerb } from '@/lib/core/states'
import type { Meant, Refusals } from './labels'
import { MessagesDialog } from './messages-dialog'

type Props = {
  filter: Meant
  /** "3 messages". */
  what: string
  refusal: Refusals
  place: string
  look?: 'plain' | 'quiet'
  onDone?: () => void
}

/** The two things that can be done with dead messages, each with a look before. */
export function ActButtons({ filter, what, refusal, place, look = 'plain', onDone }: Props) {
  const [verb, setVerb] = useState<MessageVerb | null>(null)
  const nothing = filter.ids?.length === 0 ? 'Select messages first' : null
  return (
    <span className="relative z-[1] flex flex-wrap justify-end gap-2">
      <GuardedButton
        look={look === 'quiet' ? 'quiet' : 'primary'}
        forbidden={refusal.redrive ?? nothing}
        onClick={() => setVerb('redrive')}
      >
        Send again…
      </GuardedButton>
      <GuardedButton
        look={look === 'quiet' ? 'quiet' : 'danger'}
        forbidden={refusal.discard ?? nothing}
        onClick={() => setVerb('discard')}
      >
        Discard…
      </GuardedButton>
      {verb !== null && (
        <MessagesDialog
          {...{ verb, filter, what, place }}
          onClose={(changed) => {
            setVerb(null)
            if (changed) onDone?.()
          }}
        />
      )}
    </span>
  )
}

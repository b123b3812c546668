'use client'

import { useRouter } from 'next/navigation'
import type { Attempted } from '@/app/_server/attempt'
import { ActionDialog, type ActionInput } from '@/app/_ui/action-dialog'
import { TextField } from '@/app/_ui/field'
import { connect, type Draft, type Looked } from './actions'
import { ENGINE_FORMS } from './engine-forms'
import { LookedAt } from './looked-at'
import { RegionField } from './region-field'

/** What the mapping makes of real rows, what could be done there, the role that it needs; and then the last step. */
export function LookedCard({ looked, draft, place }: { looked: Looked; draft: Draft; place: string }) {
  const router = useRouter()
  const { preview, grants } = looked
  const { messages } = preview
  const what = messages === null ? 'store' : 'source of messages'
  const action = async (input: ActionInput): Promise<Attempted<unknown>> => {
    const answer = await connect(draft, input)
    if (answer.kind === 'done') router.push('/sources')
    return answer
  }
  return (
    <>
      <LookedAt preview={preview} grants={grants} form={ENGINE_FORMS[draft.engine]} />
      <div className="flex justify-end">
        <ActionDialog
          opener={`Connect this ${what} …`}
          openerLook="primary"
          title={`Connect 1 ${what} in ${place}`}
          lead={
            messages === null
              ? 'It is read from the next turn on. Its locks, keys and cases appear here; nothing in the store is changed.'
              : 'It is read from the next turn on. What is unsent and dead appears here; nothing in it is changed.'
          }
          confirm={`Connect 1 ${what} in ${place}`}
          withReason
          action={action}
        >
          <TextField name="name" label="Name" required maxLength={60} />
          <RegionField />
          <TextField
            name="system"
            label="System"
            required
            maxLength={40}
            defaultValue="payments"
            hint="Sources of one system are reconciled with each other."
          />
        </ActionDialog>
      </div>
    </>
  )
}

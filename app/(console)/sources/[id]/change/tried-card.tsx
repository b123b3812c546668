'use client'

import { useRouter } from 'next/navigation'
import type { Attempted } from '@/app/_server/attempt'
import { ActionDialog, type ActionInput } from '@/app/_ui/action-dialog'
import { Card } from '@/app/_ui/card'
import { type Fact, Facts } from '@/app/_ui/facts'
import { RadioFields } from '@/app/_ui/field'
import { Note } from '@/app/_ui/note'
import { ENGINE_FORMS } from '../../connect/engine-forms'
import { LookedAt } from '../../connect/looked-at'
import { type ChangeableSource, type ChangeDraft, type ChangeLook, change } from './actions'

type Props = { look: ChangeLook; draft: ChangeDraft; source: ChangeableSource; place: string }

/** What its rows mean then, what becomes of what was read, and the last step. */
export function TriedCard({ look, draft, source, place }: Props) {
  const router = useRouter()
  const { reading, outcome, preview } = look
  const moved = reading.kind === 'place'
  const needsOff = source.enabled && (moved || outcome !== 'kept')
  const action = async (input: ActionInput): Promise<Attempted<unknown>> => {
    const answer = await change(draft, input)
    if (answer.kind === 'done') router.push('/sources')
    return answer
  }
  const facts: Fact[] = reading.fields.map(({ name, before, after }) => ({
    label: name,
    value: `${before ?? 'none'} → ${after ?? 'none'}`,
  }))
  return (
    <>
      <Card id="outcome" title="2  What becomes of what was read">
        <div className="px-4 pb-4">
          <p>{moved ? MOVED : OUTCOME[outcome]}</p>
          {facts.length > 0 && <Facts facts={facts} />}
          {needsOff && (
            <Note tone="warn" className="mt-2">
              {source.name} is switched on. Switch it off on its card first: what is read while it changes
              would be mixed.
            </Note>
          )}
        </div>
      </Card>
      {preview === null ? (
        <Card id="preview" title="3  It answers">
          <p className="px-4 pb-4 text-ink-2">It was asked with these credentials, and can be read.</p>
        </Card>
      ) : (
        <LookedAt preview={preview} grants={null} form={ENGINE_FORMS[engineOf(source.adapter)]} />
      )}
      <div className="flex justify-end">
        <ActionDialog
          opener={`Change ${source.name} …`}
          openerLook="primary"
          forbidden={needsOff ? 'Switch it off first' : null}
          title={`Change 1 source in ${place}`}
          lead={moved ? 'It reads another place from the next turn on.' : OUTCOME[outcome]}
          confirm={`Change 1 source in ${place}`}
          withReason
          action={action}
        >
          {moved && (
            <RadioFields
              label="What is there"
              name="records"
              required
              choices={[
                { value: 'same', label: 'The same records: they moved' },
                { value: 'other', label: 'Other records' },
              ]}
            />
          )}
        </ActionDialog>
      </div>
    </>
  )
}

const OUTCOME: Record<ChangeLook['outcome'], string> = {
  kept: 'It stays, and reading goes on from where it is.',
  read_again: 'It stays. The source is read again from its beginning: no position of before is used.',
  forgotten:
    'What was read of it goes, and it is read from its beginning: its rows have another meaning, or another system.',
}

const MOVED =
  'It would read another place. Where the same records moved there, what was read stays and is read again from the beginning. Where they are other records, what was read goes, with its retention policies; cases stay with what they rest on, and nothing of before is concluded from its silence.'

/** For the words of the preview only. */
function engineOf(adapter: string): keyof typeof ENGINE_FORMS {
  if (adapter.includes('hybrid')) return 'hybrid'
  if (adapter.includes('redis')) return 'redis'
  return adapter.includes('dynamodb') ? 'dynamodb' : 'postgresql'
}

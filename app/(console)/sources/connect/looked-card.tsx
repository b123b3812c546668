'use client'

import { useRouter } from 'next/navigation'
import type { Attempted } from '@/app/_server/attempt'
import { ActionDialog, type ActionInput } from '@/app/_ui/action-dialog'
import { Card } from '@/app/_ui/card'
import { CodeBox } from '@/app/_ui/code-box'
import { CopyButton } from '@/app/_ui/copy-button'
import { EmptyState } from '@/app/_ui/empty-state'
import { TextField } from '@/app/_ui/field'
import { keyStateText } from '@/app/_ui/key-state-label'
import { ScrollBox } from '@/app/_ui/scroll-box'
import { ShortId } from '@/app/_ui/short-id'
import { type Column, Table, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import { TwoColumns } from '../../_page/page-frame'
import { CapabilityList } from '../capability-list'
import { connect, type Draft, type Looked } from './actions'
import { ENGINE_FORMS } from './engine-forms'
import { MessagesPreview } from './messages-preview'

/** What the mapping makes of real rows, what could be done there, the role that it needs; and then the last step. */
export function LookedCard({ looked, draft, place }: { looked: Looked; draft: Draft; place: string }) {
  const router = useRouter()
  const { preview, grants } = looked
  const { noun, grants: grantsPlace } = ENGINE_FORMS[draft.engine]
  const { messages } = preview
  const what = messages === null ? 'store' : 'source of messages'
  const action = async (input: ActionInput): Promise<Attempted<unknown>> => {
    const answer = await connect(draft, input)
    if (answer.kind === 'done') router.push('/sources')
    return answer
  }
  return (
    <>
      {messages === null ? (
        <Card
          id="preview"
          title={`3  What its ${noun.row}s mean`}
          aside={`${plural(preview.rows.length, noun.row)}${preview.moreLive ? ', more are live' : ''}`}
        >
          <PreviewRows rows={preview.rows} noun={noun} />
        </Card>
      ) : (
        <MessagesPreview messages={messages} more={preview.moreLive} />
      )}
      <TwoColumns>
        <Card id="capabilities" title="What may be done there">
          <div className="px-4 pb-4">
            <CapabilityList raw={preview.capabilities} />
          </div>
        </Card>
        <Card id="role" title="The role it needs" aside={grantsPlace}>
          <div className="px-4 pb-3">
            <CodeBox>{grants}</CodeBox>
            <CopyButton text={grants} label="Copy it" />
          </div>
        </Card>
      </TwoColumns>
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

type PreviewRow = Looked['preview']['rows'][number]

type Noun = (typeof ENGINE_FORMS)[Draft['engine']]['noun']

function PreviewRows({ rows, noun }: { rows: readonly PreviewRow[]; noun: Noun }) {
  if (rows.length === 0)
    return (
      <EmptyState kind="none" title={`The ${noun.place} can be read, and has none`}>
        Nothing can be checked before the service has written its first key.
      </EmptyState>
    )
  return (
    <ScrollBox label={`Real ${noun.row}s, table`} className="max-h-96">
      <Table
        columns={COLUMNS}
        rows={rows}
        id={({ scope, key, createdAt }) => `${scope} ${key} ${createdAt}`}
      />
    </ScrollBox>
  )
}

const COLUMNS: Column<PreviewRow>[] = [
  {
    head: 'Key',
    cell: ({ key, scope }) => (
      <TwoLines below={scope}>
        <ShortId id={key} />
      </TwoLines>
    ),
  },
  {
    head: 'State',
    cell: ({ state, status }) => (
      <>
        {keyStateText(state)}
        {status !== null && <span className="text-ink-3">, answered {status}</span>}
      </>
    ),
  },
  { head: 'Created', nowrap: true, cell: ({ createdAt }) => <Time at={createdAt} kind="seconds" /> },
  { head: 'Until', nowrap: true, cell: (row) => <Until row={row} /> },
]

function Until({ row: { leaseUntil, expiresAt } }: { row: PreviewRow }) {
  const at = leaseUntil ?? expiresAt
  if (at === null) return <span className="text-ink-3">no lease</span>
  return (
    <>
      {leaseUntil === null ? 'kept' : 'leased'} until{' '}
      <Time at={at} kind={leaseUntil === null ? 'clock' : 'seconds'} />
    </>
  )
}

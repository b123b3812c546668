import { Card } from '@/app/_ui/card'
import { CodeBox } from '@/app/_ui/code-box'
import { CopyButton } from '@/app/_ui/copy-button'
import { EmptyState } from '@/app/_ui/empty-state'
import { keyStateText } from '@/app/_ui/key-state-label'
import { ScrollBox } from '@/app/_ui/scroll-box'
import { ShortId } from '@/app/_ui/short-id'
import { type Column, Table, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import { TwoColumns } from '../../_page/page-frame'
import { CapabilityList } from '../capability-list'
import type { Looked } from './actions'
import type { ENGINE_FORMS } from './engine-forms'
import { MessagesPreview } from './messages-preview'

type Form = Pick<(typeof ENGINE_FORMS)[keyof typeof ENGINE_FORMS], 'noun' | 'grants'>

/** What a mapping makes of real rows, what could be done there, and the role that it needs. */
export function LookedAt({
  preview,
  grants,
  form,
}: {
  preview: Looked['preview']
  grants: string | null
  form: Form
}) {
  const { noun } = form
  return (
    <>
      {preview.messages === null ? (
        <Card
          id="preview"
          title={`3  What its ${noun.row}s mean`}
          aside={`${plural(preview.rows.length, noun.row)}${preview.moreLive ? ', more are live' : ''}`}
        >
          <PreviewRows rows={preview.rows} noun={noun} />
        </Card>
      ) : (
        <MessagesPreview messages={preview.messages} more={preview.moreLive} />
      )}
      <TwoColumns>
        <Card id="capabilities" title="What may be done there">
          <div className="px-4 pb-4">
            <CapabilityList raw={preview.capabilities} />
          </div>
        </Card>
        {grants !== null && (
          <Card id="role" title="The role it needs" aside={form.grants}>
            <div className="px-4 pb-3">
              <CodeBox>{grants}</CodeBox>
              <CopyButton text={grants} label="Copy it" />
            </div>
          </Card>
        )}
      </TwoColumns>
    </>
  )
}

type PreviewRow = Looked['preview']['rows'][number]

type Noun = Form['noun']

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

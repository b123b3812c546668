import { ActionDialog } from '@/app/_ui/action-dialog'
import { Card } from '@/app/_ui/card'
import { TextField } from '@/app/_ui/field'
import { saveTraceLink } from './actions'

/** Where else a trace can be looked at. */
export function TraceLinkCard(props: { template: string | null; forbidden: string | null }) {
  const { template, forbidden } = props
  return (
    <Card id="trace-link" title="Link to another trace UI">
      <div className="flex flex-wrap items-center justify-between gap-3 px-4 pb-4">
        <p className="min-w-0 break-all text-ink-2">
          {template === null ? (
            'Not configured: traces are shown here only.'
          ) : (
            <code className="font-mono text-s">{template}</code>
          )}
        </p>
        <ActionDialog
          opener="Change"
          forbidden={forbidden}
          title="Change the link to another trace UI"
          lead="Traces get a link to it, which the reader’s browser opens; the console itself never does."
          confirm="Save 1 template"
          withReason
          action={saveTraceLink}
        >
          <TextField
            name="template"
            label="https template; empty takes the link away"
            defaultValue={template ?? ''}
            placeholder="https://traces.example.com/trace/{traceId}"
            maxLength={500}
          />
        </ActionDialog>
      </div>
    </Card>
  )
}

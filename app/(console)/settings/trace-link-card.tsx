import { ActDialog } from '@/app/_ui/act-dialog'
import { Card } from '@/app/_ui/card'
import { fieldClass } from '@/app/_ui/field'
import { saveTraceLink } from './act'

/** Where else a trace can be looked at. */
export function TraceLinkCard({
  template,
  forbidden,
}: {
  template: string | null
  forbidden: string | null
}) {
  return (
    <Card id="trace-link" title="Link to another trace UI">
      <div className="flex flex-wrap items-center justify-between gap-3 px-4 pb-4">
        <p className="min-w-0 break-all text-ink-2">
          {template === null ? (
            'None is set: traces are shown here only.'
          ) : (
            <code className="font-mono text-s">{template}</code>
          )}
        </p>
        <ActDialog
          opener="Change"
          forbidden={forbidden}
          title="Change the link to another trace UI"
          lead="Traces get a link to it, which the reader’s browser opens; the console itself never does."
          confirm="Save 1 template"
          withReason
          act={saveTraceLink}
        >
          <label className="block">
            <span className="mb-1 block font-medium">https template; empty takes the link away</span>
            <input
              name="template"
              defaultValue={template ?? ''}
              placeholder="https://traces.example.com/trace/{traceId}"
              autoComplete="off"
              maxLength={500}
              className={fieldClass}
            />
          </label>
        </ActDialog>
      </div>
    </Card>
  )
}

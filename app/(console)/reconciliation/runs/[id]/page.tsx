import type { Metadata } from 'next'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { Badge } from '@/app/_ui/badge'
import { ExportButtons } from '@/app/_ui/export-buttons'
import { listUsers } from '@/lib/access/users'
import { systemResults } from '@/lib/reconcile/report/run-results'
import { readRunLog } from '@/lib/runs/read'
import { openPage, type PageProps } from '../../../_page/open-page'
import { openRun } from '../../../_page/open-run'
import { BesideEachOther, Page } from '../../../_page/page-frame'
import { cancel, repeatForReal } from '../../actions'
import { RUN_STATE } from '../../labels'
import { RunFacts } from '../../run-facts'
import { RunLog } from '../../run-log'
import { RunVerdict } from './run-verdict'
import { SystemCard } from './system-card'
import { WindowText } from './window-text'

export const metadata: Metadata = { title: 'Run' }

export default async function RunPage(props: PageProps<{ id: string }>) {
  const { id } = await props.params
  const { ctx, forbid } = await openPage(`/reconciliation/runs/${id}`, props)
  const run = await openRun(ctx.db, id, 'reconciliation')
  const [log, users] = await Promise.all([readRunLog(ctx.db, id), listUsers(ctx.db)])
  const results = systemResults(run.counts)
  const active = run.state === 'queued' || run.state === 'running'
  return (
    <Page
      title={run.dryRun ? 'Dry run' : 'Run'}
      path={[{ label: 'Reconciliation', href: '/reconciliation' }, { label: 'Runs' }, { id: run.id }]}
      beside={
        <Badge tone={active ? 'accent' : run.state === 'failed' ? 'bad' : 'plain'}>
          {RUN_STATE[run.state].text}
        </Badge>
      }
      summary={<WindowText run={run} />}
      actions={
        <>
          {!active && run.startedAt !== null && (
            <ExportButtons
              action={`/reconciliation/runs/${run.id}/export`}
              title="What it did to cases; that you took it is recorded"
            />
          )}
          {active && (
            <ActionDialog
              opener="Abort"
              forbidden={forbid('run.cancel')}
              title="Abort this run"
              lead="It stops at its next safe point. What it committed stays, and is the same as if it had gone on."
              tone="danger"
              confirm="Abort 1 run"
              action={cancel.bind(null, run.id)}
            />
          )}
          {run.dryRun && run.state === 'done' && (
            <ActionDialog
              opener="Run for real"
              openerLook="primary"
              forbidden={forbid('run.start')}
              title="Run the same for real"
              lead="Opens, updates and resolves cases. No money moves and no key changes."
              confirm="Start 1 run"
              action={repeatForReal.bind(null, run.id)}
            />
          )}
        </>
      }
    >
      <BesideEachOther
        side={
          <>
            <RunFacts run={run} by={users.find((user) => user.id === run.requestedBy)?.name} />
            <RunLog lines={log} />
          </>
        }
      >
        <RunVerdict run={run} results={results} />
        {results.map((result) => (
          <SystemCard key={result.system} result={result} dryRun={run.dryRun} />
        ))}
      </BesideEachOther>
    </Page>
  )
}

import type { Metadata } from 'next'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { ExportButtons } from '@/app/_ui/export-buttons'
import { Time } from '@/app/_ui/time'
import { listUsers } from '@/lib/access/users'
import { namesOf } from '@/lib/core/names'
import { systemResults } from '@/lib/reconcile/report/run-results'
import { isActive } from '@/lib/runs/describe-run'
import { type RunView, readRunLog } from '@/lib/runs/read'
import { openPage, type PageProps } from '../../../_page/open-page'
import { openRun } from '../../../_page/open-run'
import { BesideEachOther, Page } from '../../../_page/page-frame'
import { AboutRun, RunBadge } from '../../../_page/run-parts'
import { cancel, repeatForReal } from '../../actions'
import { VerdictCard } from '../../verdict-card'
import { SystemCard } from './system-card'

export const metadata: Metadata = { title: 'Run' }

export default async function RunPage(props: PageProps<{ id: string }>) {
  const { id } = await props.params
  const { ctx, forbid } = await openPage(`/reconciliation/runs/${id}`, props)
  const run = await openRun(ctx.db, id, 'reconciliation')
  const [log, users] = await Promise.all([readRunLog(ctx.db, id), listUsers(ctx.db)])
  const results = systemResults(run.counts)
  const active = isActive(run)
  return (
    <Page
      title={run.dryRun ? 'Dry run' : 'Run'}
      path={[{ label: 'Reconciliation', href: '/reconciliation' }, { label: 'Runs' }, { id: run.id }]}
      beside={<RunBadge run={run} />}
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
      <BesideEachOther side={<AboutRun run={run} people={namesOf(users)} lines={log} />}>
        <VerdictCard run={run} results={results} />
        {results.map((result) => (
          <SystemCard key={result.system} result={result} dryRun={run.dryRun} />
        ))}
      </BesideEachOther>
    </Page>
  )
}

/** Which systems over which time, or which key or order, as the run was asked for. */
function WindowText({ run }: { run: RunView }) {
  const { system } = paramsOf(run)
  return (
    <>
      {typeof system === 'string' ? system : 'All systems'}, <About run={run} />. Started{' '}
      <Time at={run.startedAt ?? run.createdAt} />
      {run.dryRun && '. A dry run opens no case'}.
    </>
  )
}

function About({ run }: { run: RunView }) {
  const { from, to, scope, key, reference } = paramsOf(run)
  if (typeof reference === 'string')
    return (
      <>
        the order <span className="font-mono text-s">{reference}</span>, asked by id
      </>
    )
  if (typeof key === 'string')
    return (
      <>
        the key <span className="font-mono text-s">{key}</span> of {String(scope)}, asked by id
      </>
    )
  if (typeof from === 'string' && typeof to === 'string')
    return (
      <>
        <Time at={from} kind="seconds" /> – <Time at={to} kind="seconds" />
      </>
    )
  return <>all that changed since the last run</>
}

const paramsOf = ({ params }: RunView): Record<string, unknown> =>
  params !== null && typeof params === 'object' ? (params as Record<string, unknown>) : {}

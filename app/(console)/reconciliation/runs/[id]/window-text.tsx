import { Time } from '@/app/_ui/time'
import type { RunView } from '@/lib/runs/read'

/** Which systems over which time, or which key or order, as the run was asked for. */
export function WindowText({ run }: { run: RunView }) {
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
  return 'all that changed since the last run'
}

const paramsOf = ({ params }: RunView): Record<string, unknown> =>
  params !== null && typeof params === 'object' ? (params as Record<string, unknown>) : {}

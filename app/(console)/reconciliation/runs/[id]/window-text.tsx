import { Time } from '@/app/_ui/time'
import type { RunView } from '@/lib/runs/read'

/** Which systems over which time, as the run was asked for. */
export function WindowText({ run }: { run: RunView }) {
  const params =
    run.params !== null && typeof run.params === 'object' ? (run.params as Record<string, unknown>) : {}
  const { from, to, system } = params
  return (
    <>
      {typeof system === 'string' ? system : 'All systems'},{' '}
      {typeof from === 'string' && typeof to === 'string' ? (
        <>
          <Time at={from} /> – <Time at={to} />
        </>
      ) : (
        'all that changed since the last run'
      )}
      . Started <Time at={run.startedAt ?? run.createdAt} />
      {run.dryRun && '. A dry run opens no case'}.
    </>
  )
}

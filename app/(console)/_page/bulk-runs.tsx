'use client'

import { Button } from '@/app/_ui/button'
import { Progress } from '@/app/_ui/progress'
import { StateMark } from '@/app/_ui/state-mark'
import { Time } from '@/app/_ui/time'
import { useVerb } from '@/app/_ui/use-verb'
import { plural } from '@/lib/core/format-figure'
import type { RunState } from '@/lib/core/states'
import type { Standing } from '@/lib/core/verdict'
import { abortRun } from '../locks/actions'
import type { BulkRun, BulkVerb } from '../locks/read-locks'

const STATE: Record<RunState, { standing: Standing; text: string }> = {
  queued: { standing: 'unknown', text: 'waits for a worker' },
  running: { standing: 'stale', text: 'running' },
  done: { standing: 'ok', text: 'ended' },
  failed: { standing: 'bad', text: 'failed' },
  cancelled: { standing: 'warn', text: 'aborted' },
}

const WHAT: Record<BulkVerb, { name: string; noun: string }> = {
  release: { name: 'Release', noun: 'lock' },
  complete: { name: 'Complete', noun: 'lock' },
  fail: { name: 'Fail', noun: 'lock' },
  redrive: { name: 'Send again', noun: 'message' },
  discard: { name: 'Discard', noun: 'message' },
}

/** Bulk jobs that work, or ended a moment ago, whoever started them and wherever. */
export function BulkRuns({ runs, refusal }: { runs: readonly BulkRun[]; refusal: string | null }) {
  return runs.map((run) => <OneRun key={run.id} run={run} refusal={refusal} />)
}

function OneRun({ run, refusal }: { run: BulkRun; refusal: string | null }) {
  const { send, pending, fault } = useVerb(abortRun)
  const { done, refused, unknown, failed, total, failures } = run.counts
  const { name, noun } = WHAT[run.verb]
  const live = run.finishedAt === null
  const blocked = pending || run.cancelRequested || refusal !== null
  const error = run.error ?? fault?.why
  const standing = run.state === 'done' && done !== total ? 'warn' : STATE[run.state].standing
  const rest = total === null ? null : total - done - refused - unknown - failed
  return (
    <section
      aria-label={`Bulk job ${run.id}`}
      className="rounded-m border border-line bg-surface px-4 py-3 shadow-card"
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <StateMark standing={standing} says={null} />
        <h2 className="font-semibold">
          {name} {total === null ? `${noun}s` : plural(total, noun)}: {STATE[run.state].text}
        </h2>
        <p role="status" className="text-ink-2">
          {done} done, {refused} refused, {failed} failed, {unknown} unknown
          {rest !== null && rest > 0 && (live ? `, ${rest} to go` : `, ${rest} not tried`)}
        </p>
        <p className="ml-auto text-ink-3 text-s">
          {run.requestedBy} · <Time at={run.finishedAt ?? run.createdAt} kind="ago" />
        </p>
        {live && (
          <Button
            look={run.cancelRequested || refusal !== null ? 'plain' : 'danger'}
            aria-disabled={blocked}
            onClick={() => !blocked && send(run.id)}
          >
            {run.cancelRequested ? 'Stops after this item' : 'Abort the rest'}
          </Button>
        )}
      </div>
      <Progress value={run.progress} label="Progress" />
      {error !== undefined && <p className="mt-2 text-bad-ink">{error}</p>}
      {failures.length > 0 && (
        <details className="mt-2">
          <summary className="font-medium text-accent-ink">What was not done ({failures.length})</summary>
          <ul className="mt-1 max-h-60 overflow-y-auto">
            {failures.map((failure) => (
              <li key={failure.id} className="flex flex-wrap gap-x-3 py-1">
                <span className="font-mono text-s">{failure.id}</span>
                <span className="text-ink-2">
                  {failure.state}: {failure.text ?? failure.reason}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  )
}

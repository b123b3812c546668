import type { Clock } from './clock'
import { ExecutionDeadlineError, StaleHolderError } from './errors'

export type LeaseGuard = {
  /** Aborts at the execution deadline, or when the fence is lost. */
  readonly signal: AbortSignal
  /** Resolves at the deadline; never rejects. */
  readonly deadline: Promise<'deadline'>
  /** Throws StaleHolderError when nothing may begin any more. */
  check(): void
  /** Ends heartbeat and deadline. */
  stop(): void
}

type GuardOptions = {
  clock: Clock
  heartbeatMs: number
  executionDeadlineMs: number
  /** Prolongs the lease; false = the fence is lost. */
  beat: () => Promise<boolean>
}

/**
 * Keeps a lease alive while its handler runs, at most until the deadline. A handler that hangs loses its heartbeat
 * there, and the lease expires by itself; it is never released, since the handler may still run.
 */
export function guardLease({ clock, heartbeatMs, executionDeadlineMs, beat }: GuardOptions): LeaseGuard {
  const abort = new AbortController()
  const deadlineAtMs = clock.nowMs() + executionDeadlineMs
  let stopped = false
  let cancelBeat = () => {}

  const end = (reason: StaleHolderError) => {
    if (stopped || abort.signal.aborted) return
    cancelBeat()
    abort.abort(reason)
  }
  const expire = () =>
    end(new ExecutionDeadlineError(`the execution deadline of ${executionDeadlineMs} ms has passed`))

  const scheduleBeat = () => {
    cancelBeat = clock.after(
      heartbeatMs,
      async () => {
        // The timer may be late: a process that was stopped must not revive a lease past its deadline.
        if (clock.nowMs() >= deadlineAtMs) return expire()
        const held = await beat().catch(() => 'unheard' as const)
        if (stopped || abort.signal.aborted) return
        if (held === false)
          return end(new StaleHolderError('the fence was lost: another holder or an operator has the key'))
        scheduleBeat()
      },
      'background',
    )
  }
  scheduleBeat()

  let cancelDeadline = () => {}
  const deadline = new Promise<'deadline'>((resolve) => {
    cancelDeadline = clock.after(
      executionDeadlineMs,
      () => {
        expire()
        resolve('deadline')
      },
      'background',
    )
  })

  return {
    signal: abort.signal,
    deadline,
    check() {
      if (clock.nowMs() >= deadlineAtMs) expire()
      if (abort.signal.reason instanceof StaleHolderError) throw abort.signal.reason
      if (stopped) throw new StaleHolderError('the execution has ended')
    },
    stop() {
      stopped = true
      cancelBeat()
      cancelDeadline()
    },
  }
}

import type { Clock } from './clock'
import { ExecutionDeadlineError, StaleHolderError } from './errors'

export type LeaseGuard = {
  /** Aborts at the execution deadline, or when the fence is lost. */
  readonly signal: AbortSignal
  /**
   * Aborts a whole lease after that, once the handler has returned: what was not read by then is not worth the wait. Not
   * sooner, since a late end may still be written where nobody else has acted.
   */
  readonly lapsed: AbortSignal
  /** Resolves at the deadline; never rejects. */
  readonly deadline: Promise<'deadline'>
  /** Throws StaleHolderError when nothing may begin any more. */
  check(): void
  /** The handler has returned: nothing may begin any more, while its answer is read and written. */
  close(): void
  /** Ends heartbeat and deadline. */
  stop(): void
}

type GuardOptions = {
  clock: Clock
  executionDeadlineMs: number
  /** null = nothing is held: only the deadline counts. */
  lease: {
    leaseMs: number
    heartbeatMs: number
    /** Prolongs the lease; false = the fence is lost. */
    beat: () => Promise<boolean>
  } | null
}

/**
 * Keeps a lease alive until its answer is written, at most until the deadline. A handler that hangs, or a body that
 * stalls, loses its heartbeat there, and the lease expires by itself; it is never released, since it may still run.
 */
export function guardLease({ clock, executionDeadlineMs, lease }: GuardOptions): LeaseGuard {
  const abort = new AbortController()
  const lapse = new AbortController()
  const deadlineAtMs = clock.nowMs() + executionDeadlineMs
  let closed = false
  let stopped = false
  let cancelBeat = () => {}
  let cancelLapse = () => {}

  const scheduleLapse = () => {
    if (stopped || !closed || !abort.signal.aborted) return
    cancelLapse = clock.after(lease?.leaseMs ?? 0, () => lapse.abort(abort.signal.reason), 'background')
  }
  const end = (reason: StaleHolderError) => {
    if (stopped || abort.signal.aborted) return
    cancelBeat()
    abort.abort(reason)
    scheduleLapse()
  }
  const expire = () =>
    end(new ExecutionDeadlineError(`the execution deadline of ${executionDeadlineMs} ms has passed`))

  const scheduleBeat = (held: NonNullable<typeof lease>) => {
    cancelBeat = clock.after(
      held.heartbeatMs,
      async () => {
        // The timer may be late: a process that was stopped must not revive a lease past its deadline.
        if (clock.nowMs() >= deadlineAtMs) return expire()
        // A store that does not answer has not refused: the next beat asks again, and the lease's end is watched.
        const kept = await held.beat().catch(() => 'unheard' as const)
        if (stopped || abort.signal.aborted) return
        if (kept === false)
          return end(new StaleHolderError('the fence was lost: another holder or an operator has the key'))
        scheduleBeat(held)
      },
      'background',
    )
  }
  if (lease !== null) scheduleBeat(lease)

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
    lapsed: lapse.signal,
    deadline,
    check() {
      if (clock.nowMs() >= deadlineAtMs) expire()
      if (abort.signal.reason instanceof StaleHolderError) throw abort.signal.reason
      if (closed) throw new StaleHolderError('the execution has ended')
    },
    close() {
      closed = true
      scheduleLapse()
    },
    stop() {
      closed = true
      stopped = true
      cancelBeat()
      cancelDeadline()
      cancelLapse()
    },
  }
}

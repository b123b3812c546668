import type { Clock } from '../clock'
import { ExecutionDeadlineError, StaleHolderError } from '../errors'

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

const SHORT_LEASE_SHARE = 0.75

type GuardOptions = {
  clock: Clock
  executionDeadlineMs: number
  /** null = nothing is held: only the deadline counts. */
  lease: {
    leaseMs: number
    heartbeatMs: number
    /** Prolongs the lease; false = the fence is lost. */
    beat: () => Promise<boolean>
    /** Where clients compare leases: stops so long before its end, by this process's own clock. */
    stopping?: { leftMs: number; marginMs: number } | undefined
  } | null
}

/**
 * Keeps a lease alive until its answer is written, at most until the deadline. A handler that hangs, or a body that
 * stalls, loses its heartbeat there, and the lease expires by itself; it is never released, since it may still run.
 */
export function guardLease({ clock, executionDeadlineMs, lease }: GuardOptions): LeaseGuard {
  const abort = createLateSignal()
  const lapse = createLateSignal()
  const deadlineAtMs = clock.nowMs() + executionDeadlineMs
  let closed = false
  let stopped = false
  let cancelBeat = () => {}
  let cancelLapse = () => {}
  let cancelStopping = () => {}

  const scheduleLapse = () => {
    if (stopped || !closed || abort.reason() === null) return
    cancelLapse = clock.after(lease?.leaseMs ?? 0, () => lapse.abort(abort.reason()), 'background')
  }
  const end = (reason: StaleHolderError) => {
    if (stopped || abort.reason() !== null) return
    cancelBeat()
    cancelStopping()
    abort.abort(reason)
    scheduleLapse()
  }
  const expire = () =>
    end(new ExecutionDeadlineError(`the execution deadline of ${executionDeadlineMs} ms has passed`))

  /** The lease lasts so long from a time on when it was surely not longer. */
  const scheduleStopping = (leaseMs: number, fromMs: number) => {
    if (lease?.stopping === undefined) return
    cancelStopping()
    const { marginMs } = lease.stopping
    // A lease that is hardly longer than the margin would end before its first beat.
    const lastsMs = Math.max(leaseMs - marginMs, leaseMs * SHORT_LEASE_SHARE)
    cancelStopping = clock.after(
      Math.max(0, fromMs + lastsMs - clock.nowMs()),
      () =>
        end(
          new StaleHolderError('the lease could not be prolonged in time: another holder may have the key'),
        ),
      'background',
    )
  }

  const scheduleBeat = (held: NonNullable<typeof lease>) => {
    cancelBeat = clock.after(
      held.heartbeatMs,
      async () => {
        // The timer may be late: a process that was stopped must not revive a lease past its deadline.
        if (clock.nowMs() >= deadlineAtMs) return expire()
        // A store that does not answer has not refused: the next beat asks again, and the lease's end is watched.
        const sentMs = clock.nowMs()
        const kept = await held.beat().catch(() => 'unheard' as const)
        if (stopped || abort.reason() !== null) return
        if (kept === false)
          return end(new StaleHolderError('the fence was lost: another holder or an operator has the key'))
        if (kept === true) scheduleStopping(held.leaseMs, sentMs)
        scheduleBeat(held)
      },
      'background',
    )
  }
  if (lease !== null) {
    scheduleBeat(lease)
    scheduleStopping(lease.stopping?.leftMs ?? lease.leaseMs, clock.nowMs())
  }

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
    get signal() {
      return abort.signal()
    },
    get lapsed() {
      return lapse.signal()
    },
    deadline,
    check() {
      if (clock.nowMs() >= deadlineAtMs) expire()
      const reason = abort.reason()
      if (reason !== null) throw reason
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
      cancelStopping()
      cancelDeadline()
      cancelLapse()
    },
  }
}

/** A signal that is made when it is asked for: each costs as much as a tenth of a short request, and most are not looked at. */
function createLateSignal() {
  let aborted: StaleHolderError | null = null
  let controller: AbortController | undefined
  return {
    reason: () => aborted,
    abort(reason: StaleHolderError | null) {
      aborted ??= reason
      controller?.abort(aborted)
    },
    signal() {
      controller ??= new AbortController()
      if (aborted !== null) controller.abort(aborted)
      return controller.signal
    },
  }
}

import type pg from 'pg'
import type { SystemContext } from '@/lib/context'
import type { RunKind } from '@/lib/core/states'

export type RunUpdate = {
  /** 0–1. */
  progress?: number
  /** Merged into the run's counts. */
  counts?: Record<string, number | string | object>
  /** Where a new holder goes on. Replaces the last one. */
  checkpoint?: unknown
}

export type RunResult = { outcome: string; counts: Record<string, unknown> }

/** What a handler holds while it works on a run. Every write is conditional on the fence. */
export type RunHandle = {
  id: string
  kind: RunKind
  fence: bigint
  dryRun: boolean
  params: unknown
  checkpoint: unknown
  /**
   * Writes progress, and extends the lease. With a client it writes inside that transaction, so that rows and
   * checkpoint commit together. Throws RunLostError when another process took over, RunCancelledError when somebody asked
   * for the end: let both pass.
   */
  report(update: RunUpdate, client?: pg.PoolClient): Promise<void>
  log(level: 'info' | 'warn' | 'error', message: string, data?: Record<string, unknown>): Promise<void>
}

/** One job. It resumes from `handle.checkpoint` and may be run again from any point. */
export type RunHandler = (ctx: SystemContext, handle: RunHandle, params: unknown) => Promise<RunResult>

/** Another process holds the run now: stop, and write nothing more. */
export class RunLostError extends Error {
  constructor(runId: string) {
    super(`${runId} was taken over by another worker`)
    this.name = 'RunLostError'
  }
}

/** Somebody asked for the end: stop at this point. What was committed stays. */
export class RunCancelledError extends Error {
  constructor(runId: string) {
    super(`${runId} was cancelled`)
    this.name = 'RunCancelledError'
  }
}

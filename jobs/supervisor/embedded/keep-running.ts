import { AppError } from '@/lib/core/errors'
import type { Log } from '@/lib/log'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './postgres'

/** A server that ends or fails to start this often within this time will not hold: a person must look. */
const FAILURES_MAX = 5
const WITHIN_MS = 10 * 60_000
const RETRY_AFTER_MS = 500

export type KeptPostgres = Pick<EmbeddedPostgres, 'port' | 'url' | 'stop'> & {
  /** Resolves with the reason when it could not be kept running. */
  lost: Promise<Error>
}

/**
 * The embedded PostgreSQL, started again on the same port whenever it ends by itself: killed, out of memory, or because
 * its disk was full. Its clients reconnect by themselves. Once `signal` aborts it is started no more, and a start that is
 * under way is ended; `stop` ends it in any case.
 */
export async function keepEmbeddedPostgres(
  folder: string,
  log: Log,
  { failuresMax = FAILURES_MAX, signal }: { failuresMax?: number; signal?: AbortSignal } = {},
): Promise<KeptPostgres> {
  const stopping = new AbortController()
  const ending = AbortSignal.any(signal === undefined ? [stopping.signal] : [stopping.signal, signal])
  let running = await startEmbeddedPostgres(folder, { signal: ending })
  const { port, url } = running
  let report: (reason: Error) => void = () => undefined
  const lost = new Promise<Error>((resolve) => {
    report = resolve
  })

  const failures: number[] = []
  /** Resolves to whether it may be started again, after a pause that grows. */
  async function mayStartAgain(): Promise<boolean> {
    const now = performance.now()
    failures.push(now)
    const recent = failures.filter((at) => at > now - WITHIN_MS).length
    if (recent > failuresMax) return false
    await new Promise((done) => setTimeout(done, RETRY_AFTER_MS * recent))
    return !ending.aborted
  }

  async function watch(): Promise<void> {
    let failure = new Error('it ended')
    for (;;) {
      await running.exited
      if (ending.aborted) return
      log.error({ err: failure }, 'the embedded PostgreSQL ended; starting it again')
      if (!(await mayStartAgain())) return ending.aborted ? undefined : report(failure)
      try {
        running = await startEmbeddedPostgres(folder, { port, signal: ending })
        failure = new Error('it ended')
      } catch (error) {
        if (ending.aborted) return
        if (!(error instanceof AppError)) throw error
        failure = error
      }
      if (ending.aborted) return running.stop()
    }
  }
  const watching = watch().catch(report)

  return {
    port,
    url,
    lost,
    async stop() {
      stopping.abort(new Error('the embedded PostgreSQL is being stopped'))
      await running.stop()
      await watching
    },
  }
}

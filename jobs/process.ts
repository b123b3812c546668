import type { Log } from '@/lib/log'

const SHUTDOWN_TIMEOUT_MS = 5_000

/** Runs `close` once on SIGTERM, SIGINT or when the supervisor is gone, then ends the process: after `withinMs` in any case. */
export function onShutdown(log: Log, close: () => Promise<void>, withinMs = SHUTDOWN_TIMEOUT_MS): void {
  let closing = false
  const shutdown = (reason: string) => {
    if (closing) return
    closing = true
    log.info({ reason }, 'shutting down')
    setTimeout(() => process.exit(1), withinMs).unref()
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'shutdown failed')
        process.exit(1)
      },
    )
  }
  process.once('SIGTERM', () => shutdown('SIGTERM'))
  process.once('SIGINT', () => shutdown('SIGINT'))
  process.once('disconnect', () => shutdown('the supervisor is gone'))
}

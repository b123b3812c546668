import { createServer, type Server } from 'node:net'
import { AppError } from '@/lib/core/errors'
import type { Log } from '@/lib/log'

const SHUTDOWN_TIMEOUT_MS = 5_000

/**
 * Runs `close` once on SIGTERM, SIGINT, SIGHUP or when the supervisor is gone, then ends the process: after `withinMs` in
 * any case. A signal that comes again (npm passes on what the terminal sends to both) changes nothing.
 */
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
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => shutdown(signal))
  process.once('disconnect', () => shutdown('the supervisor is gone'))
}

/** Runs a process until it is up. What keeps it from starting is one line that says what to do; a bug keeps its stack. */
export async function startProcess(start: () => Promise<void>): Promise<void> {
  try {
    await start()
  } catch (error) {
    console.error(error instanceof AppError ? error.message : error)
    process.exit(1)
  }
}

/** Throws as `listen` does: a child that cannot listen would be started again and again. */
export async function assertPortFree(port: number, host: string, setting: string): Promise<void> {
  const server = createServer()
  await listen(server, port, host, setting)
  await new Promise((done) => server.close(done))
}

/** Resolves when the server listens. Throws `unavailable` when its port is taken, and says which setting it is. */
export async function listen(server: Server, port: number, host: string, setting: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        cause.code === 'EADDRINUSE' || cause.code === 'EACCES'
          ? new AppError(
              'unavailable',
              `${host}:${port} cannot be listened on (${cause.code}). Set ${setting} to a free port.`,
              { cause },
            )
          : cause,
      ),
    )
    server.listen(port, host, resolve)
  })
}

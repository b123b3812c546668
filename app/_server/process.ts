import { standInForWorker } from '@/lib/alerts/stand-in'
import { AppError } from '@/lib/core/errors'
import { env, publicUrl } from '@/lib/env'
import { forgetProcess, heartbeatProcess } from '@/lib/runs/processes'
import { services } from './services'
import { stampRequests } from './stamp-requests'

const BEAT_EVERY_MS = 5_000
/** A worker that starts beside this process is there by then. */
const STAND_IN_EVERY_MS = 15_000
/** Requests that are being answered keep their connections for this long. */
const REQUESTS_GRACE_MS = 2_000

/** The web process's own life: faults of its configuration at start, its sign of life, and a quick end. */
export function startProcess(): void {
  const app = openOrExit()
  stampRequests(publicUrl(app.settings))
  const beat = () =>
    heartbeatProcess(app.db, { id: app.id, kind: 'web', pid: process.pid }, app.clock).catch(
      (error: unknown) => app.log.warn({ err: error }, 'heartbeat failed'),
    )
  const timer = setInterval(beat, BEAT_EVERY_MS)
  timer.unref()
  void beat()
  const standIn = () =>
    standInForWorker(app).catch((error: unknown) =>
      app.log.warn({ err: error }, 'no worker, and nobody told'),
    )
  const standInTimer = setInterval(standIn, STAND_IN_EVERY_MS)
  standInTimer.unref()

  // Next ends the process once no request is open; an open stream would hold it.
  const end = () => {
    clearInterval(timer)
    clearInterval(standInTimer)
    const closingFailed = (error: unknown) => app.log.warn({ err: error }, 'closing failed')
    app.live.close().catch(closingFailed)
    forgetProcess(app.db, app.id).catch(closingFailed)
    const close = () => app.close().catch(closingFailed)
    setTimeout(close, REQUESTS_GRACE_MS).unref()
  }
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
}

function openOrExit() {
  try {
    env()
    return services()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
}

import type { Log } from '@/lib/log'

const POLL_MS = 250
/** A first start on a slow machine; afterwards it says what is missing and goes on waiting. */
const PATIENCE_MS = 60_000

/** Resolves when /readyz answers 200. */
export async function waitUntilReady(port: number, log: Log): Promise<void> {
  const startedAt = performance.now()
  let complained = false
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, {
      signal: AbortSignal.timeout(5_000),
    }).then(
      async (response) => ({ ok: response.ok, body: await response.text() }),
      (error: Error) => ({ ok: false, body: error.message }),
    )
    if (answer.ok) return
    if (!complained && performance.now() - startedAt > PATIENCE_MS) {
      log.warn({ readyz: answer.body }, 'still not ready')
      complained = true
    }
    await new Promise((done) => setTimeout(done, POLL_MS))
  }
}

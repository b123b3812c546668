import { systemClock } from '@/lib/core/clock'
import { closeDatabase, openDatabase } from '@/lib/db'
import type { Log } from '@/lib/log'
import { readCoverage } from '@/lib/telemetry/read/coverage'

const POLL_MS = 250
/** A first start on a slow machine; afterwards it says what is missing and goes on waiting. */
const PATIENCE_MS = 60_000
/** Half a minute: at the lowest rate traffic may begin later, and the console is there. */
const FIGURES_TRIES_MAX = 120

async function ask(port: number): Promise<{ ok: boolean; body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5_000) })
  return { ok: response.ok, body: await response.text() }
}

/** Resolves when /readyz answers 200. */
export async function waitUntilReady(port: number, log: Log): Promise<void> {
  const startedAt = performance.now()
  let complained = false
  for (;;) {
    const answer = await ask(port).catch((error: Error) => ({ ok: false, body: error.message }))
    if (answer.ok) return
    if (!complained && performance.now() - startedAt > PATIENCE_MS) {
      log.warn({ readyz: answer.body }, 'still not ready')
      complained = true
    }
    await new Promise((done) => setTimeout(done, POLL_MS))
  }
}

/** The demo's first keyed requests, rolled up: a page that is opened now has something to show. */
export async function waitForFigures(databaseUrl: string): Promise<void> {
  const db = openDatabase(databaseUrl, 1)
  try {
    const from = new Date(systemClock.now().getTime() - 3_600_000)
    for (let tries = 0; tries < FIGURES_TRIES_MAX; tries += 1) {
      const { keyed } = await readCoverage(db, { from, to: systemClock.now() })
      if (keyed > 0n) return
      await new Promise((done) => setTimeout(done, POLL_MS))
    }
  } finally {
    await closeDatabase(db)
  }
}

import type { SystemContext } from '@/lib/context'
import { env } from '@/lib/env'
import { notify } from '@/lib/live-events'
import { detectOrphans } from '@/lib/telemetry/ingest/keys/detect-orphans'

/** One run's worth of calls; each is bounded itself. */
const ROUNDS_MAX = 20
const ROUND_FULL = 5_000

/** Marks committed effects whose key did not end within the grace. Duplicates are flagged by the intake itself. */
export async function detectEffects(ctx: SystemContext): Promise<{ orphans: number }> {
  const graceMs = env().IDEMSCOPE_ORPHAN_GRACE_MS
  let orphans = 0
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const found = await detectOrphans(ctx.db, ctx.clock, { graceMs })
    orphans += found
    if (found < ROUND_FULL) break
  }
  if (orphans > 0) await notify(ctx.db.pool, { kind: 'effects' })
  return { orphans }
}

import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { env } from '@/lib/env'
import { listLocks } from '@/lib/locks/list-locks'
import { keyHash } from '@/lib/sources/key-hash'
import { type KeyView, listKeys } from './list-keys'

const FIND_TIMEOUT_MS = 1_500
const TRACES_TRIED_MAX = 6

/**
 * The key that a trace is about, as the store has it. Telemetry knows it by its hash only: the record names the trace that
 * began it, which is one of those that carried the key. With the lock on it while there is one. Null = not staged yet,
 * collected, or too slow to find now.
 */
export async function findKeyOf(
  ctx: SystemContext,
  request: { hash: string; scope: string | null; traceIds: readonly string[] },
): Promise<{ key: KeyView; lockId: string | null } | null> {
  const secret = env().IDEMSCOPE_KEY_SECRET
  if (secret === undefined) return null
  for (const traceId of [...new Set(request.traceIds)].slice(0, TRACES_TRIED_MAX)) {
    const found = await listKeys(ctx, { traceId }, { limit: 5 }, { timeoutMs: FIND_TIMEOUT_MS }).catch(late)
    if (found === null) return null
    const key = found.items.find(
      (each) =>
        keyHash(secret, each.key) === request.hash &&
        (request.scope === null || each.scope === request.scope),
    )
    if (key !== undefined) return { key, lockId: await lockOf(ctx, key) }
  }
  return null
}

async function lockOf(ctx: SystemContext, { source, scope, key }: KeyView): Promise<string | null> {
  const { items } = await listLocks(ctx.db, { source, scope, key }, { limit: 1 }, ctx.clock.now())
  return items[0]?.id ?? null
}

function late(error: unknown): null {
  if (error instanceof AppError && error.code === 'timeout') return null
  throw error
}

import type { IntentSource, LeaseRow } from '@/lib/sources/contracts'
import { readAllLeases } from '@/lib/sources/read-all-leases'
import { redisConfigSchema } from '@/lib/sources/redis/config'
import { openRedisSource } from '@/lib/sources/redis/open'
import { createGate } from '../../sdk/support'

/** Walks as it would, without leaving time to others. */
export const openStore = (url: string, config: unknown, replicaUrl?: string): IntentSource =>
  openRedisSource(
    redisConfigSchema.parse(config),
    { url, ...(replicaUrl === undefined ? {} : { replicaUrl }) },
    { pause: async () => undefined },
  )

/** The keys in progress, whole. */
export async function liveKeys(source: IntentSource): Promise<LeaseRow[]> {
  const { leases, truncated } = await readAllLeases(source, 1_000)
  if (truncated) throw new Error('not all of them were read')
  return leases
}

type Ended = { status: number; body: Record<string, unknown> } | 'failed'

/** Work that goes on until it is told how it ends. */
export function controlledWork() {
  const end = createGate<Ended>()
  const started = createGate()
  return {
    started: started.promise,
    async work() {
      started.resolve()
      const ended = await end.promise
      if (ended === 'failed') throw new Error('the handler failed')
      return ended
    },
    succeed: (body: Record<string, unknown>) => end.resolve({ status: 201, body }),
    fail: () => end.resolve('failed'),
  }
}

export const OPTIONS = { actionId: 'act_1', graceMs: 0 }

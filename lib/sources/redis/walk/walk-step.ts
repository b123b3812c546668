import type { Redis } from 'ioredis'
import type { Walker } from './reader'

/** A call that took longer has waited itself, for a server that was busy. */
const PAUSED_FOR_MAX_MS = 100

/** One call of a walk through the keyspace. `next`: '0' at the end. `pauseMs`: what it owes to others before the next. */
export async function walkStep(
  client: Redis,
  cursor: string,
  read: (redisKeys: string[]) => Promise<void>,
  { config, pattern, clock }: Pick<Walker, 'config' | 'pattern' | 'clock'>,
): Promise<{ next: string; pauseMs: number }> {
  const startedMs = clock.now().getTime()
  const match = pattern.prefix === '' ? [] : ['MATCH', `${escapeGlob(pattern.prefix)}*`]
  const answer = await client.call('SCAN', cursor, ...match, 'COUNT', String(config.scanCount))
  // The scan alone: what is read of its keys takes the server less, and the console's own time is nobody's burden.
  const tookMs = Math.max(1, clock.now().getTime() - startedMs)
  const [next, redisKeys] = answer as [string, string[]]
  if (redisKeys.length > 0) await read([...new Set(redisKeys)])
  return { next, pauseMs: Math.min(tookMs, PAUSED_FOR_MAX_MS) * config.pauseFactor }
}

const escapeGlob = (text: string): string => text.replaceAll(/[\\*?[\]]/g, '\\$&')

import type { Redis } from 'ioredis'
import type { Reader } from './reader'

/** A call that took longer has waited itself, for a server that was busy. */
const PAUSED_FOR_MAX_MS = 100

/** One call of a walk through the keyspace, and the pause that it owes. Returns its next cursor: '0' at the end. */
export async function walkStep(
  client: Redis,
  cursor: string,
  read: (redisKeys: string[]) => Promise<void>,
  { config, pattern, clock, pause }: Pick<Reader, 'config' | 'pattern' | 'clock' | 'pause'>,
): Promise<string> {
  const startedMs = clock.now().getTime()
  const match = pattern.prefix === '' ? [] : ['MATCH', `${escapeGlob(pattern.prefix)}*`]
  const answer = await client.call('SCAN', cursor, ...match, 'COUNT', String(config.scanCount))
  const [next, redisKeys] = answer as [string, string[]]
  if (redisKeys.length > 0) await read([...new Set(redisKeys)])
  const tookMs = Math.max(1, clock.now().getTime() - startedMs)
  if (next !== '0') await pause(Math.min(tookMs, PAUSED_FOR_MAX_MS) * config.pauseFactor)
  return next
}

const escapeGlob = (text: string): string => text.replaceAll(/[\\*?[\]]/g, '\\$&')

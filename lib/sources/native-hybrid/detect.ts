import type { DetectedLayout } from '../contracts'
import { detectLayouts } from '../layouts'
import { openConnection } from '../redis/connection'
import type { HybridSecret } from './config'

const TIMEOUT_MS = 5_000

/** The SDK's tables in the database, where the cache answers as well. Of a cache nothing tells whose it is. */
export async function detectHybrid({ url, cacheUrl }: HybridSecret): Promise<DetectedLayout[]> {
  const cache = openConnection(cacheUrl, { name: 'idemscope-detect', commandTimeoutMs: TIMEOUT_MS })
  try {
    await cache.use((client) => client.ping())
  } finally {
    cache.close()
  }
  const found = await detectLayouts({ url })
  return found
    .filter(({ adapter }) => adapter === 'native')
    .map((layout) => ({ ...layout, adapter: 'native-hybrid', library: 'Idemscope SDK with a cache' }))
}

import type { SystemContext } from '@/lib/context'
import { openIntentSources } from '@/lib/sources/registry'
import { recordStoreSample } from '@/lib/telemetry/record-store-sample'

/** Notes the size of every store by tier (M9). A store that is down leaves a gap, never a zero. Returns the samples. */
export async function sampleStores(ctx: SystemContext): Promise<number> {
  let samples = 0
  for (const store of await openIntentSources(ctx)) {
    try {
      const at = ctx.clock.now()
      for (const tier of await store.source.sample()) {
        await recordStoreSample(ctx.db, { at, sourceId: store.id, ...tier })
        samples += 1
      }
    } catch (error) {
      ctx.log.warn({ err: error, source: store.id }, 'a store could not be sampled')
    }
  }
  return samples
}

import { consume } from '../../../sdk/consume'
import { openStoreAt } from './open-store'

// A consumer that is killed within its effect, after it, or before it. Reads the store's URL, the message and where to stop from its
// arguments; says 'reached' when it is there.
const [url = '', id = '', stopAt] = process.argv.slice(2)
const reached = () => {
  process.send?.('reached')
  // Held open by the channel to the parent.
  return new Promise<never>(() => {})
}
const consumer = consume(
  {
    store: openStoreAt(url),
    group: 'inventory',
    topic: 'orders',
    keySecret: 'test-secret-of-32-characters-0000',
    leaseMs: 300,
    heartbeatMs: 100,
  },
  async (_, ctx) => {
    if (stopAt === 'before') await reached()
    await ctx.effect('reserve', { name: 'warehouse.reserve', providerKeyed: false }, async () => {
      if (stopAt === 'inside') await reached()
      return { reference: 'r_1' }
    })
    await reached()
  },
)
process.on('disconnect', () => process.exit(0))
await consumer.handle({ id, headers: {}, payload: new Uint8Array() })

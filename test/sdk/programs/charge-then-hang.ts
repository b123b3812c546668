import { idempotent } from '../../../sdk/idempotent'
import { openStoreAt } from './open-store'

// A service process that is killed between its effect and its completion. Reads the store's URL and where to
// stop from its arguments; says 'reached' when it is there.
const [url = '', key = '', stopAt] = process.argv.slice(2)
const store = openStoreAt(url)
const reached = () => {
  process.send?.('reached')
  // Held open by the channel to the parent.
  return new Promise<never>(() => {})
}

const handle = idempotent(
  async (_request, context) => {
    await context.effect('charge', { name: 'stripe.charge' }, async () => {
      if (stopAt === 'inside') await reached()
      return { reference: 'ch_1', amountMinor: 100, currency: 'USD' }
    })
    return reached()
  },
  {
    store,
    keySecret: 'test-secret-of-32-characters-0000',
    scope: () => ({ caller: 'web', route: '/v1/payments' }),
    leaseMs: 300,
    heartbeatMs: 100,
  },
)
process.on('disconnect', () => process.exit(0))
await handle(
  new Request('http://service.test/v1/payments', { method: 'POST', headers: { 'idempotency-key': key } }),
)

import { randomUUID } from 'node:crypto'
import { idempotent } from '../../../sdk/idempotent'
import { openStoreAt } from './open-store'

// A service process that serves one request after the other, each with a key of its own, and says how each was answered and
// when its execution began. Reads the store's URL from its arguments.
const [url = ''] = process.argv.slice(2)
const store = openStoreAt(url)
let begunAtMs: number | null = null
const handle = idempotent(
  () => {
    begunAtMs = Date.now()
    return new Response('done', { status: 201 })
  },
  {
    store,
    keySecret: 'test-secret-of-32-characters-0000',
    scope: () => ({ caller: 'web', route: '/v1/payments' }),
  },
)
process.on('disconnect', () => process.exit(0))
for (;;) {
  begunAtMs = null
  const headers = { 'idempotency-key': randomUUID() }
  const { status } = await handle(new Request('http://service.test/v1/payments', { method: 'POST', headers }))
  process.send?.({ status, begunAtMs })
  await new Promise((resolve) => setTimeout(resolve, 20))
}

import pg from 'pg'
import { createRelay, type Publisher } from '../../../sdk/outbox'

// A relay whose broker is the parent process: it confirms a batch when the parent has taken it. Reads the database's URL from its
// arguments; is killed at any moment.
const [url = ''] = process.argv.slice(2)
const confirmations = new Map<number, () => void>()
let batches = 0
process.on('message', (number: number) => confirmations.get(number)?.())
process.on('disconnect', () => process.exit(0))

const publisher: Publisher = {
  system: 'parent',
  keepsOrder: true,
  async publish(messages) {
    const number = ++batches
    await new Promise<void>((confirmed) => {
      confirmations.set(number, confirmed)
      process.send?.({ number, messages: messages.map(({ id, key, type }) => ({ id, key, type })) })
    })
    return messages.map(() => ({ kind: 'confirmed' }))
  },
}
const pool = new pg.Pool({ connectionString: url, max: 4 })
createRelay({ pool, publisher, batch: 20, leaseMs: 400, pollMs: 20 }).start()

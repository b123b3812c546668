import pg from 'pg'
import { createRelay, migrateOutbox } from '@/sdk/outbox'
import { readRelayEnv } from './env'
import { openPublisher } from './publisher'

// `npm run relay`: publishes the outbox of a service. It belongs to the service's side, and needs nothing of the console.

async function main(): Promise<void> {
  const env = readRelayEnv()
  const pool = new pg.Pool({
    connectionString: env.RELAY_DATABASE_URL,
    max: 4,
    application_name: 'idemscope-relay',
  })
  pool.on('error', (error) => console.error('relay: database:', error.message))
  await migrateOutbox({ pool, schema: env.RELAY_SCHEMA })
  const { publisher, close } = await openPublisher(env)
  const relay = createRelay({
    pool,
    publisher,
    schema: env.RELAY_SCHEMA,
    onError: (error) => console.error('relay:', error instanceof Error ? error.message : error),
    onHeldBack: (holder) =>
      console.error(
        holder === null
          ? 'relay: nothing holds messages back any more'
          : `relay: messages are held back by process ${holder.pid ?? `of prepared transaction ${holder.prepared}`}, ` +
              `transaction ${holder.xid}, open since ${holder.since?.toISOString() ?? 'an unknown time'}`,
      ),
  })
  relay.start()
  console.log(`relay: publishing to ${env.RELAY_PUBLISHER}`)
  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    await relay.stop()
    await close()
    await pool.end()
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop())
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
})

import pg from 'pg'
import { createOutbox, createRelay, migrateOutbox, type Publisher } from '@/sdk/outbox'
import { withCluster } from './cluster'
import { against, atMost, type Bench, quantile, type Report, stated } from './report'

const PUBLISH_RATIO_MAX = 1.25
const RELAY_RATIO_MIN = 0.7
const LATENCY_P99_MS_MAX = 150
const ROUNDS = 5
const CONNECTIONS = 8
const TRANSACTIONS = 1_600
const RELAYED = 20_000
const BATCH = 500
const BACKLOG_DEFAULT = 300_000
/** What a backlog may cost: noise of a shared machine. */
const BACKLOG_RATIO_MIN = 0.75
const PAYLOAD = { id: 'pay_1', amount: '1050', currency: 'USD', status: 'succeeded', note: 'x'.repeat(250) }

/** What a service would write by hand. */
const BARE = `
  CREATE TABLE bare (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), seq bigint GENERATED ALWAYS AS IDENTITY, topic text NOT NULL, key text,
    type text NOT NULL, headers jsonb NOT NULL, payload bytea NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz
  );
  CREATE INDEX bare_unsent ON bare (seq) WHERE sent_at IS NULL;
  CREATE TABLE payment (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount bigint NOT NULL)`

const nowhere: Publisher = {
  system: 'nowhere',
  keepsOrder: true,
  publish: async (messages) => messages.map(() => ({ kind: 'confirmed' })),
}
const outbox = createOutbox()
let keys = 0
const nextMessage = () => ({
  topic: 'payments',
  key: `k${++keys % 5_000}`,
  type: 'payment.made',
  payload: PAYLOAD,
})

/** `--rows` = unsent rows of the backlog's case. */
export const bench: Bench = async ({ rows, only }, report) => {
  await withCluster(async (cluster) => {
    const pool = new pg.Pool({
      connectionString: await cluster.createDatabase('outbox'),
      max: CONNECTIONS + 2,
    })
    pool.on('error', () => undefined)
    await migrateOutbox({ pool })
    await pool.query(BARE)
    const wanted = (name: string) => only === undefined || only === name
    if (wanted('publish')) await comparePublishing(pool, report)
    if (wanted('relay')) await compareRelaying(pool, report)
    if (wanted('latency')) await measureLatency(pool, report)
    if (wanted('backlog')) await compareWithBacklog(pool, rows ?? BACKLOG_DEFAULT, report)
    await pool.end()
  })
}

type Write = (client: pg.PoolClient) => Promise<unknown>
const ours: Write = (client) => outbox.publish(client, nextMessage())
const bare: Write = (client) => {
  const { topic, key, type, payload } = nextMessage()
  const values = [
    topic,
    key,
    type,
    '{"content-type":"application/json"}',
    Buffer.from(JSON.stringify(payload)),
  ]
  return client.query(
    'INSERT INTO bare (topic, key, type, headers, payload) VALUES ($1, $2, $3, $4, $5) RETURNING id',
    values,
  )
}

/** Elapsed µs a transaction, with every connection at work. */
async function timed(pool: pg.Pool, write: Write, transactions = TRANSACTIONS): Promise<number> {
  const started = performance.now()
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const client = await pool.connect()
      for (let n = 0; n < transactions / CONNECTIONS; n++) {
        await client.query('BEGIN')
        await client.query('INSERT INTO payment (amount) VALUES ($1)', [1050])
        await write(client)
        await client.query('COMMIT')
      }
      client.release()
    }),
  )
  return ((performance.now() - started) * 1000) / transactions
}

async function comparePublishing(pool: pg.Pool, report: Report): Promise<void> {
  for (const asleep of [false, true]) {
    await pool.query(
      `INSERT INTO idem_outbox_relay (owner, asleep) VALUES ('bench', $1) ON CONFLICT (owner) DO UPDATE SET asleep = $1`,
      [asleep],
    )
    const times = { ours: [] as number[], bare: [] as number[] }
    await timed(pool, bare, TRANSACTIONS / 4)
    await timed(pool, ours, TRANSACTIONS / 4)
    for (let round = 0; round < ROUNDS; round++) {
      times.bare.push(await timed(pool, bare))
      times.ours.push(await timed(pool, ours))
    }
    const name = `a transaction that publishes, ${asleep ? 'with NOTIFY: a relay sleeps' : 'a relay is awake'}`
    const figures = { value: quantile(times.ours, 0.5), baseline: quantile(times.bare, 0.5), unit: 'µs' }
    // A relay that sleeps is woken by the first: the price of NOTIFY is that of quiet times.
    report(against(name, figures, asleep ? {} : { ratioMax: PUBLISH_RATIO_MAX }))
  }
  await pool.query('DELETE FROM idem_outbox_relay; TRUNCATE bare, idem_outbox')
}

async function fill(pool: pg.Pool, count: number, key = 'n % 5000'): Promise<void> {
  const values = [JSON.stringify(PAYLOAD), count]
  const columns = `'payments', 'k' || (${key}), 'payment.made', '{"content-type":"application/json"}'::jsonb, convert_to($1, 'UTF8')`
  await pool.query(
    `INSERT INTO idem_outbox (lane, topic, key, type, headers, payload)
     SELECT idem_outbox_lane_of('payments', 'k' || (${key})), ${columns} FROM generate_series(1, $2::int) n`,
    values,
  )
}

async function relayRows(pool: pg.Pool, total: number): Promise<number> {
  const relay = createRelay({ pool, publisher: nowhere, batch: BATCH, listen: false })
  // What a relay does once, at its start.
  const count = total - (await relay.runOnce()).sent
  const started = performance.now()
  for (let sent = 0; sent < count; ) {
    const round = await relay.runOnce()
    sent += round.sent
  }
  return (count / (performance.now() - started)) * 1000
}

async function relayBare(pool: pg.Pool, count: number): Promise<number> {
  const started = performance.now()
  const client = await pool.connect()
  for (let sent = 0; sent < count; ) {
    await client.query('BEGIN')
    const { rows } = await client.query<{ id: string }>(
      'SELECT * FROM bare WHERE sent_at IS NULL ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED',
      [BATCH],
    )
    await client.query('UPDATE bare SET sent_at = clock_timestamp() WHERE id = ANY ($1)', [
      rows.map(({ id }) => id),
    ])
    await client.query('COMMIT')
    sent += rows.length
  }
  client.release()
  return (count / (performance.now() - started)) * 1000
}

async function compareRelaying(pool: pg.Pool, report: Report): Promise<void> {
  const rates = { ours: [] as number[], bare: [] as number[] }
  for (let round = 0; round <= ROUNDS; round++) {
    await pool.query('TRUNCATE bare, idem_outbox')
    await fill(pool, RELAYED)
    await pool.query(
      `INSERT INTO bare (topic, key, type, headers, payload) SELECT topic, key, type, headers, payload FROM idem_outbox ORDER BY seq`,
    )
    await pool.query('ANALYZE bare')
    const bareRate = await relayBare(pool, RELAYED)
    const rate = await relayRows(pool, RELAYED)
    // The first warms up.
    if (round === 0) continue
    rates.bare.push(bareRate)
    rates.ours.push(rate)
  }
  const figures = {
    value: quantile(rates.ours, 0.5),
    baseline: quantile(rates.bare, 0.5),
    unit: 'messages/s',
  }
  report(against(`relay, batches of ${BATCH}`, figures, { ratioMin: RELAY_RATIO_MIN }))
}

const LATENCY_RATE = 500
const LATENCY_S = 6

/** From the end of COMMIT, as the service sees it, until the publisher has the message. */
async function measureLatency(pool: pg.Pool, report: Report): Promise<void> {
  await pool.query('TRUNCATE bare, idem_outbox')
  const committed = new Map<string, number>()
  const published = new Map<string, number>()
  const publisher: Publisher = {
    ...nowhere,
    async publish(messages) {
      for (const { id } of messages) published.set(id, performance.now())
      return messages.map(() => ({ kind: 'confirmed' }))
    },
  }
  const relay = createRelay({ pool, publisher })
  relay.start()
  const started = performance.now()
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, connection) => {
      const client = await pool.connect()
      for (let n = connection; n < LATENCY_RATE * LATENCY_S; n += CONNECTIONS) {
        const waitMs = started + (n * 1000) / LATENCY_RATE - performance.now()
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
        await client.query('BEGIN')
        const id = await outbox.publish(client, nextMessage())
        await client.query('COMMIT')
        committed.set(id, performance.now())
      }
      client.release()
    }),
  )
  while (published.size < committed.size) await new Promise((resolve) => setTimeout(resolve, 10))
  await relay.stop()
  const latencies = [...committed].map(([id, atMs]) => (published.get(id) ?? Number.NaN) - atMs)
  report(stated(`commit to publish at ${LATENCY_RATE}/s, P50`, quantile(latencies, 0.5), 'ms'))
  report(
    atMost(
      `commit to publish at ${LATENCY_RATE}/s, P99`,
      quantile(latencies, 0.99),
      'ms',
      LATENCY_P99_MS_MAX,
    ),
  )
}

/** The same with many unsent, some behind a key that is blocked. */
async function compareWithBacklog(pool: pg.Pool, backlog: number, report: Report): Promise<void> {
  const figures = async () => {
    await timed(pool, ours, TRANSACTIONS / 4)
    return {
      publish: quantile([await timed(pool, ours), await timed(pool, ours), await timed(pool, ours)], 0.5),
      relay: quantile(
        [await relayRows(pool, RELAYED), await relayRows(pool, RELAYED), await relayRows(pool, RELAYED)],
        0.5,
      ),
    }
  }
  await pool.query('TRUNCATE bare, idem_outbox')
  await fill(pool, 4 * RELAYED)
  const without = await figures()
  await pool.query('TRUNCATE bare, idem_outbox')
  for (let left = backlog; left > 0; left -= 250_000) await fill(pool, Math.min(left, 250_000))
  const withBacklog = await figures()
  const rate = (us: number) => 1_000_000 / us
  const compare = (name: string, value: number, baseline: number) =>
    report(
      against(
        `${name} with ${backlog} unsent, against ${4 * RELAYED}`,
        { value, baseline, unit: '/s' },
        { ratioMin: BACKLOG_RATIO_MIN },
      ),
    )
  compare('publish', rate(withBacklog.publish), rate(without.publish))
  compare('relay', withBacklog.relay, without.relay)
}

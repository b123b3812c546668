import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'

// What a test does to the demo from outside the console: as the owner of its database, as its provider, as its exporter.

const folder = (): string => {
  const given = process.env.E2E_DATA_DIR
  if (given === undefined) throw new Error('the set-up gives E2E_DATA_DIR')
  return given
}
const readJson = (name: string) => JSON.parse(readFileSync(join(folder(), name), 'utf8'))

export const runtime = (): { databaseUrl: string; otlpUrl: string; providerUrl: string } =>
  readJson('runtime.json')

/** Where the payment service keeps its keys, with the role that the console has there. */
export function storeUrl(): string {
  const url = new URL(runtime().databaseUrl)
  url.username = SOURCE_ROLE
  url.password = readJson('secrets.json').sourcePassword
  url.pathname = '/demo_payments'
  return url.href
}

const SOURCE_ROLE = 'idemscope_source'

/**
 * Tests run two at a time on one demo. Waits until what goes on allows it, then works with others or alone. A lock of the
 * database ends with the process that holds it.
 */
export const inTurn = (alone: boolean, work: () => Promise<void>): Promise<void> =>
  asOwner(async (client) => {
    await client.query(`SELECT pg_advisory_lock${alone ? '' : '_shared'}(1)`)
    await work()
  })

async function asOwner(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const url = new URL(runtime().databaseUrl)
  url.username = 'postgres'
  url.password = readFileSync(join(folder(), 'postgres-password'), 'utf8').trim()
  url.pathname = '/postgres'
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

/** From now on the console can read neither the store nor the ledger; payments go on. */
export const cutStore = () =>
  asOwner(async (client) => {
    await client.query(`ALTER ROLE ${SOURCE_ROLE} NOLOGIN`)
    await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [
      SOURCE_ROLE,
    ])
  })

export const mendStore = () => asOwner((client) => client.query(`ALTER ROLE ${SOURCE_ROLE} LOGIN`))

/** Refunds that the provider really made of a charge. */
export async function refundsOf(charge: string): Promise<{ id: string; status: string; amount: number }[]> {
  const key = readJson('secrets.json').providerReadKey
  const answer = await fetch(`${runtime().providerUrl}/v1/refunds?charge=${charge}`, {
    headers: { authorization: `Bearer ${key}` },
  })
  if (!answer.ok) throw new Error(`provider: ${answer.status} ${await answer.text()}`)
  return (await answer.json()).data
}

/** Sends spans as an exporter does. */
export async function sendSpans(spans: unknown[]): Promise<void> {
  const answer = await fetch(`${runtime().otlpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'payments' } }] },
          scopeSpans: [{ scope: { name: 'test' }, spans }],
        },
      ],
    }),
  })
  if (!answer.ok) throw new Error(`receiver: ${answer.status} ${await answer.text()}`)
}

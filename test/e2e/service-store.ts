import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { tiers } from '../../demo/service/tiers'
import { createPostgresStore, type PostgresStore } from '../../sdk/stores/postgres'

const LEASE_MS = 1_000
/** A retry sends the same request. */
const FINGERPRINT = Buffer.alloc(16, 7)

/** The store of the demo's service, opened as the service itself opens it. */
async function withStore<T>(work: (store: PostgresStore) => Promise<T>): Promise<T> {
  const folder = process.env.E2E_DATA_DIR
  if (folder === undefined)
    throw new Error('BASE_URL is set: give the demo’s data folder as E2E_DATA_DIR too.')
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'))
  const url = new URL(read('runtime.json').databaseUrl)
  url.username = 'payments_app'
  url.password = read('secrets.json').servicePassword
  url.pathname = '/demo_payments'
  const pool = new pg.Pool({ connectionString: url.href, max: 2 })
  const store = createPostgresStore({ pool })
  try {
    return await work(store)
  } finally {
    store.close()
    await pool.end()
  }
}

const acquire = (store: PostgresStore, scope: string, key: string, owner: string, leaseMs: number) =>
  store.acquire({
    scope,
    key,
    tier: tiers.payments.name,
    fingerprint: FINGERPRINT,
    owner,
    leaseMs,
    traceId: randomBytes(16).toString('hex'),
  })

/** Keys of a client whose process died right after it had acquired them: nothing was called, nobody comes back. */
export function leaveStuckKeys(client: string, count: number): Promise<string[]> {
  return withStore(async (store) => {
    const keys: string[] = []
    for (let n = 0; n < count; n++) {
      const key = randomUUID()
      await acquire(store, `${client}/POST /v1/payments`, key, `${client}-pod-${n}`, LEASE_MS)
      keys.push(key)
    }
    return keys
  })
}

/** A key that is held, by a holder that lives for as long as the test. */
export function holdKey(client: string, leaseMs: number): Promise<string> {
  return withStore(async (store) => {
    const key = randomUUID()
    await acquire(store, `${client}/POST /v1/payments`, key, `${client}-alive`, leaseMs)
    return key
  })
}

/** Another process takes a stuck key over: its fencing token moves on. */
export function takeOver(client: string, key: string, leaseMs: number): Promise<string> {
  return withStore(
    async (store) =>
      (await acquire(store, `${client}/POST /v1/payments`, key, `${client}-heir`, leaseMs)).kind,
  )
}

/** A key that ended with this response. */
export function completeKey(client: string, body: string): Promise<string> {
  return withStore(async (store) => {
    const key = randomUUID()
    const acquired = await acquire(store, `${client}/POST /v1/payments`, key, `${client}-done`, 30_000)
    if (acquired.kind !== 'acquired') throw new Error(`a new key was not acquired: ${acquired.kind}`)
    const holder = {
      scope: `${client}/POST /v1/payments`,
      key,
      fence: acquired.fence,
      owner: `${client}-done`,
      tier: tiers.payments.name,
    }
    await store.complete(holder, {
      status: 201,
      headers: [['content-type', 'application/json']],
      body: Buffer.from(body),
    })
    return key
  })
}

/** Whether a process of the service that begins now would be stopped. */
export function isHeld(scope: string, key: string): Promise<boolean> {
  return withStore(async ({ holds }) => {
    await holds?.refresh()
    return holds?.findExecutionHold(scope, key) != null
  })
}

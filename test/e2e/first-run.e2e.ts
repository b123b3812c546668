import { randomBytes, randomUUID } from 'node:crypto'
import { ensureUser } from '@/lib/access/users'
import { systemClock } from '@/lib/core/clock'
import { closeDatabase, openDatabase } from '@/lib/db'
import { type RunningDemo, startDemo } from '../support/demo'
import { asNobody, expect, test } from './console-test'
import { storeUrl } from './demo-fixture'

// A console that was just installed: nothing is measured, nothing is connected, and it says how to begin.

/** A view that says how many there are. */
const ZERO = /^(Stuck|Held|Unknown|Retryable|Duplicates|Orphans|Open|Snoozed|Resolved) 0$/

test.use(asNobody)

let fresh: RunningDemo
const admin = { email: 'first@idemscope.local', password: randomUUID() }

test.beforeAll(async () => {
  test.setTimeout(150_000)
  fresh = await startDemo({ seed: '1', durationS: 0, empty: true })
  const db = openDatabase(fresh.runtime.databaseUrl, 1)
  await ensureUser(db, systemClock, { ...admin, name: 'first', role: 'admin' })
  await closeDatabase(db)
})
test.afterAll(() => fresh.stop())

test('first run: each page says what it waits for; the check-list tells how to begin, and ticks itself', async ({
  page,
}) => {
  test.setTimeout(120_000)
  await page.goto(`${fresh.url}/sign-in?next=/now`)
  await page.getByLabel('Email').fill(admin.email)
  await page.getByLabel('Password').fill(admin.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  const list = page.getByRole('region', { name: 'First steps' })
  await expect(list.getByText('0 of 4 done')).toBeVisible({ timeout: 30_000 })
  await expect(list).toContainText(`OTEL_EXPORTER_OTLP_ENDPOINT=${fresh.runtime.otlpUrl}`)

  for (const [path, says] of [
    ['/traces', 'Waiting for the first span'],
    ['/now', 'nothing is measured yet'],
    ['/incidents', 'none opens by itself yet'],
    ['/keys', 'No idempotency store is connected: nothing is known of keys.'],
    ['/messages', 'No outbox is connected: what is unsent or dead is not known.'],
    ['/locks', 'No store is connected yet'],
    ['/effects', 'duplicates are not measured'],
    ['/effects?kind=orphan', 'orphans are not measured'],
    ['/reconciliation', 'Cases are opened by a run over a store and a provider.'],
    ['/reconciliation/reports', 'No run was complete on this day'],
    ['/alerts', 'Alerts are not evaluated yet'],
    ['/holds', 'No connected store keeps holds: nothing can be held.'],
    ['/storage', 'No idempotency store is connected'],
    ['/storage/cost', 'No idempotency store is connected'],
    ['/executive', 'Side effects are not measured: no service told of one'],
    ['/clients', 'Not measured: no request with a key came.'],
    ['/sources', 'Nothing is connected yet'],
  ] as const) {
    await page.goto(fresh.url + path)
    await expect(page.getByText(says).first(), path).toBeVisible()
    // Unknown is never a zero that looks like all is well.
    await expect(page.getByText('Within target')).toHaveCount(0)
    await expect(page.getByRole('link', { name: ZERO })).toHaveCount(0)
    await expect(page.getByRole('button', { name: 'Not evaluated' })).toBeVisible()
  }

  // Nor is it for programs: a measure without input has no value, and no sample.
  const { items } = await (await page.request.get(`${fresh.url}/api/v1/measures`)).json()
  expect(items).toHaveLength(10)
  for (const { id, value, state } of items) expect([id, value, state]).toEqual([id, null, 'not measured'])
  const { stores } = await (await page.request.get(`${fresh.url}/api/v1/locks`)).json()
  expect(stores).toBe('not_connected')
  const holds = await (await page.request.get(`${fresh.url}/api/v1/holds`)).json()
  expect(holds).toMatchObject({ items: [], unread: [], storesAsked: 0 })
  const samples = await (await page.request.get(`${fresh.url}/metrics`)).text()
  expect(samples).toMatch(/^idemscope_processes/m)
  expect(samples).not.toMatch(
    /^idemscope_(locks|store|cases|alerts?|effects|duplicate|orphaned|messages|outbox)/m,
  )

  await page.goto(`${fresh.url}/sources`)
  const startNs = BigInt(Date.now()) * 1_000_000n
  const answer = await fetch(`${fresh.runtime.otlpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      resourceSpans: [{ resource: service, scopeSpans: [{ spans: [span(startNs)] }] }],
    }),
  })
  expect(answer.status).toBe(200)
  // Nobody reloads: the page is told.
  await expect(list.getByText('1 of 4 done')).toBeVisible({ timeout: 30_000 })

  await page.getByRole('link', { name: 'Connect a store' }).first().click()
  await page.getByLabel('Connection URL').fill(storeUrl())
  await page.getByRole('button', { name: 'Look for tables of keys and messages' }).click()
  await page.getByRole('button', { name: 'Preview its rows' }).first().click()
  await page.getByRole('button', { name: 'Connect this store …' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()
  await dialog.getByLabel('Name').fill('orders store')
  await dialog.getByLabel('Reason').fill('the first store of this console')
  await dialog.getByRole('button', { name: /^Connect 1 store in/ }).click()
  await expect(page).toHaveURL(/\/sources$/)
  await expect(page.getByRole('region', { name: 'orders store' })).toBeVisible()
  await expect(list.getByText('2 of 4 done')).toBeVisible({ timeout: 60_000 })
  await page.goto(`${fresh.url}/audit`)
  await expect(page.getByRole('link', { name: 'source.connect' })).toBeVisible()
})

const service = { attributes: [{ key: 'service.name', value: { stringValue: 'orders' } }] }

const span = (startNs: bigint) => ({
  traceId: randomBytes(16).toString('hex'),
  spanId: randomBytes(8).toString('hex'),
  name: 'POST /v1/orders',
  kind: 2,
  startTimeUnixNano: String(startNs),
  endTimeUnixNano: String(startNs + 5_000_000n),
  attributes: [],
})

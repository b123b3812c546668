import { randomUUID } from 'node:crypto'
import type { Page } from '@playwright/test'
import { type RunningProvider, startProvider } from '@/demo/provider/server'
import { startTables, type Tables } from '../sources/dynamodb/fixture'
import { usePowertools } from '../sources/dynamodb/powertools'
import { nodeIdempotency, type Service } from '../sources/redis/libraries'
import { type RedisServer, startRedis } from '../support/redis-server'
import { makeThrowAwayFolder } from '../support/throw-away-folder'
import { apiAs } from './api-as'
import { asAdmin, expect, test } from './console-test'
import { REASON } from './lock-fixture'

// What docs/guides/foreign-redis.md and foreign-dynamodb.md say, done by somebody who has read nothing else: keys whose
// processes died are found in stores that other libraries wrote, connected, judged and released on the pages.

test.use(asAdmin)
test.describe.configure({ timeout: 180_000 })

let redis: RedisServer
let service: Service
let tables: Tables
let provider: RunningProvider
/** Its provider is asked what it has of a key, and has nothing. */
const SYSTEM = `elsewhere-${randomUUID().slice(0, 8)}`
test.beforeAll(async () => {
  redis = await startRedis()
  service = await nodeIdempotency(redis.url)
  tables = await startTables()
  const keys = { readKey: 'rk_test_read', writeKey: 'sk_test_write' }
  const dataDir = makeThrowAwayFolder('provider')
  provider = await startProvider({ port: 0, dataDir, seed: 'elsewhere', ...keys })
  const source = {
    ...{ adapter: 'stripe', name: `provider of ${SYSTEM}`, system: SYSTEM, secret: keys },
    config: { mode: 'live', baseUrl: provider.url },
  }
  expect((await apiAs('admin').post('sources', { ...source, reason: REASON })).status).toBe(201)
})
test.afterAll(async () => {
  // No page may tell the other tests of a source that is gone.
  const api = apiAs('admin')
  const gone = (await api.get('sources')).items.filter(({ system }: { system: string }) => system === SYSTEM)
  for (const { id, name } of gone) {
    await api.post(`sources/${id}/switch-off`, { reason: REASON })
    await expect
      .poll(async () => {
        const { version } = await api.get(`sources/${id}`)
        return (await api.post(`sources/${id}/remove`, { version, name, reason: REASON })).status
      })
      .toBe(200)
  }
  await provider.close()
  await service.close()
  await redis.close()
  await tables.close()
})

async function connect(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Connect this store …' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill(name)
  await dialog.getByLabel('System').fill(SYSTEM)
  await dialog.getByLabel('Reason').fill('its service keeps its keys there')
  await dialog.getByRole('button', { name: /^Connect 1 store in/ }).click()
  await expect(page.getByRole('region', { name, exact: true })).toBeVisible({ timeout: 60_000 })
}

/** Changes the mapping as the guide says, and looks again. */
async function map(page: Page, change: (config: Record<string, unknown>) => object): Promise<void> {
  await page.getByText('Mapping, as JSON').click()
  const box = page.getByRole('textbox', { name: /^Adapter/ })
  const config = JSON.parse(await box.inputValue())
  await box.fill(JSON.stringify({ ...config, ...change(config) }, null, 2))
  await page.getByRole('button', { name: 'Preview again' }).click()
  await expect(page.getByRole('region', { name: /^Real .*, table$/ })).toBeVisible({ timeout: 60_000 })
}

async function releaseTheOne(page: Page, key: string): Promise<void> {
  const judged = async () => {
    const locks: { id: string; key: string; verdict: string; reason: string }[] = await apiAs().all('locks')
    return locks.find((lock) => lock.key === key)
  }
  await expect.poll(judged, { timeout: 90_000 }).toMatchObject({ verdict: 'release' })
  await page.goto(`/locks?lock=${(await judged())?.id}`)
  const inspector = page.getByRole('complementary', { name: 'Lock' })
  const act = inspector.getByRole('button', { name: /^Release 1 key/ })
  await expect(act).toBeVisible({ timeout: 30_000 })
  await expect(inspector.getByText('What its store cannot prevent')).toBeVisible()
  await expect(inspector).not.toContainText('can no longer write')
  await expect(inspector.getByRole('button', { name: /^Propose to fail/ })).toHaveCount(0)
  await inspector.getByLabel('Reason').fill(REASON)
  await act.click()
  await expect(inspector.getByText('Released.')).toBeVisible({ timeout: 30_000 })
}

/** From then on it is left alone, as its card says. */
async function switchOff(page: Page, name: string): Promise<void> {
  await page.goto('/sources')
  const card = page.getByRole('region', { name, exact: true })
  await card.getByRole('button', { name: /^Switch off/ }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill('its service is gone')
  await dialog.getByRole('button', { name: /^Switch off 1 source/ }).click()
  await expect(card.getByText('Switched off')).toBeVisible({ timeout: 30_000 })
  await expect(card.getByRole('button', { name: /^Switch on/ })).toBeVisible()
}

/** It is refused for as long as a run goes on that began before the switch. */
async function remove(page: Page, name: string): Promise<void> {
  const card = page.getByRole('region', { name, exact: true })
  await card.getByRole('button', { name: 'Remove …' }).click()
  const dialog = page.getByRole('dialog')
  const act = dialog.getByRole('button', { name: /^Remove 1 source from/ })
  await dialog.getByLabel('Reason').fill('its service is gone')
  await expect(act).toBeDisabled()
  await dialog.getByLabel(/^It cannot be undone/).fill(name)
  await expect(async () => {
    await act.click()
    await expect(card).toHaveCount(0, { timeout: 5_000 })
  }).toPass({ timeout: 90_000 })
}

test('a key stuck in a Redis of node-idempotency', async ({ page }) => {
  void service.request('order-1', () => new Promise(() => {}))
  await expect.poll(() => redis.admin.dbsize()).toBe(1)
  await page.goto('/sources/connect')
  await page.getByLabel('Engine').selectOption('redis')
  await page.getByLabel('Connection URL').fill(redis.url)
  await page.getByRole('button', { name: 'Look for idempotency keys' }).click()
  const found = page.getByRole('region', { name: /What is there/ })
  await expect(found).toContainText('node-idempotency', { timeout: 30_000 })
  await found.getByRole('button', { name: /^Preview its/ }).click()
  await map(page, () => ({ requestMs: 1_000, providerKeyed: true }))
  await connect(page, `redis of ${SYSTEM}`)
  await releaseTheOne(page, 'order-1')
  await expect.poll(() => redis.admin.dbsize()).toBe(0)
})

test('a key stuck in a DynamoDB table of Powertools', async ({ page }) => {
  await tables.create('functions', 'id')
  const library = usePowertools(tables, 'functions')
  await library.hold('event-1', { remainingMs: 1 })
  await library.kill('event-1')
  await page.goto('/sources/connect')
  await page.getByLabel('Engine').selectOption('dynamodb')
  for (const [label, value] of [
    ['Region', tables.secret.region],
    ['Access key id', tables.secret.accessKeyId],
    ['Secret access key', tables.secret.secretAccessKey],
    ['Endpoint', tables.secret.endpoint],
  ] as const)
    await page.getByLabel(new RegExp(`^${label}`)).fill(value)
  await page.getByRole('button', { name: 'Look for idempotency tables' }).click()
  const found = page.getByRole('region', { name: /What is there/ })
  await expect(found).toContainText('Powertools', { timeout: 30_000 })
  await found
    .getByRole('button', { name: /^Preview its/ })
    .first()
    .click()
  await map(page, () => ({ providerKeyed: true, scan: { everyMs: 10_000 } }))
  await connect(page, `table of ${SYSTEM}`)
  await releaseTheOne(page, library.hashOf('event-1'))
  expect((await library.itemOf('event-1'))?.in_progress_expiration).toEqual({ N: '0' })
  await switchOff(page, `table of ${SYSTEM}`)
  await remove(page, `table of ${SYSTEM}`)
})

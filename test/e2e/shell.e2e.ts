import type { Page, Request } from '@playwright/test'
import { apiAs } from './api-as'
import { alone, asOperator, expect, expectAccessible, test } from './console-test'
import { cutStore, mendStore } from './demo-fixture'

test.use(asOperator)

const PAGES = [
  '/now',
  '/keys',
  '/locks',
  '/effects',
  '/traces',
  '/reconciliation',
  '/alerts',
  '/audit',
  '/sources',
]

/** Requests that the page makes to stay current: the probe, and the page itself read again. */
function countReads(page: Page): { count: number } {
  const reads = { count: 0 }
  page.on('request', (request) => {
    if (/\/api\/v1\/(sources|stream)$|[?&]_rsc=/.test(request.url())) reads.count += 1
  })
  return reads
}

async function setHidden(page: Page, hidden: boolean) {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => value })
    document.dispatchEvent(new Event('visibilitychange'))
  }, hidden)
}

test('the range goes along from page to page', async ({ page }) => {
  await page.goto('/now?range=6h&tz=local')
  for (const name of ['Keys', 'Effects', 'Traces', 'Now']) {
    await page
      .getByRole('navigation', { name: 'Pages' })
      .getByRole('link', { name, exact: false })
      .first()
      .click()
    await expect(page).toHaveURL(new RegExp(`/${name.toLowerCase()}\\?`))
    await expect(page).toHaveURL(/range=6h/)
    await expect(page).toHaveURL(/tz=local/)
  }
})

test('"Copy link" freezes the range', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto('/now?range=15m&tz=local')
  await page.getByRole('button', { name: 'Copy link' }).click()
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible()
  const link = await page.evaluate(() => navigator.clipboard.readText())
  const { searchParams } = new URL(link)
  expect(searchParams.get('tz')).toBe('local')
  const [from, to] = ['from', 'to'].map((name) => Date.parse(searchParams.get(name) ?? ''))
  expect((to ?? 0) - (from ?? 0)).toBe(15 * 60_000)
  await page.goto(link)
  await expect(page.getByText('GMT+5:30, fixed')).toBeVisible()
})

test('the zone changes tables, axes and pickers together; ages say both zones by keyboard and by finger', async ({
  page,
}) => {
  await page.goto('/now')
  const axis = page.locator('.chart .recharts-cartesian-axis-tick-value').first()
  await expect(axis).toBeVisible()
  const before = await axis.textContent()
  await page.getByRole('radio', { name: 'Local' }).click()
  // India is half an hour off: no tick can be the same.
  await expect(axis).not.toHaveText(before ?? '')
  await page.getByRole('button', { name: /Time range/ }).click()
  await expect(page.getByText('in GMT+5:30')).toBeVisible()
  await page.goto('/keys?tz=local')
  const age = page.locator('tr[data-row] time').first()
  await age.focus()
  await expect(page.getByRole('tooltip')).toContainText(/UTC.*GMT\+5:30/)
  await page.keyboard.press('Escape')
  await expect(page.getByRole('tooltip')).toBeHidden()
  await age.click()
  await expect(page.getByRole('tooltip')).toContainText('UTC')
  await expect(page).toHaveURL(/\/keys\?/)
})

test('a hidden tab reads nothing, and refreshes at once on return', async ({ page }) => {
  await page.clock.install()
  await page.goto('/now')
  await expect(page.locator('[data-tile]').first()).toBeVisible()
  await setHidden(page, true)
  await page.waitForLoadState('networkidle')
  const reads = countReads(page)
  await page.clock.runFor(120_000)
  expect(reads.count).toBe(0)
  const [read] = await Promise.all([page.waitForRequest(/\/api\/v1\/sources$/), setHidden(page, false)])
  expect(read).toBeTruthy()
})

test('a tab that was opened in the background holds no stream until it is looked at', async ({ page }) => {
  await page.addInitScript(() =>
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => true }),
  )
  let streams = 0
  page.on('request', (request) => {
    if (request.url().endsWith('/api/v1/stream')) streams += 1
  })
  await page.goto('/now')
  await expect(page.locator('[data-tile]').first()).toBeVisible()
  await page.waitForLoadState('networkidle')
  expect(streams).toBe(0)
  await Promise.all([page.waitForRequest(/\/api\/v1\/stream$/), setHidden(page, false)])
})

test('six tabs that were looked at and left hold no stream, so that a seventh loads', async ({
  context,
  page: seventh,
}) => {
  test.setTimeout(180_000)
  const isStream = (request: Request) => request.url().endsWith('/api/v1/stream')
  // A browser allows six HTTP/1.1 connections to a server.
  for (let tabs = 0; tabs < 6; tabs += 1) {
    const tab = await context.newPage()
    await Promise.all([tab.waitForResponse('**/api/v1/stream'), tab.goto('/sources')])
    const dropped = tab.waitForEvent('requestfailed', isStream)
    await setHidden(tab, true)
    await dropped
  }
  await seventh.goto('/now')
  await expect(seventh.locator('[data-tile]').first()).toBeVisible()
})

test('the stream is cut: said within 5 s, polling takes over, no row stands twice, and it comes back', async ({
  page,
}) => {
  await page.goto('/keys')
  await expect(page.locator('tr[data-row]').first()).toBeVisible()
  await page.route('**/api/v1/stream', (route) => route.abort())
  // Back from a hidden tab the stream is opened anew, and now cannot be.
  await setHidden(page, true)
  await setHidden(page, false)
  await expect(page.locator('header').getByText('Reconnecting')).toBeVisible({ timeout: 5_000 })
  await page.waitForRequest(/\/api\/v1\/sources$/)
  await page.waitForRequest(/\/api\/v1\/sources$/)
  const ids = await page
    .locator('tr[data-row]')
    .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-row')))
  expect(new Set(ids).size).toBe(ids.length)
  await page.unroute('**/api/v1/stream')
  await expect(page.locator('header').getByText('Reconnecting')).toBeHidden({ timeout: 20_000 })
})

test('a refresh that fails keeps the last figures and charts, and says of when they are', async ({
  page,
}) => {
  await page.goto('/now')
  await expect(page.locator('.chart svg').first()).toBeVisible()
  await page.route('**/api/v1/sources', (route) => route.fulfill({ status: 503, body: '{}' }))
  await setHidden(page, true)
  await setHidden(page, false)
  await expect(page.getByText(/cannot read its data now. What you see is of/)).toBeVisible()
  await expect(page.locator('header').getByText('Stale', { exact: true })).toBeVisible()
  await expect(page.locator('.chart svg').first()).toBeVisible()
  await expect(page.locator('[data-tile=M2]')).toContainText(' of ')
})

test('a page that is not there says so and leads back', async ({ page }) => {
  const answer = await page.goto('/nowhere')
  expect(answer?.status()).toBe(404)
  await page.getByRole('link', { name: 'Back to Now' }).click()
  await expect(page).toHaveURL(/\/now/)
})

test('from the key to the verdict and its reason by keyboard alone', async ({ page }) => {
  await page.goto('/now')
  await expect(page.locator('[data-tile]').first()).toBeVisible()
  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: 'Skip to the page' })).toBeFocused()
  await page.keyboard.press('g')
  await page.keyboard.press('k')
  await expect(page).toHaveURL(/\/keys/)
  await expect(page.locator('tr[data-row]').first()).toBeVisible()
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/keys\/key_/)
  await expect(page.getByRole('heading', { name: 'State and actions' })).toBeVisible()
  await page.keyboard.press('g')
  await page.keyboard.press('n')
  await expect(page).toHaveURL(/\/now/)
})

test('at 200 % zoom nothing is cut off sideways; every page has one heading and its landmarks', async ({
  page,
}) => {
  // 1440 × 900 at 200 % is a viewport of half the size.
  await page.setViewportSize({ width: 720, height: 450 })
  for (const path of PAGES) {
    await page.goto(path)
    await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1)
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth), path).toBe(0)
  }
  await page.goto('/now')
  await page
    .getByRole('button', { name: /firing/ })
    .first()
    .click()
  await expectAccessible(page)
})

test(
  'with the idempotency store down Now, Sources, Audit and the kill switch still work',
  alone,
  async ({ page }) => {
    await cutStore()
    try {
      for (const path of ['/now', '/sources', '/audit', '/settings', '/locks']) {
        await page.goto(path)
        await expect(page.getByRole('heading', { level: 1 }), path).toBeVisible()
        await expect(page.getByText('This page could not be read'), path).toBeHidden()
      }
      const admin = apiAs('admin')
      const set = (on: boolean) =>
        admin.post('settings/kill-switch', { on, reason: 'a test with the store down' })
      expect((await set(true)).status).toBe(200)
      expect((await set(false)).status).toBe(200)
      await expect(page.getByText('payments store cannot be read')).toBeVisible({ timeout: 45_000 })
    } finally {
      await mendStore()
    }
  },
)

import { apiAs } from './api-as'
import { asOperator, expect, expectAccessible, expectFitsPhone, test } from './console-test'

test.use(asOperator)

test('what is looked for is in the URL, and restored by reload and Back', async ({ page }) => {
  const { items } = await apiAs().get('keys?state=completed&limit=1')
  await page.goto('/keys')
  await page.getByLabel('Key', { exact: true }).fill(items[0].key.slice(0, 12))
  await page.getByRole('button', { name: 'Search' }).click()
  await expect(page).toHaveURL(/key=/)
  await expect(page.locator('[data-row-link]').first()).toBeVisible()
  await page.reload()
  await expect(page.getByLabel('Key', { exact: true })).toHaveValue(items[0].key.slice(0, 12))
  await page.goBack()
  await expect(page).not.toHaveURL(/key=/)
})

test('rows come by pages of position; counts come apart and say when they are capped', async ({ page }) => {
  await page.goto('/keys')
  await expect(page.locator('tr[data-row]')).toHaveCount(50, { timeout: 30_000 })
  const first = await page
    .locator('tr[data-row]')
    .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-row')))
  await page.getByRole('link', { name: 'Next page' }).click()
  await expect(page).toHaveURL(/cursor=/)
  await expect(page.locator('tr[data-row]').first()).not.toHaveAttribute('data-row', first[0] ?? '')
  const second = await page
    .locator('tr[data-row]')
    .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-row')))
  expect(second.filter((id) => first.includes(id))).toEqual([])
  await page.getByRole('link', { name: 'First page' }).click()
  await expect(page).not.toHaveURL(/cursor=/)
})

test('no key that matches is another thing than no key', async ({ page }) => {
  await page.goto('/keys?key=there-is-no-such-key')
  await expect(page.locator('[data-empty=filtered]')).toBeVisible()
  await page.getByRole('link', { name: 'Clear the filters' }).click()
  await expect(page.locator('tr[data-row]').first()).toBeVisible()
})

test('a key tells its attempts, effects, sides, response and what may be done', async ({ page }) => {
  const { items } = await apiAs().get('keys?state=completed&limit=1')
  await page.goto(`/keys/${items[0].id}`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(items[0].key)
  for (const name of [
    'Attempts',
    'Steps and effects',
    'At the provider',
    'In the ledger',
    'Stored response',
    'Cases',
  ])
    await expect(page.getByRole('heading', { name, exact: true })).toBeVisible()
  await expect(page.getByText('Nothing may be done to it in this state.')).toBeVisible()
})

test('what the store kept is shown without secrets', async ({ page }) => {
  const { items } = await apiAs().get('keys?state=completed&limit=1')
  await page.goto(`/keys/${items[0].id}`)
  await expect(page.getByText('Secrets and card data are redacted on the server.')).toBeVisible()
  expect(await page.content()).not.toMatch(/\b[sr]k_(live|test)_\w{8}/)
})

test('an unknown key says so', async ({ page }) => {
  const answer = await page.goto('/keys/key_bm90aGluZw')
  expect(answer?.status()).toBe(404)
})

test('no serious violation in either theme; usable at 390 × 844', async ({ page }) => {
  const { items } = await apiAs().get('keys?limit=1')
  for (const path of ['/keys', `/keys/${items[0].id}`]) {
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.goto(path)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await expectAccessible(page)
    await expectFitsPhone(page)
  }
})

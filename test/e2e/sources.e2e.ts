import { asAdmin, asOperator, expect, expectAccessible, expectFitsPhone, test } from './console-test'
import { storeUrl } from './demo-fixture'

test.use(asOperator)

test('each source says whether and when it was read, and what may be done there', async ({ page }) => {
  await page.goto('/sources')
  const store = page.getByRole('region', { name: 'payments store' })
  await expect(store.getByText('Read', { exact: true })).toBeVisible({ timeout: 30_000 })
  await expect(store.getByText('compares the holder’s fencing token')).toBeVisible()
  await expect(store.getByText(/Last read/)).toBeVisible()
  await expect(
    page.getByRole('region', { name: 'payments provider' }).getByText('Listed without a gap'),
  ).toBeVisible()
  await expect(page.getByRole('region', { name: 'Services that send telemetry' })).toContainText('payments')
})

test('the check-list ticks itself', async ({ page }) => {
  await page.goto('/sources')
  const list = page.getByRole('region', { name: 'First steps' })
  await expect(list.getByText('4 of 4 done')).toBeVisible({ timeout: 30_000 })
})

test('connecting a store names the role that it needs', async ({ page }) => {
  await page.goto('/sources')
  await page.getByRole('link', { name: 'Connect a store' }).click()
  await expect(page.locator('[data-empty=forbidden]')).toContainText('Needs the admin role')
})

test.describe('as an administrator', () => {
  test.use(asAdmin)

  test('a store is found by its columns, its rows are previewed, its role is generated; a taken name is refused', async ({
    page,
  }) => {
    test.setTimeout(90_000)
    await page.goto('/sources/connect')
    await page.getByLabel('Connection URL').fill('postgres://nobody:wrong@127.0.0.1:1/none')
    await page.getByRole('button', { name: 'Look for tables of keys and messages' }).click()
    await expect(page.getByRole('alert').filter({ hasText: 'It cannot be reached' })).toBeVisible({
      timeout: 30_000,
    })
    await page.getByLabel('Connection URL').fill(storeUrl())
    await page.getByRole('button', { name: 'Look for tables of keys and messages' }).click()
    const found = page.getByRole('region', { name: /What is there/ })
    await expect(found).toContainText('Idemscope SDK', { timeout: 30_000 })
    await found.getByRole('button', { name: 'Preview its rows' }).first().click()
    const rows = page.getByRole('region', { name: 'Real rows, table' })
    await expect(rows.getByRole('row').nth(1)).toContainText('POST /v1/', { timeout: 30_000 })
    await expect(page.getByText('compares the holder’s fencing token')).toBeVisible()
    await expect(page.getByText(/GRANT SELECT ON/)).toBeVisible()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Connect this store …' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('payments store')
    await dialog.getByLabel('Reason').fill('a second name for the same store, on purpose')
    await dialog.getByRole('button', { name: /^Connect 1 store in/ }).click()
    await expect(dialog.getByRole('alert')).toContainText('There is a source payments store already')
  })

  test('a source is changed by what was seen of it, once it was tried; its secret is not shown', async ({
    page,
  }) => {
    test.setTimeout(90_000)
    const card = page.getByRole('region', { name: 'payments store' })
    await page.goto('/sources')
    await card.getByRole('link', { name: 'Change …' }).click()
    await expect(page.getByRole('heading', { name: 'Change payments store' })).toBeVisible()
    const url = page.getByLabel('Connection URL')
    await expect(url).toHaveAttribute('placeholder', 'kept as it is')
    await url.fill('postgres://nobody:wrong@127.0.0.1:1/none')
    await page.getByRole('button', { name: 'Try it, and preview' }).click()
    await expect(page.getByRole('alert').filter({ hasText: 'cannot be reached' })).toBeVisible({
      timeout: 30_000,
    })
    await url.fill('')
    await page.getByLabel('Region').fill('eu-west-1')
    await page.getByRole('button', { name: 'Try it, and preview' }).click()
    await expect(page.getByText('It stays, and reading goes on from where it is.')).toBeVisible({
      timeout: 30_000,
    })
    await expect(page.getByRole('region', { name: 'Real rows, table' })).toContainText('POST /v1/')
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Change payments store …' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Reason').fill('we run in a second region now')
    await dialog.getByRole('button', { name: /^Change 1 source in/ }).click()
    await expect(card).toContainText('system payments · eu-west-1', { timeout: 30_000 })
  })
})

test('sources have no serious violation; usable at 390 × 844', async ({ page }) => {
  await page.goto('/sources')
  await expect(page.getByRole('region', { name: 'payments store' })).toBeVisible()
  await expectAccessible(page)
  await expectFitsPhone(page)
})

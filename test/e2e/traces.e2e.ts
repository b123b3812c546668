import { asOperator, expect, expectAccessible, test } from './console-test'

test.use(asOperator)

test('failed traces come first; one opens as a waterfall with a span’s attributes and its key’s attempts', async ({
  page,
}) => {
  await page.goto('/traces?range=24h')
  const first = page.locator('tbody tr').first()
  await expect(first).toContainText(/fenced off|effect twice|store error|bypassed|HTTP 5/)
  await page.goto('/traces?range=24h&outcome=executed&sort=newest')
  await page.locator('tbody a').first().click()
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}\?span=|span=/)
  const waterfall = page.getByRole('figure', { name: 'Waterfall of spans' })
  await expect(waterfall.getByRole('link').first()).toBeVisible()
  await waterfall
    .getByRole('link', { name: /stripe/ })
    .first()
    .click()
  await expect(page.getByRole('region', { name: 'Attributes' })).toContainText('idempotency.effect.id')
  await expect(page.getByRole('region', { name: 'Attempts of this key' })).toBeVisible()
  await page.reload()
  await expect(page.getByRole('region', { name: 'Attributes' })).toContainText('idempotency.effect.id')
})

test('1 filters are in the URL; 6 none that match looks like it', async ({ page }) => {
  await page.goto('/traces')
  await page.getByRole('link', { name: 'Newest first' }).click()
  await expect(page).toHaveURL(/sort=newest/)
  await page.getByRole('searchbox', { name: 'Search traces' }).fill('0'.repeat(32))
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/q=0{32}/)
  await expect(page.locator('[data-empty=filtered]')).toBeVisible()
  await page.goto(`/traces/${'0'.repeat(32)}`)
  await expect(page.getByText('No span of this trace is kept')).toBeVisible()
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`22 traces have no serious violation, ${colorScheme}; usable at 390 × 844`, async ({ page }) => {
    await page.emulateMedia({ colorScheme })
    await page.goto('/traces?range=24h')
    await expectAccessible(page)
    await page.locator('tbody a').first().click()
    await expect(page.getByRole('region', { name: 'Attributes' })).toBeVisible()
    await expectAccessible(page)
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBe(0)
  })
}

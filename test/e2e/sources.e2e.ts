import { asOperator, expect, expectAccessible, test } from './console-test'

test.use(asOperator)

test('5 each source says whether and when it was read, and what may be done there', async ({ page }) => {
  await page.goto('/sources')
  const store = page.getByRole('region', { name: 'payments store' })
  await expect(store.getByText('read', { exact: true })).toBeVisible({ timeout: 30_000 })
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

for (const colorScheme of ['light', 'dark'] as const) {
  test(`22 sources have no serious violation, ${colorScheme}; usable at 390 × 844`, async ({ page }) => {
    await page.emulateMedia({ colorScheme })
    await page.goto('/sources')
    await expect(page.getByRole('region', { name: 'payments store' })).toBeVisible()
    await expectAccessible(page)
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBe(0)
  })
}

import { asOperator, expect, expectAccessible, expectFitsPhone, test } from './console-test'

test.use(asOperator)

/** The demo's faults make duplicates; the first may take a while. */
async function untilSome(page: import('@playwright/test').Page) {
  await expect(async () => {
    await page.goto('/effects?range=24h')
    await expect(page.locator('tr[data-row]').first()).toBeVisible({ timeout: 5_000 })
  }).toPass({ timeout: 55_000 })
}

test('causes are operation × service version, with money a currency; a cause leads to keys', async ({
  page,
}) => {
  test.setTimeout(120_000)
  await untilSome(page)
  await expect(page.getByText(/happened twice in this range/)).toBeVisible()
  await expect(page.locator('tr[data-row]').first()).toContainText('POST /v1/')
  // A late worker of this route charges again: its key has two attempts.
  const cause = page.locator('tr[data-row]').filter({ hasText: 'POST /v1/legacy-payments' })
  await cause.locator('[data-row-link]').first().click()
  const panel = page.getByRole('complementary', { name: 'Effects of the cause' })
  await expect(panel.getByRole('heading')).toContainText('POST /v1/legacy-payments')
  await panel.getByRole('link', { name: 'Key', exact: true }).first().click()
  await expect(page).toHaveURL(/\/keys\/key_/)
  // The provider's second charge may be known before the span of the attempt that made it.
  await expect(async () => {
    await page.reload()
    await expect(page.getByRole('heading', { name: 'Two attempts side by side' })).toBeVisible({
      timeout: 3_000,
    })
  }).toPass({ timeout: 45_000 })
})

test('kind and cause are in the URL, the range goes along', async ({ page }) => {
  await untilSome(page)
  await page.locator('[data-row-link]').last().click()
  await expect(page).toHaveURL(/cause=/)
  await page.reload()
  await expect(page.locator('[data-row-link][aria-current]')).toHaveCount(1)
  await page.getByRole('link', { name: /^Orphans/ }).click()
  await expect(page).toHaveURL(/kind=orphan/)
  await expect(page).toHaveURL(/range=24h/)
})

test('where nothing was measured, none is never said', async ({ page }) => {
  await page.goto('/effects?from=2020-01-01T00:00:00.000Z&to=2020-01-01T01:00:00.000Z')
  await expect(page.locator('[data-empty=waiting]')).toContainText('Not measured')
})

test('no serious violation in either theme; usable at 390 × 844', async ({ page }) => {
  await untilSome(page)
  await expectAccessible(page)
  await expectFitsPhone(page)
})

test('locks and effects are taken as files, CSV and JSON, and that is recorded', async ({ page }) => {
  for (const name of ['locks', 'effects']) {
    await page.goto(`/${name}`)
    for (const format of ['csv', 'json']) {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: format.toUpperCase() }).click(),
      ])
      expect(download.suggestedFilename()).toMatch(new RegExp(`^idemscope-${name}-.*\\.${format}$`))
    }
    await page.goto(`/audit?verb=${name}.export`)
    await expect(page.locator('main tbody tr').first()).toContainText(`${name}.export`)
  }
})

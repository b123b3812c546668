import { apiClient, signIn } from '../support/api'
import { asOperator, expect, expectAccessible, test } from './console-test'
import { person } from './people'

test.use(asOperator)

const REASON = 'the backlog grows, checked with the team'

test('rows and bytes by tier; a dry run takes nothing; collecting now asks why and is recorded once', async ({
  page,
}) => {
  test.setTimeout(120_000)
  await page.goto('/storage')
  await expect(page.locator('[data-tier=payments]')).toContainText(/\d/, { timeout: 55_000 })
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Dry run' }).click()
  await dialog.getByRole('button', { name: 'Start 1 dry run' }).dblclick()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  const collections = page.getByRole('region', { name: 'Collections' })
  await expect(async () => {
    const pill = collections.getByRole('button', { name: /new|ended/ })
    if (await pill.isVisible()) await pill.click()
    await expect(collections.getByText('Dry run').first()).toBeVisible({ timeout: 1_000 })
  }).toPass({ timeout: 30_000 })

  await page.getByRole('button', { name: 'Collect now' }).click()
  await expect(dialog).toHaveAttribute('data-tone', 'danger')
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()
  const confirm = dialog.getByRole('button', { name: /^Collect expired keys in/ })
  await expect(confirm).toBeDisabled()
  await dialog.getByLabel('Reason').fill(REASON)
  await confirm.dblclick()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  const url = process.env.BASE_URL ?? ''
  const api = apiClient(url, { cookie: await signIn(url, person('operator')) })
  const { items } = await api.get('audit?verb=run.start&limit=20')
  expect(items.filter(({ reason }: { reason: string | null }) => reason === REASON)).toHaveLength(1)
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`22 storage has no serious violation, ${colorScheme}; usable at 390 × 844`, async ({ page }) => {
    await page.emulateMedia({ colorScheme })
    await page.goto('/storage')
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await expectAccessible(page)
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBe(0)
  })
}

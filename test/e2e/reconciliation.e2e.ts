import type { Locator } from '@playwright/test'
import { apiAs } from './api-as'
import { asOperator, expect, expectAccessible, expectFitsPhone, test } from './console-test'

test.use(asOperator)

/** Where it ends, in pixels from the left. */
async function rightOf(part: Locator): Promise<number> {
  const box = await part.boundingBox()
  return box === null ? Number.NaN : box.x + box.width
}

test('a dry run is started, goes on live, says gross and net, opens no case, and can be run for real', async ({
  page,
}) => {
  test.setTimeout(120_000)
  await page.goto('/reconciliation')
  await page.getByRole('button', { name: 'Start a run' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()
  await expect(dialog.getByRole('radio', { name: /^Dry run/ })).toBeChecked()
  await dialog.getByLabel('Window').selectOption('1h')
  await dialog.getByRole('button', { name: 'Start 1 run' }).dblclick()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  const run = page
    .getByRole('region', { name: 'Runs' })
    .getByRole('link', { name: /^Dry run by/ })
    .first()
  await expect(run).toBeVisible()
  await run.click()
  await expect(page).toHaveURL(/\/reconciliation\/runs\/run_/)
  await expect(page.locator('[data-figure=Compared]')).toContainText(/\d/, { timeout: 60_000 })
  await expect(page.getByRole('button', { name: 'Run for real' })).toBeVisible({ timeout: 60_000 })
  const id = page.url().split('/').at(-1)?.split('?')[0]
  const { dryRun, counts } = await apiAs().get(`runs/${id}`)
  expect(dryRun).toBe(true)
  const [system] = Object.values(counts) as { compared: number; matched: number; opened?: number }[]
  expect(system?.opened).toBeUndefined()
  const figure = (name: string) => page.locator(`[data-figure=${name}]`)
  await expect(figure('Compared')).toContainText(
    new Intl.NumberFormat('en-US').format(system?.compared ?? -1),
  )
  await expect(figure('Matched')).toContainText(new Intl.NumberFormat('en-US').format(system?.matched ?? -1))
})

test('a figure by class and age opens the list behind it, with the same count', async ({ page }) => {
  await expect(async () => {
    await page.goto('/reconciliation')
    const card = page.getByRole('region', { name: 'Open cases by class and age', exact: true })
    const link = card.getByRole('row').nth(1).getByRole('cell').getByRole('link').first()
    const count = Number((await link.textContent())?.replaceAll(',', ''))
    await link.click()
    await expect(page).toHaveURL(/class=.*age=|age=.*class=/)
    const rows = page.getByRole('region', { name: 'Cases', exact: true }).locator('tbody tr')
    await expect(rows).toHaveCount(Math.min(count, 25), { timeout: 5_000 })
  }).toPass({ timeout: 45_000 })
})

test('filters are in the URL, outlive a reload, and Back undoes them; the range stays', async ({ page }) => {
  await page.goto('/reconciliation?range=6h')
  await page.getByRole('link', { name: /^Resolved/ }).click()
  await expect(page).toHaveURL(/range=6h/)
  await expect(page).toHaveURL(/show=resolved/)
  await page.getByRole('button', { name: /^Severity/ }).click()
  await page.getByRole('link', { name: /^P1 [\d,]+$/ }).click()
  await expect(page).toHaveURL(/severity=P1/)
  await page.reload()
  await expect(page.getByRole('button', { name: 'Severity: P1' })).toBeVisible()
  await page.goBack()
  await expect(page).not.toHaveURL(/severity=P1/)
  await expect(page.getByRole('link', { name: /^Resolved/ })).toHaveAttribute('aria-current', 'true')
})

test('new cases wait behind a pill; the rows that are shown keep their places', async ({ page }) => {
  test.setTimeout(120_000)
  await page.goto('/reconciliation')
  const rows = page.getByRole('region', { name: 'Cases', exact: true }).locator('tbody tr a[href*="/cases/"]')
  await expect(rows.first()).toBeVisible({ timeout: 55_000 })
  const addresses = () => rows.evaluateAll((links) => links.map((link) => link.getAttribute('href')))
  const before = await addresses()
  const pill = page.getByRole('button', { name: /^\d+ (new|ended)/ })
  await expect(pill).toBeVisible({ timeout: 60_000 })
  expect(await addresses()).toEqual(before)
  await pill.click()
  await expect(pill).toBeHidden()
  expect(await addresses()).not.toEqual(before)
})

test('no case that matches is another thing than no case', async ({ page }) => {
  await page.goto('/reconciliation?class=dispute_unbooked')
  await expect(page.locator('[data-empty=filtered]')).toBeVisible()
  await page.getByRole('link', { name: 'Clear the filters' }).click()
  await expect(page).not.toHaveURL(/class=/)
  await page.goto('/reconciliation?show=snoozed&severity=warn')
  await expect(page.locator('[data-empty=filtered]')).toBeVisible()
})

test('reconciliation has no serious violation; usable at 390 × 844', async ({ page }) => {
  await page.goto('/reconciliation')
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await expectAccessible(page)
  await expectFitsPhone(page)
  const cases = page.getByRole('region', { name: 'Cases', exact: true })
  expect(await rightOf(cases.locator('table'))).toBeLessThanOrEqual(await rightOf(cases))
  await expectAccessible(page)
})

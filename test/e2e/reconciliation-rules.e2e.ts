import type { Page } from '@playwright/test'
import { apiAs } from './api-as'
import { waitForOpen } from './case-fixture'
import { asApprover, asOperator, expect, expectAccessible, expectFitsPhone, test } from './console-test'

test.use(asOperator)
test.describe.configure({ timeout: 150_000 })

const REASON = 'the ledger of that service rounds to whole cents'
/** Speaks of a scope that no case has: the demo goes on as it is. */
const SCOPE = 'nobody/POST /v1/rounded'

async function fillRule(page: Page, name: string, fields: Record<string, string>): Promise<void> {
  await page.getByRole('button', { name: 'Propose a rule' }).click()
  const form = page.getByRole('dialog')
  await form.getByLabel('Name').fill(name)
  for (const [label, value] of Object.entries(fields)) await form.getByLabel(label).fill(value)
}

test('the preview checks the open cases against the list with the rule in it, and says whose and how much money', async ({
  page,
}) => {
  await waitForOpen('amount_mismatch', 1)
  await page.goto('/reconciliation/rules')
  await fillRule(page, 'everything goes', { 'Apart by, percent': '100' })
  const form = page.getByRole('dialog')
  await expect(form.getByRole('button', { name: 'Cancel' })).toBeVisible()
  await form.getByRole('button', { name: 'Preview' }).click()
  await expect(form.getByText(/a rule without criteria would excuse everything/)).toBeVisible()
  await form.getByLabel('Class').selectOption('amount_mismatch')
  await form.getByRole('button', { name: 'Preview' }).click()
  await expect(
    form.getByText(/^\d+ of (the newest )?\d+ open cases? would close at the next run, with /),
  ).toBeVisible({
    timeout: 30_000,
  })
  await form.getByRole('button', { name: 'Cancel' }).click()
  expect((await apiAs().get('reconciliation/rules')).rules).toEqual([])
})

test('a rule is in force once another person has approved it; its proposer cannot; it is retired the same way', async ({
  page,
  browser,
}) => {
  await page.goto('/reconciliation/rules')
  await expect(page.getByText('Nothing is tolerated')).toBeVisible()
  await fillRule(page, 'rounding', { Scope: SCOPE, 'Apart by, in minor units': '1' })
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill(REASON)
  await dialog.getByRole('button', { name: 'Propose 1 rule' }).dblclick()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  const waiting = page.getByRole('region', { name: 'Proposed rules' })
  await expect(waiting).toHaveCount(1)
  await expect(waiting).toContainText('Adds “rounding”')
  await expect(waiting).toContainText(/None of .*\d+ open cases would be excused/)
  const approve = waiting.getByRole('button', { name: 'Approve rules' })
  await expect(approve).toHaveAttribute('aria-disabled', 'true')
  const { items } = await apiAs().get('actions?kind=reconciliation_rules&state=proposed')
  const own = await apiAs().post(`actions/${items[0].id}/approve`, {
    evidenceHash: items[0].evidenceHash,
  })
  expect(own.status).toBe(403)

  const other = await browser.newContext({ ...asApprover, baseURL: process.env.BASE_URL ?? '' })
  const second = await other.newPage()
  await second.goto('/reconciliation')
  await second
    .getByRole('region', { name: 'Waiting for approval' })
    .getByRole('link', { name: 'reconciliation rules' })
    .first()
    .click()
  await expect(second).toHaveURL(/\/reconciliation\/rules/)
  await second.getByRole('button', { name: 'Approve rules' }).click()
  const approval = second.getByRole('dialog')
  await expect(approval).toHaveAttribute('data-tone', 'danger')
  await expect(approval.getByRole('button', { name: 'Cancel' })).toBeFocused()
  await approval.getByLabel(/How many/).fill('1')
  await approval.getByRole('button', { name: 'Approve 1 rule in DEMO' }).click()
  await expect(approval).toBeHidden({ timeout: 45_000 })
  await expect(second.locator('[data-row=rounding]')).toContainText(SCOPE)
  await expect(second.locator('[data-row=rounding]')).toContainText(/none of \d+ open cases?.*approved by/)
  await other.close()

  await page.reload()
  await page.locator('[data-row=rounding]').getByRole('button', { name: 'Retire' }).click()
  await dialog.getByLabel('Reason').fill(REASON)
  await dialog.getByRole('button', { name: 'Propose 1 retirement' }).click()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  await expect(waiting).toContainText('Retires “rounding”')
  await waiting.getByRole('button', { name: 'Withdraw' }).click()
  await dialog.getByLabel('Reason').fill(REASON)
  await dialog.getByRole('button', { name: 'Withdraw 1 proposal' }).click()
  await expect(waiting).toHaveCount(0)
  expect((await apiAs().get('reconciliation/rules')).rules).toMatchObject([{ name: 'rounding' }])
})

test("rules and the day's report have no serious violation; usable at 390 × 844", async ({ page }) => {
  for (const path of ['/reconciliation/rules', '/reconciliation/reports']) {
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.goto(path)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await expectAccessible(page)
    await expectFitsPhone(page)
  }
  await page.goto('/reconciliation/rules')
  await page.getByRole('button', { name: 'Propose a rule' }).click()
  await expectAccessible(page)
  const form = page.getByRole('dialog').locator('form')
  expect(await form.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0)
})

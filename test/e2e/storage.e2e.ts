import { apiAs } from './api-as'
import { asApprover, asOperator, expect, expectAccessible, expectFitsPhone, test } from './console-test'

test.use(asOperator)

const REASON = 'the backlog grows, checked with the team'

test('rows and bytes by tier; a dry run takes nothing; collecting now asks why and is recorded once', async ({
  page,
}) => {
  test.setTimeout(120_000)
  await page.goto('/storage')
  await expect(page.locator('[data-row$=" payments"]')).toContainText(/\d/, { timeout: 55_000 })
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
  const api = apiAs()
  const { items } = await api.get('audit?verb=run.start&limit=20')
  expect(items.filter(({ reason }: { reason: string | null }) => reason === REASON)).toHaveLength(1)
})

test('growth, days left, backlog and lag; collections are marks that open their run', async ({ page }) => {
  test.setTimeout(180_000)
  await page.goto('/storage?range=15m')
  for (const name of ['Size', 'Growth a day', 'Days left', 'Expired backlog', 'Expiry lag'])
    await expect(page.locator(`[data-figure="${name}"]`).first()).toBeVisible()
  const mark = page.locator('[data-mark]').last()
  await expect(async () => {
    await page.reload()
    await expect(mark).toBeVisible({ timeout: 2_000 })
  }).toPass({ timeout: 150_000 })
  await mark.focus()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/storage\/runs\/run_/)
  await expect(page.locator('[data-figure=Keys]')).toContainText(/[1-9]/)
  await expect(page.getByRole('region', { name: 'TTL advice' })).toHaveCount(0)
  const [, id] = /(run_\w+)/.exec(page.url()) ?? []
  await page.goto(`/reconciliation/runs/${id}`)
  await expect(page).toHaveURL(new RegExp(`/storage/runs/${id}`))
})

test('a run is shown by the page of its kind; one without a page is not found', async ({ page }) => {
  const api = apiAs()
  const runOf = async (kind: string): Promise<string> =>
    (await api.get(`runs?kind=${kind}&limit=1`)).items[0].id
  const internal = await runOf('roll_up')
  expect((await page.goto(`/storage/runs/${internal}`))?.status()).toBe(404)
  expect((await page.goto(`/reconciliation/runs/${internal}`))?.status()).toBe(404)
  const reconciliation = await runOf('reconciliation')
  await page.goto(`/storage/runs/${reconciliation}`)
  await expect(page).toHaveURL(new RegExp(`/reconciliation/runs/${reconciliation}`))
})

test('a policy is in force once another person has approved it; its proposer cannot, and can withdraw', async ({
  page,
  browser,
}) => {
  test.setTimeout(120_000)
  const propose = async (minutes: string) => {
    await page.getByRole('button', { name: 'Propose a policy' }).click()
    const form = page.getByRole('dialog')
    await form.getByLabel('Tier').selectOption('payments')
    await form.getByLabel('Safety buffer, amount').fill(minutes)
    await form.getByLabel('Safety buffer, unit').selectOption('min')
    await form.getByLabel('Reason').fill(REASON)
    await form.getByRole('button', { name: 'Propose 1 policy' }).dblclick()
    await expect(form).toBeHidden({ timeout: 30_000 })
  }
  await page.goto('/storage')
  await expect(page.locator('[data-row$=" payments"]')).toBeVisible({ timeout: 55_000 })
  const card = page.getByRole('region', { name: 'Retention policies' })
  const waiting = card.getByRole('region', { name: /^Proposed policy for payments/ })
  await propose('7')
  await expect(waiting).toHaveCount(1)
  await expect(waiting.getByRole('button', { name: 'Approve policy' })).toHaveAttribute(
    'aria-disabled',
    'true',
  )
  await waiting.getByRole('button', { name: 'Withdraw' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill(REASON)
  await dialog.getByRole('button', { name: 'Withdraw 1 proposal' }).click()
  await expect(waiting).toHaveCount(0)

  await propose('9')
  const other = await browser.newContext({ ...asApprover, baseURL: process.env.BASE_URL ?? '' })
  const second = await other.newPage()
  await second.goto('/reconciliation')
  await second
    .getByRole('region', { name: 'Waiting for approval' })
    .getByRole('link', { name: 'retention policy' })
    .first()
    .click()
  await expect(second).toHaveURL(/\/storage.*#policies/)
  await second.getByRole('button', { name: 'Approve policy' }).click()
  const approval = second.getByRole('dialog')
  await approval.getByLabel(/How many/).fill('1')
  await approval.getByRole('button', { name: /^Approve 1 policy in/ }).click()
  await expect(approval).toBeHidden({ timeout: 45_000 })
  await expect(
    second
      .getByRole('region', { name: 'Retention policies' })
      .getByRole('row', { name: /^payments .*9 min/ }),
  ).toBeVisible()
  await other.close()
})

test('the TTL that retries imply is shown; what does not exist is not found', async ({ page }) => {
  await page.goto('/storage')
  const advice = page.getByRole('region', { name: 'TTL advice', exact: true })
  await expect(advice.getByRole('row', { name: /POST \/v1\/payments/ }).first()).toBeVisible({
    timeout: 30_000,
  })
  await expect(
    advice.getByRole('button', { name: 'Propose this policy' }).first(),
  ).toHaveAccessibleDescription(/registerTier|came twice/)
  expect((await page.goto('/storage/runs/run_none'))?.status()).toBe(404)
  expect((await page.goto('/reconciliation/runs/run_none'))?.status()).toBe(404)
})

test('storage has no serious violation; usable at 390 × 844', async ({ page }) => {
  await page.goto('/storage')
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await expectAccessible(page)
  await expectFitsPhone(page)
})

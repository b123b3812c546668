import { apiAs } from './api-as'
import { asApprover, asOperator, expect, expectAccessible, expectFitsPhone, test } from './console-test'

test.use(asOperator)
test.describe.configure({ timeout: 150_000 })

const REASON = 'nobody is woken by a system that is not there'
/** Of a system that the demo has not: what fires goes on as it is. */
const SYSTEM = 'nowhere'

test('other terms are previewed, proposed, and in force once another person has approved them', async ({
  page,
  browser,
}) => {
  await page.goto('/alerts')
  await page.getByRole('link', { name: 'What fires' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'What fires' })).toBeVisible()
  await page.getByRole('button', { name: 'Propose a change' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Alert').selectOption('stuck_keys')
  await dialog.getByLabel('System').fill(SYSTEM)
  await dialog.getByRole('button', { name: 'Preview' }).click()
  await expect(dialog.getByText('a rule changes something')).toBeVisible()
  await dialog.getByLabel('Who is to know').selectOption('ticket')
  await dialog.getByLabel('More stuck keys than').fill('5')
  await dialog.getByRole('button', { name: 'Preview' }).click()
  await expect(dialog.getByText('Fired not once. How often it would have is not known')).toBeVisible()
  await dialog.getByLabel('Reason').fill(REASON)
  await dialog.getByRole('button', { name: 'Propose 1 change' }).dblclick()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  const waiting = page.getByRole('region', { name: 'Proposed terms' })
  await expect(waiting).toHaveCount(1)
  await expect(waiting).toContainText('Sets “Keys are stuck”')
  await expect(waiting).toContainText(`${SYSTEM}: ticket; More stuck keys than: 5`)
  await expect(waiting.getByRole('button', { name: 'Approve terms' })).toHaveAttribute(
    'aria-disabled',
    'true',
  )
  await expectAccessible(page)

  const other = await browser.newContext({ ...asApprover, baseURL: process.env.BASE_URL ?? '' })
  const second = await other.newPage()
  await second.goto('/alerts/terms')
  await second.getByRole('button', { name: 'Approve terms' }).click()
  const approval = second.getByRole('dialog')
  await approval.getByLabel(/How many/).fill('1')
  await approval.getByRole('button', { name: 'Approve 1 rule in DEMO' }).click()
  await expect(approval).toBeHidden({ timeout: 45_000 })
  await expect(second.getByRole('row').filter({ hasText: SYSTEM })).toContainText('ticket')
  await other.close()
  expect((await apiAs().get('alerts/terms')).rules).toMatchObject([
    { kind: 'stuck_keys', when: { system: SYSTEM }, severity: 'ticket', limits: { countMax: 5 } },
  ])
})

test('what fires has no serious violation; usable at 390 × 844', async ({ page }) => {
  await page.goto('/alerts/terms')
  await expect(page.getByRole('heading', { level: 1, name: 'What fires' })).toBeVisible()
  await expectFitsPhone(page)
  await expectAccessible(page)
})

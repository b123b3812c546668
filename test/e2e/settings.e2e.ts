import { apiClient, signIn } from '../support/api'
import { asAdmin, asApprover, asOperator, expect, expectAccessible, test } from './console-test'
import { person } from './people'

const REASON = 'drill of the kill switch, announced in the channel'

test.describe('as an approver', () => {
  test.use(asApprover)

  test('15 the kill switch stops every mutation, every tab says so within 5 s, and reading works', async ({
    page,
    context,
  }) => {
    const url = process.env.BASE_URL ?? ''
    const other = await context.newPage()
    await other.goto('/now')
    await page.goto('/settings')
    const dialog = page.getByRole('dialog')
    try {
      await page.getByRole('button', { name: 'Switch writes off' }).click()
      await expect(dialog).toHaveAttribute('data-tone', 'danger')
      await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()
      await dialog.getByLabel('Reason').fill(REASON)
      await dialog.getByRole('button', { name: /^Switch all writes off in/ }).click()
      await expect(dialog).toBeHidden()
      await expect(page.getByText('Writes are off.', { exact: true })).toBeVisible()
      await expect(other.getByText('Writes are off.', { exact: true })).toBeVisible({ timeout: 5_000 })
      const api = apiClient(url, { cookie: await signIn(url, person('operator')) })
      const refused = await api.post('reconciliation/runs', { dryRun: true })
      expect(refused.status).toBe(403)
      expect((await api.get('reconciliation/cases?limit=1')).items).toBeDefined()
    } finally {
      await page.goto('/settings')
      await page.getByRole('button', { name: 'Switch writes on' }).click()
      await dialog.getByLabel('Reason').fill(REASON)
      await dialog.getByRole('button', { name: /^Switch all writes on in/ }).click()
      await expect(page.getByText('Writes are on.')).toBeVisible()
    }
    await other.close()
  })
})

test.describe('as an administrator', () => {
  test.use(asAdmin)

  test('a user is added, their password told once, and they are locked out at once', async ({ page }) => {
    const url = process.env.BASE_URL ?? ''
    const email = `new-${Date.now()}@idemscope.local`
    await page.goto('/settings')
    const users = page.getByRole('region', { name: 'Users', exact: true })
    await users.getByText('Add a user').click()
    await users.getByLabel('Email').fill(email)
    await users.getByLabel('Name').fill('new colleague')
    await users.getByLabel('Role').selectOption('approver')
    await users.getByLabel('Reason').fill(REASON)
    await users.getByRole('button', { name: 'Add 1 user' }).click()
    const told = users.getByRole('status').filter({ hasText: 'it is not shown again' })
    await expect(told).toContainText('it is not shown again', { timeout: 30_000 })
    const password = (await told.locator('code').textContent()) ?? ''
    const cookie = await signIn(url, { email, password })
    expect((await apiClient(url, { cookie }).get('sources')).items.length).toBeGreaterThan(0)
    await page.reload()
    await expect(page.getByText(password)).toHaveCount(0)
    const row = users.getByRole('row').filter({ hasText: email })
    await row.getByRole('button', { name: 'Lock out' }).click()
    const dialog = page.getByRole('dialog')
    await expect(dialog).toHaveAttribute('data-tone', 'danger')
    await dialog.getByLabel('Reason').fill(REASON)
    await dialog.getByRole('button', { name: 'Lock out 1 user' }).click()
    await expect(row.getByText('locked out')).toBeVisible({ timeout: 30_000 })
    const asked = await fetch(`${url}/api/v1/sources`, { headers: { cookie } })
    expect(asked.status).toBe(401)
  })
})

test.describe('as an operator', () => {
  test.use(asOperator)

  test('16 what an operator may not do is visible, focusable and names the role', async ({ page }) => {
    await page.goto('/settings')
    const off = page.getByRole('button', { name: 'Switch writes off' })
    await off.focus()
    await expect(off).toBeFocused()
    await expect(off).toHaveAttribute('aria-disabled', 'true')
    await expect(off).toHaveAccessibleDescription('Needs the approver role')
    await expect(page.getByRole('button', { name: 'Change role' }).first()).toHaveAccessibleDescription(
      'Needs the admin role',
    )
  })

  test('a token of one’s own is told once, works, and stops when it is revoked', async ({ page }) => {
    const name = `e2e ${Date.now()}`
    await page.goto('/settings')
    await page.getByLabel('Name of a new token').fill(name)
    await page.getByRole('button', { name: 'Make 1 token' }).click()
    const token = page.locator('code', { hasText: /^idemscope_/ }).filter({ hasNotText: '…' })
    await expect(token).toBeVisible()
    const secret = (await token.textContent()) ?? ''
    const ask = () =>
      fetch(`${process.env.BASE_URL}/api/v1/sources`, { headers: { authorization: `Bearer ${secret}` } })
    expect((await ask()).status).toBe(200)
    await page.reload()
    await expect(page.getByText(secret)).toHaveCount(0)
    const row = page
      .getByRole('region', { name: 'Your tokens' })
      .getByRole('listitem')
      .filter({ hasText: name })
    await row.getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke 1 token' }).click()
    await expect(row).toHaveCount(0)
    await expect.poll(async () => (await ask()).status, { timeout: 15_000 }).toBe(401)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`22 settings have no serious violation, ${colorScheme}; usable at 390 × 844`, async ({ page }) => {
      await page.emulateMedia({ colorScheme })
      await page.goto('/settings')
      await expect(page.getByRole('region', { name: 'Roles', exact: true })).toBeVisible()
      await expectAccessible(page)
      await page.setViewportSize({ width: 390, height: 844 })
      expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBe(0)
    })
  }
})

import { randomUUID } from 'node:crypto'
import { type Page, request } from '@playwright/test'
import { acceptInvitation } from '@/lib/access/accounts/accept-invitation'
import { inviteFromHost } from '@/lib/access/accounts/invite-from-host'
import { endOpenRequests } from '@/lib/actions/end-open-requests'
import { systemClock } from '@/lib/core/clock'
import type { Role } from '@/lib/core/permissions'
import { closeDatabase, openDatabase } from '@/lib/db'
import { apiAs } from './api-as'
import {
  alone,
  asAdmin,
  asApprover,
  asNobody,
  asOperator,
  expect,
  expectAccessible,
  expectFitsPhone,
  test,
} from './console-test'
import { runtime } from './demo-fixture'

const REASON = 'drill of the kill switch, announced in the channel'

test.describe('as an approver', () => {
  test.use(asApprover)

  test(
    'the kill switch stops every mutation but those that contain, every tab says so within 5 s, and reading works',
    alone,
    async ({ page, context, browser }) => {
      test.setTimeout(120_000)
      const url = process.env.BASE_URL ?? ''
      const leaver = await newPerson(url, 'operator')
      const other = await context.newPage()
      await other.goto('/now')
      const { token } = await makeToken(page)
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
        const api = apiAs()
        const refused = await api.post('reconciliation/runs', { dryRun: true })
        expect(refused.status).toBe(403)
        expect((await api.get('reconciliation/cases?limit=1')).items).toBeDefined()
        await revokeToken(page, token)
        const admin = await (await browser.newContext(asAdmin)).newPage()
        await admin.goto(`${url}/settings`)
        await lockOut(admin, leaver.email)
        await admin.close()
      } finally {
        // One approver asks; an administrator agrees.
        await page.goto('/settings')
        await page.getByRole('button', { name: 'Ask to switch writes on' }).click()
        await dialog.getByLabel('Reason').fill(REASON)
        await dialog.getByRole('button', { name: /^Ask to switch all writes on in/ }).click()
        await expect(page.getByText(/^You asked to switch them on/)).toBeVisible()
        await expect(page.getByText('Writes are off.', { exact: true })).toBeVisible()
        const admin = await (await browser.newContext(asAdmin)).newPage()
        await admin.goto(`${url}/settings`)
        await admin.getByRole('button', { name: 'Switch writes on' }).click()
        await admin.getByRole('dialog').getByLabel('Reason').fill(REASON)
        await admin.getByRole('button', { name: /^Switch all writes on in/ }).click()
        await expect(admin.getByText('Writes are on.')).toBeVisible()
        await admin.close()
      }
      await other.close()
    },
  )
})

test.describe('as an administrator', () => {
  test.use(asAdmin)

  test('a person is invited, sets their own password, and a second administrator raises and confirms them', async ({
    page,
    browser,
  }) => {
    test.setTimeout(120_000)
    const url = process.env.BASE_URL ?? ''
    const name = `Colleague ${Date.now()}`
    const email = `${name.toLowerCase().replace(' ', '-')}@idemscope.local`
    await page.goto('/settings')
    const users = page.getByRole('region', { name: 'Users', exact: true })
    await users.getByText('Invite a user').click()
    await users.getByLabel('Email').fill(email)
    await users.getByLabel('Name').fill(name)
    await users.getByRole('combobox').selectOption('approver')
    await users.getByLabel('Reason').fill(REASON)
    await users.getByRole('button', { name: 'Invite 1 user' }).click()
    const told = users.getByRole('status').filter({ hasText: 'it is not shown again' })
    await expect(told).toContainText('viewer until a second administrator approves approver', {
      timeout: 30_000,
    })
    const link = (await told.locator('code').textContent()) ?? ''
    await page.reload()
    await expect(page.getByText(link)).toHaveCount(0)
    const row = users.getByRole('row').filter({ hasText: email })
    await expect(row.getByText('invited')).toBeVisible()
    const raise = users.getByRole('region', { name: `Proposed role of ${name}` })
    await expect(raise.getByRole('button', { name: 'Approve role' })).toHaveAccessibleDescription(
      'You proposed this: somebody else has to approve it',
    )

    const person = await (await browser.newContext(asNobody)).newPage()
    await person.goto(link.replace(/^https?:\/\/[^/]+/, url))
    await expect(person.getByText(`invites you as ${name}`)).toBeVisible()
    await expectAccessible(person)
    await expectFitsPhone(person)
    await person.getByLabel(/^Password/).fill(`${name} password`)
    await person.getByRole('button', { name: 'Set password and sign in' }).click()
    await expect(person).toHaveURL(/\/settings/)
    const account = person.getByRole('region', { name: 'Your account' })
    const code = (await account.locator('code').textContent()) ?? ''
    expect(code).toMatch(/^[A-Z2-9]{4}-[A-Z2-9]{4}$/)
    await person.goto(link.replace(/^https?:\/\/[^/]+/, url))
    await expect(person.locator('main [role=alert]')).toContainText('not valid any more')

    const second = await (
      await browser.newContext({ storageState: (await newPerson(url, 'admin')).storageState })
    ).newPage()
    await second.goto(`${url}/settings`)
    const theirs = second.getByRole('region', { name: 'Users', exact: true })
    const dialog = second.getByRole('dialog')
    const waiting = theirs.getByRole('region', { name: `Proposed role of ${name}` })
    await waiting.getByRole('button', { name: 'Approve role' }).click()
    await dialog.getByLabel(/^Who/).fill(name)
    await dialog.getByRole('button', { name: /^Raise 1 role in/ }).click()
    await expect(waiting).toHaveCount(0, { timeout: 30_000 })
    const held = theirs.getByRole('row').filter({ hasText: email })
    await expect(held.getByText('approver', { exact: true })).toBeVisible()
    await expect(held.getByText('not confirmed')).toBeVisible()
    await held.getByText('More').click()
    await held.getByRole('button', { name: 'Confirm' }).click()
    await dialog.getByLabel(/^Code that/).fill(code)
    await dialog.getByLabel('Reason').fill(REASON)
    await dialog.getByRole('button', { name: 'Confirm 1 account' }).click()
    await expect(held.getByText('not confirmed')).toHaveCount(0, { timeout: 30_000 })
    await second.close()

    await page.reload()
    await lockOut(page, email)
    await person.goto(`${url}/settings`)
    await expect(person).toHaveURL(/\/sign-in/)
    await person.close()
  })

  test('settings of an administrator have no serious violation; usable at 390 × 844', async ({ page }) => {
    await page.goto('/settings')
    const users = page.getByRole('region', { name: 'Users', exact: true })
    await users.getByText('More').first().click()
    await users.getByText('Invite a user').click()
    await page.getByText('Change your password').click()
    // A target that the bar half covers is no target of its own size.
    await page.evaluate(() => window.scrollTo(0, 0))
    await expectAccessible(page)
    await expectFitsPhone(page)
  })
})

/** Made by the host, so that nobody of the console is behind them. Gives the session. */
/** On the settings page of an administrator. */
async function lockOut(page: Page, email: string): Promise<void> {
  const row = page
    .getByRole('region', { name: 'Users', exact: true })
    .getByRole('row')
    .filter({ hasText: email })
  await row.getByRole('button', { name: 'Lock out' }).click()
  await expect(page.getByRole('dialog')).toHaveAttribute('data-tone', 'danger')
  await page.getByRole('dialog').getByLabel('Reason').fill(REASON)
  await page.getByRole('button', { name: 'Lock out 1 user' }).click()
  await expect(row.getByText('locked out')).toBeVisible({ timeout: 30_000 })
}

/** Makes a token of one's own, and leaves the page open: it is told there once. */
async function makeToken(page: Page): Promise<{ token: string; secret: string }> {
  const token = `e2e ${Date.now()}`
  await page.goto('/settings')
  await page.getByLabel('Name of a new token').fill(token)
  await page.getByRole('button', { name: 'Make 1 token' }).click()
  const told = page.locator('code', { hasText: /^idemscope_/ }).filter({ hasNotText: '…' })
  await expect(told).toBeVisible()
  return { token, secret: (await told.textContent()) ?? '' }
}

async function revokeToken(page: Page, name: string): Promise<void> {
  await page.goto('/settings')
  const row = page
    .getByRole('region', { name: 'Your tokens' })
    .getByRole('listitem')
    .filter({ hasText: name })
  await row.getByRole('button', { name: 'Revoke' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke 1 token' }).click()
  await expect(row).toHaveCount(0)
}

async function newPerson(url: string, role: Role) {
  const db = openDatabase(runtime().databaseUrl, 1)
  const email = `${role}-${randomUUID().slice(0, 8)}@idemscope.local`
  const password = randomUUID()
  try {
    const asked = { email, name: `Another ${role} ${Date.now()}`, role }
    const { secret } = await inviteFromHost(db, systemClock, asked)
    await acceptInvitation({ db, clock: systemClock, endOpenRequests }, { secret, password })
  } finally {
    await closeDatabase(db)
  }
  const context = await request.newContext({ baseURL: url, extraHTTPHeaders: { origin: url } })
  await context.post('/api/auth/sign-in/email', { data: { email, password } })
  const storageState = await context.storageState()
  await context.dispose()
  return { email, storageState }
}

test.describe('as an operator', () => {
  test.use(asOperator)

  test('what an operator may not do is visible, focusable and names the role', async ({ page }) => {
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
    const { token: name, secret } = await makeToken(page)
    const ask = () =>
      fetch(`${process.env.BASE_URL}/api/v1/sources`, { headers: { authorization: `Bearer ${secret}` } })
    expect((await ask()).status).toBe(200)
    await page.reload()
    await expect(page.getByText(secret)).toHaveCount(0)
    await expect(page.getByRole('listitem').filter({ hasText: name })).toContainText(', ends ')
    await revokeToken(page, name)
    await expect.poll(async () => (await ask()).status, { timeout: 15_000 }).toBe(401)
  })

  test('an act of a page is refused when another site asks for it', async ({ page }) => {
    const url = process.env.BASE_URL ?? ''
    await page.goto('/settings')
    await page.getByLabel('Name of a new token').fill(`forged ${Date.now()}`)
    const asked = page.waitForRequest((each) => each.method() === 'POST' && 'next-action' in each.headers())
    await page.getByRole('button', { name: 'Make 1 token' }).click()
    const act = await asked
    await expect(page.locator('code', { hasText: /^idemscope_/ }).filter({ hasNotText: '…' })).toBeVisible()
    const tokens = page.getByRole('region', { name: 'Your tokens' }).getByRole('listitem')
    await page.reload()
    const count = await tokens.count()
    const headers = await act.allHeaders()
    const answer = await fetch(`${url}/settings`, {
      method: 'POST',
      headers: {
        'next-action': headers['next-action'] ?? '',
        'content-type': headers['content-type'] ?? '',
        cookie: headers.cookie ?? '',
        origin: 'https://evil.example',
      },
      body: act.postData() ?? '',
    })
    expect(answer.ok).toBe(false)
    await page.reload()
    expect(await tokens.count()).toBe(count)
  })

  test('a wrong current password is told, and this session is known', async ({ page, browser }) => {
    const url = process.env.BASE_URL ?? ''
    const other = await (
      await browser.newContext({ storageState: (await newPerson(url, 'admin')).storageState })
    ).newPage()
    await other.goto(`${url}/settings`)
    await other.getByText('Change your password').click()
    await other.getByLabel('Current password').fill('not the password')
    await other.getByLabel(/^New password/).fill('a password that is long')
    await other.getByRole('button', { name: 'Change 1 password' }).click()
    await expect(other.getByText('The current password is wrong.')).toBeVisible({ timeout: 30_000 })
    await other.close()
    await page.goto('/settings')
    await expect(page.getByRole('region', { name: 'Your account' }).getByText('this one')).toBeVisible()
  })

  test('settings have no serious violation; usable at 390 × 844', async ({ page }) => {
    await page.goto('/settings')
    await expect(page.getByRole('region', { name: 'Roles', exact: true })).toBeVisible()
    await expectAccessible(page)
    await expectFitsPhone(page)
  })
})

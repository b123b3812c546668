import type { Page } from '@playwright/test'
import { apiAs } from './api-as'
import {
  alone,
  asApprover,
  asOperator,
  asViewer,
  expect,
  expectAccessible,
  expectFitsPhone,
  test,
} from './console-test'
import { locksOf, REASON, someStuck, stuckOf } from './lock-fixture'
import { holdKey, leaveStuckKeys, takeOver } from './service-store'

test.use(asOperator)
test.describe.configure({ timeout: 90_000 })

/** Each test has clients of its own. All are left stuck at once, since the console needs a while to find and assess them. */
const SUPPLY = { once: 1, heir: 1, stale: 1, steady: 1, failing: 1 }
test.beforeAll(async () => {
  for (const [client, count] of Object.entries(SUPPLY)) await leaveStuckKeys(client, count)
})

test('the open lock and the filters are in the URL; reload and Back restore them', async ({ page }) => {
  const [lock] = await someStuck(1)
  await page.goto('/locks')
  await page.locator('[data-row-link]').first().click()
  await expect(page).toHaveURL(/lock=lock_/)
  const inspector = page.getByRole('complementary', { name: 'Lock' })
  await expect(inspector.getByRole('heading', { name: 'Evidence' })).toBeVisible()
  const title = await inspector.getByRole('heading').first().textContent()
  await page.reload()
  await expect(inspector.getByRole('heading').first()).toHaveText(title ?? '')
  await page.getByRole('link', { name: /^Held/ }).click()
  await expect(page).toHaveURL(/view=held/)
  await page.goBack()
  await expect(page).toHaveURL(/lock=lock_/)
  expect(lock).toBeDefined()
})

test('what arrives waits behind "n new"; the rows that are shown keep their places', async ({ page }) => {
  await stuckOf('steady', 1)
  await page.goto('/locks?client=steady')
  const keys = () =>
    page.locator('tr[data-row]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-row')))
  await expect(page.locator('tr[data-row]').first()).toBeVisible()
  const before = await keys()
  await leaveStuckKeys('steady', 1)
  const pill = page.getByRole('button', { name: /\d+ (new|ended)/ })
  await expect(pill).toBeVisible({ timeout: 55_000 })
  expect(await keys()).toEqual(before)
  await pill.click()
  await expect(pill).toBeHidden()
})

test('none that match, and a lock that is not there, look different', async ({ page }) => {
  await page.goto('/locks?client=nobody')
  await expect(page.locator('[data-empty=filtered]')).toBeVisible()
  await page.goto('/locks?lock=lock_none')
  await expect(page.getByText('There is no such lock')).toBeVisible()
})

test('one lock is released as it was seen; a double click is one action and one entry of what was done', async ({
  page,
}) => {
  const [lock] = await stuckOf('once', 1)
  await page.goto(`/locks?client=once&lock=${lock?.id}`)
  const inspector = page.getByRole('complementary', { name: 'Lock' })
  const act = inspector.getByRole('button', { name: 'Release 1 key in DEMO' })
  await expect(act).toHaveAttribute('aria-disabled', 'true')
  await inspector.getByLabel('Reason').fill(REASON)
  await act.dblclick()
  await expect(inspector.getByText('Released.')).toBeVisible({ timeout: 30_000 })
  const client = apiAs()
  const own = (await client.all('actions?kind=release')).filter(
    (each: { key: string }) => each.key === lock?.key,
  )
  expect(own.map(({ state }: { state: string }) => state)).toEqual(['done'])
  const audit = await client.get(`audit?subject=${own[0].id}`)
  expect(audit.items.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['done', 'intent'])
})

test('a lock whose holder lives is not released, and why is said; nor one that was taken over', async ({
  page,
}) => {
  const key = await holdKey('alive', 600_000)
  const [held] = await locksOf('alive', 1, 'leased')
  expect(held?.key).toBe(key)
  await page.goto(`/locks?view=held&lock=${held?.id}`)
  const inspector = page.getByRole('complementary', { name: 'Lock' })
  await expect(inspector.getByText('Wait: its holder is alive')).toBeVisible()
  await expect(inspector.getByRole('button', { name: /^Release/ })).toBeHidden()
  const client = apiAs()
  const refused = await client.post('locks/release', {
    ids: [held?.id],
    seen: { [held?.id ?? '']: held?.version },
    reason: REASON,
  })
  expect(refused.status).toBe(409)
  expect(JSON.stringify(refused.body)).toContain('Its holder is alive.')

  const [stale] = await stuckOf('heir', 1)
  await standStill(page)
  await page.goto(`/locks?client=heir&lock=${stale?.id}`)
  await inspector.getByLabel('Reason').fill(REASON)
  expect(await takeOver('heir', stale?.key ?? '', 600_000)).toBe('takeover')
  await inspector.getByRole('button', { name: 'Release 1 key in DEMO' }).click()
  await expect(inspector.getByText('Refused: nothing was changed')).toBeVisible({ timeout: 30_000 })
  await expect(inspector.getByText(/Its (fencing token|holder)/).first()).toBeVisible()
  await expect(inspector.getByText('You saw')).toBeVisible()
})

/** The page hears of nothing: else a slow click comes behind the news that there is nothing left to press. */
const standStill = (page: Page) => page.route('**/api/v1/stream', () => undefined)

test('a stale version is a 409: nothing changed, what was seen stands beside what is now', async ({
  page,
}) => {
  const [lock] = await stuckOf('stale', 1)
  await standStill(page)
  await page.goto(`/locks?client=stale&lock=${lock?.id}`)
  const inspector = page.getByRole('complementary', { name: 'Lock' })
  await inspector.getByLabel('Reason').fill(REASON)
  // Somebody else is faster.
  const client = apiAs('approver')
  const asked = { ids: [lock?.id], seen: { [lock?.id ?? '']: lock?.version }, reason: REASON }
  expect((await client.post('locks/release', asked)).status).toBe(200)
  await inspector.getByRole('button', { name: 'Release 1 key in DEMO' }).click()
  await expect(inspector.getByText('Refused: nothing was changed')).toBeVisible({ timeout: 30_000 })
  await expect(inspector.getByText('You saw')).toBeVisible()
  expect((await apiAs().post('locks/release', asked)).status).toBe(409)
})

test('with the kill switch on every act is refused, and reading works', alone, async ({ page }) => {
  // An administrator, because one approver alone switches writes off but not on.
  const client = apiAs('admin')
  const set = (on: boolean) =>
    client.post('settings/kill-switch', { on, reason: 'a test of the console’s refusals' })
  await someStuck(1)
  await page.goto('/locks')
  expect((await set(true)).status).toBe(200)
  try {
    await expect(page.getByText('Writes are off.')).toBeVisible({ timeout: 5_000 })
    await expect(page.getByText('Writes are switched off.').first()).toBeVisible()
    await expect(page.locator('tr[data-row]').first()).toBeVisible()
  } finally {
    expect((await set(false)).status).toBe(200)
  }
  await expect(page.getByText('Writes are off.')).toBeHidden({ timeout: 15_000 })
})

test('no serious violation in either theme; usable at 390 × 844', async ({ page }) => {
  await someStuck(1)
  await page.goto('/locks')
  await page.locator('[data-row-link]').first().click()
  await expect(page.getByRole('heading', { name: 'Evidence' })).toBeVisible()
  await expectAccessible(page)
  await page.goto('/locks')
  await expect(page.locator('[data-row-link]').first()).toBeVisible()
  await expectFitsPhone(page)
  await page.locator('[data-row-link]').first().click()
  await expect(
    page.getByRole('complementary', { name: 'Lock' }).getByRole('heading', { name: 'Evidence' }),
  ).toBeVisible()
  await page.getByRole('link', { name: 'Close' }).click()
  await expect(page.getByRole('heading', { name: 'Evidence' })).toBeHidden()
})

test.describe('as another person', () => {
  test.use(asApprover)
  test('relative times say both zones', async ({ page }) => {
    await someStuck(1)
    await page.goto('/locks')
    await expect(page.locator('tr[data-row] time').first()).toHaveAttribute('title', /UTC · .+/)
  })
})

test.describe('as a viewer', () => {
  test.use(asViewer)
  test('what a role may not do is visible, can be focused, and names the role; a direct call is a 403', async ({
    page,
  }) => {
    const [lock] = await someStuck(1)
    await page.goto(`/locks?lock=${lock?.id}`)
    const resolve = page.getByRole('button', { name: 'Resolve locks…' })
    await resolve.focus()
    await expect(resolve).toBeFocused()
    await expect(page.getByText('Needs the operator role; yours is viewer.').first()).toBeVisible()
    const answer = await apiAs('viewer').post('locks/release', {
      ids: [lock?.id],
      seen: { [lock?.id ?? '']: lock?.version },
      reason: REASON,
    })
    expect(answer.status).toBe(403)
    expect(JSON.stringify(answer.body)).toContain('operator')
    await page.goto('/now')
    await expect(page.getByRole('button', { name: 'Dry-run reconciliation' })).toHaveAttribute(
      'aria-disabled',
      'true',
    )
  })
})

test('to fail a key is proposed by one person and approved by another, who sees what it rests on', async ({
  page,
  browser,
}) => {
  const [lock] = await stuckOf('failing', 1)
  await page.goto(`/locks?client=failing&lock=${lock?.id}`)
  const inspector = page.getByRole('complementary', { name: 'Lock' })
  await inspector.getByRole('button', { name: 'Propose to fail…' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog).toContainText('Nothing is changed before a second person approves')
  await dialog.getByLabel('Reason').fill(REASON)
  await dialog.getByRole('button', { name: 'Propose 1 failure' }).dblclick()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  const waiting = inspector.getByRole('region', { name: 'Proposed failure of this key' })
  await expect(waiting).toContainText('has nothing of its time that could be its effect')
  await expect(waiting.getByRole('button', { name: 'Approve failure' })).toHaveAttribute(
    'aria-disabled',
    'true',
  )
  await expect(inspector.getByRole('button', { name: 'Propose to fail…' })).toBeHidden()
  await expectAccessible(page)

  const other = await browser.newContext({ ...asApprover, baseURL: process.env.BASE_URL ?? '' })
  const second = await other.newPage()
  await second.goto('/reconciliation')
  await second
    .getByRole('region', { name: 'Waiting for approval' })
    .getByRole('link', { name: 'Fail the key' })
    .first()
    .click()
  await expect(second).toHaveURL(/\/keys\/key_/)
  await second.getByRole('button', { name: 'Approve failure' }).click()
  const approval = second.getByRole('dialog')
  await expect(approval).toContainText('they pay twice')
  await approval.getByLabel(/How many/).fill('1')
  await approval.getByRole('button', { name: /^Fail 1 key in/ }).click()
  await expect(approval).toBeHidden({ timeout: 45_000 })
  await expect(second.getByRole('region', { name: 'State and actions' })).toContainText('Failed')
  await other.close()
})

import type { Page } from '@playwright/test'
import { apiAs } from './api-as'
import { decided, openCase, openOf } from './case-fixture'
import { asApprover, asOperator, expect, expectAccessible, expectFitsPhone, test } from './console-test'

test.use(asOperator)

const REASON = 'the worker was killed after the charge, and the retry charged again'

const correction = (page: Page) => page.getByRole('region', { name: 'Correction' })

test('a case shows the sides field by field, the attempts as lanes, and its history', async ({ page }) => {
  const found = await openCase('duplicate_same_key')
  await page.goto(`/reconciliation/cases/${found.id}`)
  await expect(page.getByRole('heading', { level: 1, name: 'Charged twice on one key' })).toBeVisible()
  const sides = page.getByRole('region', { name: 'What each side says', exact: true })
  const state = sides.getByRole('row', { name: /^State/ })
  await expect(state).toContainText('2 charges succeeded')
  await expect(state).toContainText('differ')
  await expect(sides.getByRole('row', { name: /^Key/ })).toContainText('agree')
  await expect(sides.getByRole('row', { name: /^Object/ })).toContainText(found.subject.effectIds[1] ?? '')
  const money = page.getByRole('region', { name: 'Money of the charge' }).first()
  await expect(money.getByRole('row', { name: /^Captured/ })).toBeVisible()
  await expect(money.getByRole('row', { name: /^Left to refund/ })).toBeVisible()
  const attempts = page.getByRole('region', { name: 'Attempts' })
  await expect(attempts.getByText(/again/).first()).toBeVisible()
  await expect(page.getByRole('region', { name: 'History' }).getByText(/^Opened/)).toBeVisible()
})

test('proposed by one, approved by another after a 10 s hold, executed once, verified, and the case closes', async ({
  page,
  browser,
}) => {
  test.setTimeout(150_000)
  const found = await openCase('duplicate_same_key', decided)
  const address = `/reconciliation/cases/${found.id}`
  await page.goto(address)
  await correction(page)
    .getByRole('button', { name: /^Propose refund of/ })
    .click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()
  const confirm = dialog.getByRole('button', { name: /^Propose refund in/ })
  await expect(confirm).toBeDisabled()
  await dialog.getByLabel('Reason').fill(REASON)
  await confirm.dblclick()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  await expect(correction(page).getByText('Waiting for approval').first()).toBeVisible()
  await expect(correction(page)).toContainText(REASON)

  const approve = correction(page).getByRole('button', { name: /^Approve refund of/ })
  await expect(approve).toHaveAttribute('aria-disabled', 'true')
  await expect(correction(page)).toContainText('You proposed this')
  const { actions } = await apiAs().get(`reconciliation/cases/${found.id}`)
  expect(actions).toHaveLength(1)
  const own = await apiAs().post(`actions/${actions[0].id}/approve`, {
    evidenceHash: actions[0].evidenceHash,
  })
  expect(own.status).toBe(403)

  const other = await browser.newContext({ ...asApprover, baseURL: process.env.BASE_URL ?? '' })
  const second = await other.newPage()
  await second.goto(address)
  await correction(second)
    .getByRole('button', { name: /^Approve refund of/ })
    .click()
  const approval = second.getByRole('dialog')
  await expect(approval).toHaveAttribute('data-tone', 'danger')
  await expect(approval.getByRole('button', { name: 'Cancel' })).toBeFocused()
  const send = approval.getByRole('button', { name: /^Approve 1 refund in/ })
  await expect(send).toBeDisabled()
  await approval.getByLabel(/How many/).fill('1')
  await send.click()
  await expect(approval.getByText(/Sent in \d+ s\. Nothing has happened yet/)).toBeVisible()
  await approval.getByRole('button', { name: 'Abort' }).click()
  await expect(approval.getByText('Aborted: nothing was sent.')).toBeVisible()
  expect((await apiAs().get(`actions/${actions[0].id}`)).state).toBe('proposed')
  await send.click()
  await expect(approval).toBeHidden({ timeout: 45_000 })
  await expect(correction(second).getByText('Completed', { exact: true })).toBeVisible({ timeout: 30_000 })
  await expect(correction(second).getByText(/Verified and resolved/)).toBeVisible({ timeout: 60_000 })
  const steps = second.getByRole('list', { name: 'Steps of the correction' })
  await expect(steps).toContainText('Verification, done')
  await other.close()
})

test('what a role may not do is visible, can be focused, and names the role', async ({ page }) => {
  test.setTimeout(120_000)
  const found = await openCase('duplicate_same_key', decided)
  const client = apiAs('approver')
  const made = await client.post(`reconciliation/cases/${found.id}/proposals`, {
    kind: 'refund',
    reason: REASON,
  })
  expect(made.status).toBe(201)
  await page.goto(`/reconciliation/cases/${found.id}`)
  for (const name of [/^Approve refund of/, /^Reject$/]) {
    const button = correction(page).getByRole('button', { name })
    await expect(button).toHaveAttribute('aria-disabled', 'true')
    await button.focus()
    await expect(button).toBeFocused()
    await expect(button).toHaveAccessibleDescription('Needs the approver role')
    await button.click({ force: true })
    await expect(page.getByRole('dialog')).toBeHidden()
  }
})

test('withdrawn by its proposer, nothing was done, and it can be proposed again', async ({ page }) => {
  const found = await openCase('ledger_missing')
  await page.goto(`/reconciliation/cases/${found.id}`)
  const card = correction(page)
  await card.getByRole('button', { name: /^Propose booking of the charge/ }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill(REASON)
  await dialog.getByRole('button', { name: /^Propose booking/ }).click()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  await card.getByRole('button', { name: 'Withdraw' }).click()
  await dialog.getByLabel('Reason').fill(REASON)
  await dialog.getByRole('button', { name: 'Withdraw 1 proposal' }).click()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  await expect(card.getByText('Rejected', { exact: true })).toBeVisible()
  await expect(card.getByRole('button', { name: /^Propose booking of the charge/ })).toBeVisible()
  await expect(page.getByRole('region', { name: 'History' }).getByText(/^Withdrawn/)).toBeVisible()
})

test('acknowledged, assigned, commented, snoozed: each in the history, once for a double click; the last is undone', async ({
  page,
}) => {
  const found = await openCase('amount_mismatch')
  await page.goto(`/reconciliation/cases/${found.id}`)
  const dialog = page.getByRole('dialog')
  const history = page.getByRole('region', { name: 'History' })
  const act = async (opener: string, confirm: RegExp, fill?: () => Promise<void>) => {
    await page.getByRole('button', { name: opener, exact: true }).click()
    await fill?.()
    await dialog.getByRole('button', { name: confirm }).dblclick()
    await expect(dialog).toBeHidden({ timeout: 30_000 })
  }
  await act('Acknowledge', /^Acknowledge 1 case/)
  await expect(history.getByText('Acknowledged')).toHaveCount(1)
  await act('Assign', /^Assign 1 case/, () => dialog.getByLabel('Reason').fill(REASON))
  await expect(history.getByText(/^Assigned to/)).toHaveCount(1)
  await act('Comment', /^Add 1 comment/, () =>
    dialog.getByLabel('Comment').fill('asked the team of the service'),
  )
  await expect(history.getByText('“asked the team of the service”')).toHaveCount(1)
  await act('Snooze', /^Snooze 1 case/, async () => {
    await dialog.getByLabel('4 hours').check()
    await dialog.getByLabel('Reason').fill(REASON)
  })
  await expect(page.getByText(/snoozed|owner/).first()).toBeVisible()
  const { events } = await apiAs().get(`reconciliation/cases/${found.id}`)
  const kinds = events.map(({ kind }: { kind: string }) => kind)
  for (const kind of ['acknowledge', 'assign', 'comment', 'snooze'])
    expect(kinds.filter((each: string) => each === kind)).toHaveLength(1)
  await act('Undo', /^Undo 1 change/)
  await expect(history.getByText('Took the last change back')).toHaveCount(1)
  expect((await apiAs().get(`reconciliation/cases/${found.id}`)).triage).toBe('assigned')
})

test('a case that does not exist says so', async ({ page }) => {
  const answer = await page.goto('/reconciliation/cases/case_none')
  expect(answer?.status()).toBe(404)
})

test('a case has no serious violation; usable at 390 × 844', async ({ page }) => {
  const [found] = await openOf('duplicate_same_key')
  await page.goto(`/reconciliation/cases/${found?.id}`)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Comment', exact: true }).click()
  await expect(page.getByRole('dialog')).toBeVisible()
  await expectAccessible(page)
  await page.keyboard.press('Escape')
  await expectFitsPhone(page)
  await expectAccessible(page)
})

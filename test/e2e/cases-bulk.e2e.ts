import type { Page } from '@playwright/test'
import { apiAs } from './api-as'
import { openOf, waitForOpen } from './case-fixture'
import { asOperator, asViewer, expect, test } from './console-test'

test.use(asOperator)
test.describe.configure({ timeout: 150_000 })

const REASON = 'the team of the ledger looks into all of them'

const cases = (page: Page) => page.getByRole('region', { name: 'Cases', exact: true })
const rowBoxes = (page: Page) => cases(page).locator('tr[data-row] input[type=checkbox]:enabled')

/** One row first, then all that match: how many these are. */
async function chooseAllMatching(page: Page): Promise<number> {
  await rowBoxes(page).first().check()
  await cases(page)
    .getByRole('button', { name: /^Select all \d+ matching/ })
    .click()
  const said = cases(page).getByText(/^All \d+ cases that matched selected/)
  await expect(said).toBeVisible()
  return Number(/\d+/.exec((await said.textContent()) ?? '')?.[0])
}

test('the header selects the page, all that match is a second choice; assigned once for a double click; undone', async ({
  page,
}) => {
  await waitForOpen('orphan_effect', 2)
  await page.goto('/reconciliation?class=orphan_effect')
  const header = page.getByRole('checkbox', { name: 'Select all open cases of this page' })
  await header.check()
  await expect(cases(page).getByText(/^\d+ selected/)).not.toContainText('0 selected')
  await header.uncheck()
  await expect(cases(page).getByText('0 selected')).toBeVisible()

  const count = await chooseAllMatching(page)
  await cases(page).getByRole('button', { name: 'Assign…' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()
  const confirm = dialog.getByRole('button', { name: `Assign ${count} cases in DEMO` })
  await expect(confirm).toBeDisabled()
  await dialog.getByLabel('Reason').fill(REASON)
  await confirm.dblclick()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  await expect(cases(page).getByText(`Assigned ${count} cases`)).toBeVisible()

  // Exactly these: what was opened since is nobody's.
  const assigned = await openOf('orphan_effect', '&triage=assigned')
  expect(assigned).toHaveLength(count)
  const { events } = await apiAs().get(`reconciliation/cases/${assigned[0]?.id}`)
  expect(events.filter(({ kind }: { kind: string }) => kind === 'assign')).toMatchObject([
    { data: { reason: REASON } },
  ])

  await cases(page).getByRole('button', { name: 'Undo' }).click()
  await expect(cases(page).getByText(`Taken back for ${count} cases`)).toBeVisible({ timeout: 30_000 })
  expect(await openOf('orphan_effect', '&triage=assigned')).toHaveLength(0)
})

test('what one case refuses is listed with its reason, and does not stay selected', async ({ page }) => {
  await waitForOpen('key_reuse_mismatch', 2)
  await page.goto('/reconciliation?class=key_reuse_mismatch')
  const count = await chooseAllMatching(page)
  await cases(page).getByRole('button', { name: 'Acknowledge…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill(REASON)
  // Between the choice and the act one of them is closed.
  const [closed] = await openOf('key_reuse_mismatch')
  const answer = await apiAs().post(`reconciliation/cases/${closed?.id}/proposals`, {
    kind: 'ignore',
    reason: REASON,
  })
  expect(answer.status).toBe(201)
  await dialog.getByRole('button', { name: /^Acknowledge \d+ cases in DEMO/ }).click()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  const outcome = cases(page).getByRole('region', { name: 'What was done' })
  await expect(outcome).toContainText(`Acknowledged ${count - 1} of ${count} cases`)
  await expect(outcome.getByRole('listitem')).toHaveText(/The case is resolved already/)
  await expect(outcome).toContainText('None of these would end otherwise')
  await expect(cases(page).getByText('0 selected')).toBeVisible()
  await outcome.getByRole('button', { name: 'Dismiss' }).click()
  await expect(outcome).toBeHidden()
})

test('snoozed until a moment, they leave the open list, and come back with Undo', async ({ page }) => {
  await waitForOpen('orphan_effect', 1)
  await page.goto('/reconciliation?class=orphan_effect')
  const first = cases(page).locator('tr[data-row]').first()
  const id = await first.getAttribute('data-row')
  await first.getByRole('checkbox').check()
  await cases(page).getByRole('button', { name: 'Snooze…' }).click()
  const dialog = page.getByRole('dialog')
  const until = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 16)
  await dialog.getByLabel('or until a moment, UTC').fill(until)
  await dialog.getByLabel('Reason').fill(REASON)
  await dialog.getByRole('button', { name: 'Snooze 1 case in DEMO' }).click()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  const client = apiAs()
  expect(await client.get(`reconciliation/cases/${id}`)).toMatchObject({
    triage: 'snoozed',
    snoozedUntil: `${until}:00.000Z`,
  })
  await cases(page).getByRole('button', { name: 'Undo' }).click()
  await expect(cases(page).getByText('Taken back for 1 case')).toBeVisible({ timeout: 30_000 })
  expect((await client.get(`reconciliation/cases/${id}`)).triage).toBe('open')
})

test('who may only look sees the acts, and what role they need', async ({ browser }) => {
  const context = await browser.newContext({ ...asViewer, baseURL: process.env.BASE_URL ?? '' })
  const page = await context.newPage()
  await page.goto('/reconciliation')
  await rowBoxes(page).first().check()
  for (const name of ['Acknowledge…', 'Assign…', 'Snooze…']) {
    const button = cases(page).getByRole('button', { name })
    await expect(button).toHaveAttribute('aria-disabled', 'true')
    await expect(button).toHaveAccessibleDescription('Needs the operator role')
  }
  await context.close()
})

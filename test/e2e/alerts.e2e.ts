import type { Page } from '@playwright/test'
import { apiAs } from './api-as'
import { asOperator, asViewer, expect, expectAccessible, expectFitsPhone, test } from './console-test'

const REASON = 'known since the deploy, the fix is on its way'
const TITLE = 'Duplicate side effects above target'
/** The demo's faults make duplicates; the alert fires once five minutes and an hour are above the target. */
const FIRES_WITHIN = { timeout: 120_000 }

const duplicates = (page: Page) => page.locator('[data-alert=duplicate_effects]').first()

test.describe('as an operator', () => {
  test.use(asOperator)

  test('a silence lists what matches and similar ones, needs an end and a reason; evaluation and history go on', async ({
    page,
  }) => {
    test.setTimeout(240_000)
    const api = apiAs()
    for (const { id } of (await api.get('alerts/silences?state=active')).items)
      await api.post(`alerts/silences/${id}/expire`, { reason: 'before a test' })
    await page.goto('/alerts')
    const alert = duplicates(page)
    await expect(alert).toBeVisible(FIRES_WITHIN)
    await alert.getByRole('button', { name: 'Silence', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()
    const confirm = dialog.getByRole('button', { name: /^Silence/ })
    await dialog.getByLabel('Reason').fill('known')
    await expect(confirm).toBeDisabled()
    await dialog.getByLabel('Ends after').selectOption('15 minutes')
    await expect(dialog.getByRole('region', { name: 'Matching alerts' })).toContainText(TITLE)
    await expect(dialog.getByRole('region', { name: 'Similar silences' })).toContainText('none')
    await expect(confirm).toBeEnabled()
    await dialog.getByLabel('Reason').fill('')
    await expect(confirm).toBeDisabled()
    await dialog.getByLabel('Reason').fill('known')
    await confirm.dblclick()
    await expect(dialog.getByText(/^Until/)).toBeVisible()
    await dialog.getByRole('button', { name: 'Close' }).last().click()
    await expect(alert.getByText('Silenced', { exact: true })).toBeVisible()
    await expect(alert).toContainText('by operator')

    const evaluated = alert
      .getByText(/evaluated/)
      .locator('time')
      .last()
    const silenced = page.locator('[data-silence]').filter({ hasText: TITLE })
    await expect(silenced).toHaveCount(1)
    const last = async () =>
      (
        await alert.locator('time').evaluateAll((all) => all.map((each) => each.getAttribute('datetime')))
      ).join()
    const before = await last()
    await expect.poll(last, { timeout: 45_000 }).not.toBe(before)
    await expect(evaluated).toBeVisible()
    // What began while the page was open waits there behind "1 new".
    await page.reload()
    await expect(
      page.getByRole('region', { name: 'History' }).getByRole('row').filter({ hasText: TITLE }).first(),
    ).toContainText('Firing')

    await page.getByRole('button', { name: 'Silence alerts' }).click()
    await dialog.getByRole('combobox', { name: 'Alert', exact: true }).selectOption(TITLE)
    await dialog.getByLabel('Ends after').selectOption('4 hours')
    await expect(dialog.getByRole('region', { name: 'Similar silences' })).toContainText('“known”')
    await dialog.getByLabel('Reason').fill('short')
    await expect(confirm).toBeDisabled()
    await dialog.getByLabel('Reason').fill(REASON)
    await expect(confirm).toBeEnabled()
    await dialog.getByRole('button', { name: 'Cancel' }).click()

    await silenced.getByRole('button', { name: 'End now' }).click()
    await dialog.getByLabel('Reason').fill(REASON)
    await dialog.getByRole('button', { name: 'End 1 silence' }).click()
    await expect(dialog).toBeHidden()
    await expect(alert.getByText('Silenced', { exact: true })).toBeHidden()
    const ended = await api.get('alerts/silences?state=ended')
    expect(ended.items[0]).toMatchObject({
      kind: 'duplicate_effects',
      reason: 'known',
      expiredReason: REASON,
    })
    const audited = await api.get(`audit?subject=${ended.items[0].id}`)
    expect(audited.items.map(({ verb }: { verb: string }) => verb)).toEqual([
      'alert.silence_expire',
      'alert.silence',
    ])
  })

  test('a short silence is undone at once; a planned one is a maintenance window', async ({ page }) => {
    const subject = `nobody-${Date.now()}`
    await page.goto('/alerts')
    await page.getByRole('button', { name: 'Silence alerts' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel(/^Subject/).fill(subject)
    await dialog.getByLabel('Ends after').selectOption('1 hour')
    await dialog.getByLabel('Reason').fill('drill')
    await dialog.getByRole('button', { name: /^Silence 0 firing alerts/ }).click()
    await dialog.getByRole('button', { name: 'Undo' }).click()
    await expect(dialog).toBeHidden()
    await expect(page.locator('[data-silence]').filter({ hasText: subject })).toHaveCount(0)
    await page.getByRole('link', { name: /^Ended/ }).click()
    await expect(page).toHaveURL(/silences=ended/)
    await expect(page.locator('[data-silence]').filter({ hasText: subject })).toContainText('undone')
    const api = apiAs()
    const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()
    const window = { subject, startsAt: at(60), endsAt: at(90), reason: 'rehearsed failover' }
    const made = await api.post('alerts/silences', window)
    expect(made).toMatchObject({ status: 201, body: { state: 'scheduled' } })
    await page.getByRole('link', { name: /^Planned/ }).click()
    await expect(page.locator('[data-silence]').filter({ hasText: subject })).toContainText(
      'rehearsed failover',
    )
    expect((await api.post(`alerts/silences/${made.body.id}/expire`, { reason: 'drill' })).status).toBe(200)
  })

  test('each alert has its runbook inline, with range and service filled in', async ({ page }) => {
    test.setTimeout(180_000)
    await page.goto('/alerts')
    await expect(duplicates(page)).toBeVisible(FIRES_WITHIN)
    await duplicates(page).getByRole('link', { name: TITLE }).click()
    await expect(page).toHaveURL(/open=alr_.*from=|from=.*open=alr_/)
    const asked = new URL(page.url()).searchParams
    const runbook = duplicates(page).locator('[data-runbook=duplicate-side-effects]')
    await expect(runbook).toContainText(asked.get('from') ?? 'no from')
    await expect(runbook).toContainText(/Most of it comes from (payments|all services)/)
    await expect(runbook).not.toContainText(/\{\w+\}/)
    const effects = runbook.getByRole('link', { name: 'Open the duplicate effects' })
    expect(new URL((await effects.getAttribute('href')) ?? '', page.url()).searchParams.get('from')).toBe(
      asked.get('from'),
    )
    await effects.click()
    await expect(page).toHaveURL(/\/effects\?.*kind=duplicate/)
    await page.goto('/now')
    await page
      .getByRole('button', { name: /firing/ })
      .first()
      .click()
    await page.getByRole('link', { name: TITLE }).click()
    await expect(page).toHaveURL(/\/alerts\?.*open=alr_/)
    await expect(page.locator('[data-runbook]').first()).toBeVisible()
  })

  test('the URL keeps the alert, the budget and the silences that are looked at', async ({ page }) => {
    await page.goto('/alerts?range=15m')
    const objectives = page.getByRole('region', { name: 'Objectives', exact: true })
    await expect(objectives.locator('[data-row]')).toHaveCount(8)
    await expect(objectives.locator('[data-row=M8]')).toContainText(/Not measured|Ok|Breach|Stale/)
    await objectives.getByRole('link', { name: 'Store error rate' }).click()
    await expect(page).toHaveURL(/objective=M3/)
    await expect(page.getByRole('heading', { name: 'Error budget: Store error rate' })).toBeVisible()
    await page.getByRole('link', { name: /^Ended/ }).click()
    await expect(page).toHaveURL(/silences=ended/)
    const url = page.url()
    await page.reload()
    await expect(page.getByRole('heading', { name: 'Error budget: Store error rate' })).toBeVisible()
    await expect(page.getByRole('link', { name: /^Ended/ })).toHaveAttribute('aria-current', 'true')
    expect(page.url()).toBe(url)
    await page.goBack()
    await expect(page.getByRole('link', { name: /^Active/ })).toHaveAttribute('aria-current', 'true')
    await expect(
      page.locator('figure').filter({ hasText: 'Burn over 5 min' }).locator('svg.recharts-surface'),
    ).toBeVisible()
  })

  test('alerts have no serious violation; usable at 390 × 844', async ({ page }) => {
    await page.goto('/alerts')
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Silence alerts' }).click()
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    await expectFitsPhone(page)
  })
})

test.describe('as a viewer', () => {
  test.use(asViewer)

  test('a viewer sees alerts, and what they may not do names the role', async ({ page }) => {
    await page.goto('/alerts')
    const silence = page.getByRole('button', { name: 'Silence alerts' })
    await silence.focus()
    await expect(silence).toBeFocused()
    await expect(silence).toHaveAccessibleDescription('Needs the operator role')
    await silence.press('Enter')
    await expect(page.getByRole('dialog')).toHaveCount(0)
    await expect(page.getByRole('button', { name: 'Add a webhook' })).toHaveAccessibleDescription(
      'Needs the admin role',
    )
  })
})

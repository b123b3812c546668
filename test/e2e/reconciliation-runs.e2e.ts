import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { apiAs } from './api-as'
import { openOf, startedRun, waitForOpen } from './case-fixture'
import { asOperator, expect, test } from './console-test'

test.use(asOperator)
test.describe.configure({ timeout: 150_000 })

/** The latest run that a person started about this, once it has ended. */
async function endedRun(about: Record<string, unknown>) {
  const { id } = await startedRun(about)
  const client = apiAs()
  await expect.poll(async () => (await client.get(`runs/${id}`)).state, { timeout: 60_000 }).toBe('done')
  return client.get(`runs/${id}`)
}

async function download(page: Page, format: 'CSV' | 'JSON') {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: format, exact: true }).click(),
  ])
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') }
}

test('a run about one order, or one key: dry first, on what was named, and then the same for real', async ({
  page,
}) => {
  await waitForOpen('ledger_missing', 1)
  const [found] = await openOf('ledger_missing')
  const { reference, scope, key } = found?.subject ?? {}
  await page.goto(`/reconciliation?start=true&reference=${reference}`)
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('radio', { name: 'One order' })).toBeChecked()
  await expect(dialog.getByRole('radio', { name: /^Dry run/ })).toBeChecked()
  await dialog.getByRole('button', { name: 'Start 1 run' }).click()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  const dry = await endedRun({ reference })
  expect(dry).toMatchObject({ dryRun: true, params: { reference } })
  await page.goto(`/reconciliation/runs/${dry.id}`)
  await expect(page.getByText(`the order ${reference}`)).toBeVisible()
  await page.getByRole('button', { name: 'Run for real' }).click()
  await dialog.getByRole('button', { name: 'Start 1 run' }).click()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  expect(await endedRun({ reference })).toMatchObject({ dryRun: false, params: { reference } })

  await page.goto('/reconciliation?start=true')
  await dialog.getByRole('radio', { name: 'One key' }).check()
  await dialog.getByLabel('Scope').fill(scope ?? 'web/POST /v1/payments')
  await dialog.getByLabel('Key, as the caller sent it').fill(key ?? 'no-such-key')
  await dialog.getByRole('button', { name: 'Start 1 run' }).click()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  const named = { key: key ?? 'no-such-key' }
  expect(await endedRun(named)).toMatchObject({ dryRun: true, params: named })
})

test('the reports of a run and of a day as CSV and JSON; taking them is audited', async ({ page }) => {
  const client = apiAs()
  const { items } = await client.get('runs?kind=reconciliation&state=done&limit=1')
  await page.goto(`/reconciliation/runs/${items[0].id}`)
  const run = await download(page, 'JSON')
  expect(run.name).toBe(`reconciliation-${items[0].id}.json`)
  expect(JSON.parse(run.text)).toMatchObject({ run: { id: items[0].id } })

  await waitForOpen('ledger_missing', 1)
  await page.goto('/reconciliation')
  await page.getByRole('link', { name: 'Day report' }).click()
  const day = new Date().toISOString().slice(0, 10)
  await expect(page.getByRole('heading', { level: 1, name: `Report of ${day}` })).toBeVisible()
  await expect(page.locator('[data-figure=Opened]')).toContainText(/[1-9]/)
  await expect(page.locator('[data-row=opened]')).toContainText(/\d/)
  const csv = await download(page, 'CSV')
  expect(csv.name).toBe(`reconciliation-${day}.csv`)
  expect(csv.text).toMatch(/^at,event,actor,case_id,class,/)
  expect(csv.text).toContain(',opened,')
  for (const subject of [items[0].id, day]) {
    const { items: entries } = await client.get(`audit?subject=${subject}&limit=50`)
    const verbs = entries.map(({ verb }: { verb: string }) => verb)
    expect(verbs).toContain('reconciliation.report')
  }

  await page.getByRole('link', { name: 'Day before' }).click()
  await expect(page).toHaveURL(/day=/)
  await expect(page.getByText('No run was complete on this day')).toBeVisible()
})

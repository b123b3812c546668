import { readFileSync } from 'node:fs'
import { apiAs } from './api-as'
import { asOperator, expect, expectAccessible, expectFitsPhone, test } from './console-test'

test.use(asOperator)

test('the chain is verified on request, and its head can be taken', async ({ page }) => {
  await page.goto('/audit')
  await page.getByRole('button', { name: 'Verify the chain' }).click()
  await expect(page.getByText(/The chain holds: [\d,]+ entr(y|ies) verified/)).toBeVisible({
    timeout: 30_000,
  })
  await expect(page.getByRole('button', { name: 'Copy head hash' })).toBeVisible()
})

test('an entry opens beside the list, in the URL; exports are files of the filter, and are audited', async ({
  page,
}) => {
  await page.goto('/audit?range=24h')
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV' }).click(),
  ])
  expect(download.suggestedFilename()).toMatch(/^idemscope-audit-\d{8}T\d{6}Z\.csv$/)
  const text = readFileSync(await download.path(), 'utf8')
  expect(text.split('\r\n')[0]).toMatch(/^id,at,actor,via,verb/)
  for (const line of text.split('\r\n').slice(1, 20)) expect(line).not.toMatch(/(^|,)[=+@]/)
  await page.goto('/audit?range=24h&verb=audit.export')
  await page.getByRole('link', { name: 'audit.export' }).first().click()
  await expect(page).toHaveURL(/open=aud_/)
  const entry = page.getByRole('region', { name: 'audit.export' })
  await expect(entry.getByText('"format": "csv"')).toBeVisible()
  await page.reload()
  await expect(entry).toBeVisible()
  await entry.getByRole('link', { name: 'Close the entry' }).click()
  await expect(page).not.toHaveURL(/open=/)
})

test('a search without a result looks like one; the UTC switch changes the table', async ({ page }) => {
  await page.goto('/audit?range=24h&q=nobody-did-this')
  await expect(page.locator('[data-empty=filtered]')).toBeVisible()
  await page.getByRole('link', { name: 'clear the filters' }).click()
  const time = page.locator('tbody time').first()
  await expect(time).toContainText('UTC')
  await expect(time).toHaveAttribute('title', /UTC · .*GMT\+5:30/)
  await page.getByRole('radio', { name: 'Local' }).click()
  await expect(time).toContainText('GMT+5:30')
})

test('an exported cell never begins as a formula, and the filter decides what is in the file', async ({
  page,
}) => {
  const api = apiAs()
  const mark = `SUM(${Date.now()})`
  const { items } = await api.get('sources')
  const store = items.find(({ kind }: { kind: string }) => kind === 'intent')
  for (const lead of ['=', '+', '-', '@'])
    expect(
      (
        await api.post('retention/runs', {
          source: store.id,
          dryRun: true,
          reason: `${lead}${mark} as a reason`,
        })
      ).status,
    ).toBe(202)
  await page.goto(`/audit?range=24h&q=${encodeURIComponent(mark)}`)
  await expect(page.locator('tbody tr').first()).toBeVisible()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV' }).click(),
  ])
  const lines = readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\r\n')
  expect(lines.length).toBeGreaterThan(1)
  for (const line of lines.slice(1)) {
    expect(line).toContain(mark)
    expect(line).toMatch(/,"?'[=+@-]SUM/)
    expect(line).not.toMatch(/,"?[=+@-]SUM/)
  }
})

test('the audit has no serious violation; usable at 390 × 844', async ({ page }) => {
  await page.goto('/audit?range=24h')
  await page.locator('tbody a').first().click()
  await expect(page).toHaveURL(/open=/)
  await expectAccessible(page)
  await expectFitsPhone(page)
})

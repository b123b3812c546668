import { apiAs } from './api-as'
import { asAdmin, asOperator, expect, expectAccessible, expectFitsPhone, test } from './console-test'

test.use(asOperator)

/** The demo's callers; the first minutes of traffic may still be rolled up. */
async function untilCallers(page: import('@playwright/test').Page) {
  await expect(async () => {
    await page.goto('/clients?range=24h')
    await expect(page.locator('tr[data-row^="client "]').first()).toBeVisible({ timeout: 5_000 })
  }).toPass({ timeout: 55_000 })
}

test('a caller opens with its figures, its findings, and a text for its team that holds them', async ({
  page,
}) => {
  test.setTimeout(120_000)
  await untilCallers(page)
  await page.locator('[data-row-link]').first().click()
  await expect(page).toHaveURL(/\/clients\/[^?]+\?.*range=24h/)
  const client = ((await page.getByRole('heading', { level: 1 }).textContent()) ?? '').trim()
  await expect(page.locator('[data-figure="Requests a key"]')).toContainText('keys retried')
  const text = page.getByRole('region', { name: 'Text for the client’s team' })
  await expect(text).toContainText(`Idempotency keys of "${client}"`)
  const { findings } = await apiAs().get(
    `clients/${encodeURIComponent(client)}?from=${new Date(Date.now() - 86_400_000).toISOString()}`,
  )
  expect(await page.locator('[data-finding]').count()).toBe(findings.length)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.getByRole('button', { name: 'Copy text' }).click()
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(`"${client}"`)
  expect((await page.goto('/clients/nobody-of-this-name'))?.status()).toBe(404)
})

test('the list is taken as a file, and that is recorded; without requests nothing is measured', async ({
  page,
}) => {
  test.setTimeout(120_000)
  await untilCallers(page)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV' }).click(),
  ])
  expect(download.suggestedFilename()).toMatch(/^idemscope-clients-.*\.csv$/)
  await page.goto('/audit?verb=clients.export')
  await expect(page.locator('main tbody tr').first()).toContainText('clients.export')
  await page.goto('/clients?from=2020-01-01T00:00:00.000Z&to=2020-01-01T01:00:00.000Z')
  await expect(page.locator('[data-empty=waiting]')).toContainText('Not measured')
})

test('two TTLs are compared on the requests of the range, and are in the URL', async ({ page }) => {
  await page.goto('/storage')
  await page.getByRole('link', { name: 'Cost model' }).click()
  await expect(page).toHaveURL(/\/storage\/cost/)
  const card = page.getByRole('region', { name: 'Two TTLs on the observed traffic', exact: true })
  await card.getByLabel('TTL A').fill('1 min')
  await card.getByLabel('TTL B').fill('2 h')
  await card.getByRole('button', { name: 'Compare' }).click()
  await expect(page).toHaveURL(/ttlA=1\+min&ttlB=2\+h/)
  const executed = card.getByRole('row', { name: /^Executed twice/ })
  await expect(executed).toContainText(/on \d+ keys?/, { timeout: 30_000 })
  // No retry after two hours can be in a range of one.
  await expect(executed).toContainText('range too short')
  await page.reload()
  await expect(card.getByLabel('TTL A')).toHaveValue('1 min')
  await page.goto('/storage/cost?ttlA=soon')
  await expect(card.locator('[data-empty=filtered]')).toContainText('90 min')
})

test.describe(() => {
  test.use(asAdmin)
  test('a price makes money of bytes, and is taken away again', async ({ page }) => {
    test.setTimeout(120_000)
    await page.goto('/storage/cost')
    const card = page.getByRole('region', { name: 'Bytes and money by tier', exact: true })
    const save = async (amount: string) => {
      await card.getByRole('button', { name: 'Set price' }).first().click({ timeout: 55_000 })
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel(/^Price of a GiB-month/).fill(amount)
      await dialog.getByLabel('Reason').fill('as the invoice of the cloud says')
      await dialog.getByRole('button', { name: 'Save 1 price' }).click()
      await expect(dialog).toBeHidden({ timeout: 30_000 })
    }
    await save('115')
    await expect(card.locator('tbody tr').first()).toContainText('$')
    await save('')
    await expect(card.locator('tbody tr').first()).toContainText('no price entered')
  })
})

test('a period is told in one sentence, the same on the page and by API; the period is in the URL', async ({
  page,
}) => {
  await page.goto('/executive')
  await expect(page.locator('[data-sentence]')).toContainText('in the last 30 days')
  await page.getByRole('link', { name: '90 days' }).click()
  await expect(page).toHaveURL(/period=quarter/)
  await expect(page.locator('[data-sentence]')).toContainText('in the last 90 days')
  const { sentence } = await apiAs().get('executive')
  expect(sentence.text).toContain('in the last 30 days')
  for (const name of ['What duplicates cost', 'Error budget', 'By month'])
    await expect(page.getByRole('region', { name, exact: true })).toBeVisible()
})

test('on paper a page is light, has no bars, and every column', async ({ page }) => {
  test.setTimeout(120_000)
  await untilCallers(page)
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
  await expect(page.getByRole('navigation', { name: 'Pages' }).first()).toBeHidden()
  await expect(page.getByRole('button', { name: 'Print' })).toBeHidden()
  await expect(page.getByRole('columnheader', { name: 'Shared keys' })).toBeVisible()
  expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
    'rgb(246, 247, 249)',
  )
})

for (const path of ['/executive', '/clients?range=24h', '/storage/cost'])
  test(`${path} has no serious violation in either theme; usable at 390 × 844`, async ({ page }) => {
    test.setTimeout(120_000)
    await page.goto(path)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await expectAccessible(page)
    await expectFitsPhone(page)
  })

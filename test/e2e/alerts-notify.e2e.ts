import { randomUUID } from 'node:crypto'
import { startWebhook } from '../alerts/webhook'
import { alone, asAdmin, expect, test } from './console-test'
import { cutStore, mendStore } from './demo-fixture'

test.use(asAdmin)

const REASON = 'the pager of the payments team'

test('a test notification shows the receiver’s real answer, and its URL is not shown again', async ({
  page,
}) => {
  const hook = await startWebhook()
  const name = `hook ${Date.now()}`
  try {
    await page.goto('/alerts')
    await page.getByRole('button', { name: 'Add a webhook' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill(name)
    await dialog.getByLabel('URL').fill('https://10.0.0.1/hook')
    await dialog.getByLabel('Reason').fill(REASON)
    await dialog.getByRole('button', { name: /^Add 1 webhook/ }).click()
    await expect(dialog.getByRole('alert')).toContainText('not a public address')
    await dialog.getByLabel('URL').fill(hook.url)
    await dialog.getByRole('button', { name: /^Add 1 webhook/ }).click()
    await expect(dialog).toContainText('whsec_')
    await dialog.getByRole('button', { name: 'Close' }).last().click()
    await expect(dialog).toBeHidden()
    expect(await page.content()).not.toContain('whsec_')
    const receiver = page.locator(`[data-receiver="${name}"]`)
    await expect(receiver).toContainText(hook.host)
    expect(await page.content()).not.toContain('s3cret')
    hook.answers({ status: 418, body: 'short and stout' })
    await receiver.getByRole('button', { name: /^Test notification/ }).click()
    await expect(receiver.getByRole('status')).toContainText('It answered 418')
    await expect(receiver.getByRole('status')).toContainText('short and stout')
    const test = hook.received.find(({ body }) => body.event === 'test')
    expect(test?.headers['idempotency-key']).toBe(`"${test?.body.dedupeKey}"`)
    await hook.close()
    await receiver.getByRole('button', { name: /^Test notification/ }).click()
    await expect(receiver.getByRole('status')).toContainText('ECONNREFUSED', { timeout: 15_000 })
    await receiver.getByRole('button', { name: 'Remove' }).click()
    await dialog.getByLabel('Reason').fill(REASON)
    await dialog.getByRole('button', { name: /^Remove 1 receiver/ }).click()
    await expect(receiver).toHaveCount(0)
  } finally {
    await hook.close()
  }
})

test('what is raised and what has cleared is delivered by the worker, each once', alone, async ({ page }) => {
  test.setTimeout(300_000)
  const hook = await startWebhook()
  await page.goto('/alerts')
  const origin = new URL(page.url()).origin
  const post = (path: string, data: object) =>
    page.request.post(`/api/v1/${path}`, {
      headers: { 'idempotency-key': `"${randomUUID()}"`, origin },
      data,
    })
  const name = `pager ${Date.now()}`
  const made = await post('alerts/receivers', { name, url: hook.url, paging: true, reason: REASON })
  expect(made.status()).toBe(201)
  const { id } = await made.json()
  const routed = await post('alerts/routes', { name, receiverId: id, intervalMs: 10_000, reason: REASON })
  expect(routed.status()).toBe(201)
  const told = () =>
    hook.received.filter(({ body }) => body.alert?.kind === 'stale_source').map(({ body }) => body.dedupeKey)
  try {
    await cutStore()
    await expect.poll(() => told().length, { timeout: 90_000 }).toBeGreaterThan(0)
  } finally {
    await mendStore()
  }
  const open = () => told().reduce((sum: number, key: string) => sum + (key.endsWith(':raised') ? 1 : -1), 0)
  await expect.poll(open, { timeout: 90_000 }).toBe(0)
  expect(new Set(told()).size).toBe(told().length)
  await page.reload()
  const history = page.getByRole('region', { name: 'History' })
  await expect(history.getByText(`${name}, cleared: delivered`).first()).toBeVisible({ timeout: 30_000 })
  const log = page.getByRole('region', { name: 'Delivery log' })
  await log.getByRole('button', { name: /^State/ }).click()
  await page.getByText('Delivered', { exact: true }).last().click()
  await expect(page).toHaveURL(/sent=delivered/)
  await expect(log.getByRole('row').filter({ hasText: name }).first()).toContainText('200')
  expect((await post(`alerts/receivers/${id}/remove`, { reason: REASON })).status()).toBe(200)
  await hook.close()
})

test('a route is set on the page; the link of a message acknowledges the alert, and that is told', async ({
  page,
}) => {
  test.setTimeout(240_000)
  const hook = await startWebhook()
  const name = `routed ${Date.now()}`
  try {
    await page.goto('/alerts')
    const alert = page.locator('[data-alert=duplicate_effects]').first()
    await expect(alert).toBeVisible({ timeout: 120_000 })
    const origin = new URL(page.url()).origin
    const made = await page.request.post('/api/v1/alerts/receivers', {
      headers: { 'idempotency-key': `"${randomUUID()}"`, origin },
      data: { name, url: hook.url, reason: REASON },
    })
    expect(made.status()).toBe(201)
    await page.reload()
    await page.getByRole('button', { name: 'Add a route' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill(name)
    await dialog.getByRole('combobox', { name: /^Receiver/ }).selectOption(name)
    await dialog.getByRole('combobox', { name: /^Severity/ }).selectOption('Pages')
    await dialog.getByText('Quiet hours').click()
    await dialog.getByLabel(/^From/).fill('22:00')
    await dialog.getByLabel('To', { exact: true }).fill('07:00')
    await dialog.getByLabel('Time zone').fill('Europe/Berlin')
    await dialog.getByLabel('Reason').fill(REASON)
    await dialog.getByRole('button', { name: /^Add 1 route/ }).click()
    await expect(dialog).toBeHidden()
    const route = page.locator(`[data-route="${name}"]`)
    await expect(route).toContainText('tickets are held 22:00–07:00 Europe/Berlin')
    await expect(route).toContainText('version 1')

    const href = await alert.getByRole('link').first().getAttribute('href')
    const open = new URL(href ?? '', page.url()).searchParams.get('open')
    await page.goto(`/alerts?open=${open}&acknowledge=1`)
    await dialog.getByLabel('Reminders go on after').selectOption('30 minutes')
    await dialog.getByLabel(/^Note/).fill('looking into it')
    await dialog.getByRole('button', { name: 'Acknowledge 1 alert' }).click()
    await expect(dialog).toBeHidden()
    await expect(alert.getByText('Acknowledged', { exact: true })).toBeVisible()
    await expect(alert).toContainText('looking into it')
    await alert.getByRole('button', { name: 'End acknowledgement' }).click()
    await dialog.getByRole('button', { name: 'End 1 acknowledgement' }).click()
    await expect(alert.getByText('Acknowledged', { exact: true })).toBeHidden()

    await route.getByRole('button', { name: 'Remove' }).click()
    await dialog.getByLabel('Reason').fill(REASON)
    await dialog.getByRole('button', { name: /^Remove 1 route/ }).click()
    await expect(route).toHaveCount(0)
    const { id } = await made.json()
    const removed = await page.request.post(`/api/v1/alerts/receivers/${id}/remove`, {
      headers: { 'idempotency-key': `"${randomUUID()}"`, origin },
      data: { reason: REASON },
    })
    expect(removed.status()).toBe(200)
  } finally {
    await hook.close()
  }
})

import { apiAs } from './api-as'
import { asOperator, expect, test } from './console-test'
import { REASON, someStuck, stuckOf } from './lock-fixture'
import { leaveStuckKeys, takeOver } from './service-store'

test.use(asOperator)
test.describe.configure({ timeout: 90_000 })

/** Each test has clients of its own. All are left stuck at once, since the console needs a while to find and assess them. */
const SUPPLY = { snapshot: 3, few: 2, bulk: 24, abort: 60 }
test.beforeAll(async () => {
  for (const [client, count] of Object.entries(SUPPLY)) await leaveStuckKeys(client, count)
})

test('the header selects the page; all that match is a second choice, and frozen: what comes later is untouched', async ({
  page,
}) => {
  await stuckOf('snapshot', 3)
  await page.goto('/locks?client=snapshot')
  const header = page.getByRole('checkbox', { name: 'Select all locks of this page' })
  await header.check()
  await expect(page.getByText('3 selected')).toBeVisible()
  await header.uncheck()
  await page.locator('tr[data-row] input[type=checkbox]:enabled').first().check()
  await page.getByRole('button', { name: 'Select all 3 matching' }).click()
  await expect(page.getByText('All 3 locks that matched selected')).toBeVisible()
  await leaveStuckKeys('snapshot', 1)
  await expect(page.getByRole('button', { name: /1 new/ })).toBeVisible({ timeout: 20_000 })
  await page.getByRole('button', { name: 'Resolve 3 locks…' }).click()
  await expect(page.getByRole('dialog').getByText('Release 3 locks').first()).toBeVisible({ timeout: 30_000 })
})

test('a bulk call with neither ids nor a filter is a 400', async () => {
  const client = apiAs()
  for (const body of [{ reason: REASON }, { filter: {}, dryRun: true }])
    expect((await client.post('locks/release', body)).status).toBe(400)
})

test('the preview says what would be done, what not and why; the focus starts on Cancel', async ({
  page,
}) => {
  await someStuck(1)
  await page.goto('/locks')
  await page.getByRole('checkbox', { name: 'Select all locks of this page' }).check()
  await page.getByRole('button', { name: /Resolve \d+ locks?…/ }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog).toBeVisible()
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()
  await expect(dialog.getByText(/in this snapshot, valid until|Left as they are/).first()).toBeVisible()
  await expect(dialog).toHaveAttribute('data-tone', 'plain')
  // To fail a key is proposed for one at a time, and approved by a second person.
  await expect(dialog.getByRole('radio', { name: /^Fail/ })).toHaveCount(0)
  await dialog.getByRole('radio', { name: /^Complete/ }).check()
  await expect(dialog.getByRole('heading', { name: /^Complete .* in DEMO$/ })).toBeVisible()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await expect(dialog).toBeHidden()
})

test('a bulk job goes on without its browser; what was not done is listed with its reason', async ({
  page,
  context,
}) => {
  const locks = await stuckOf('bulk', 24)
  await page.goto('/locks?client=bulk')
  await page.getByRole('checkbox', { name: 'Select all locks of this page' }).check()
  await page.getByRole('button', { name: 'Resolve 24 locks…' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByText('Release 24 locks').first()).toBeVisible({ timeout: 30_000 })
  await expect(dialog.getByText(/in this snapshot, valid until/)).toBeVisible()
  // Between the look and the act one of them gets a new holder.
  const taken = locks[23]?.key ?? ''
  expect(await takeOver('bulk', taken, 600_000)).toBe('takeover')
  await dialog.getByLabel('Reason').fill(REASON)
  await dialog.getByRole('button', { name: 'Release 24 locks in DEMO' }).click()
  await expect(dialog.getByText('Release goes on as a job.')).toBeVisible({ timeout: 30_000 })
  await page.close()
  const later = await context.newPage()
  await later.goto('/locks')
  const job = later.getByRole('region', { name: /^Bulk job/ }).first()
  await expect(job.getByText('23 done, 1 refused, 0 failed, 0 unknown')).toBeVisible({ timeout: 60_000 })
  await job.getByText('What was not done (1)').click()
  await expect(job.getByText(/refused: Its (fencing token|holder)/)).toBeVisible()
})

test('of several, what failed is listed; only what another try may end otherwise stays selected', async ({
  page,
}) => {
  const locks = await stuckOf('few', 2)
  await page.goto('/locks?client=few')
  await page.getByRole('checkbox', { name: 'Select all locks of this page' }).check()
  await page.getByRole('button', { name: 'Resolve 2 locks…' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByText('Release 2 locks').first()).toBeVisible({ timeout: 30_000 })
  expect(await takeOver('few', locks[1]?.key ?? '', 600_000)).toBe('takeover')
  await dialog.getByLabel('Reason').fill(REASON)
  await dialog.getByRole('button', { name: 'Release 2 locks in DEMO' }).click()
  await expect(dialog.getByText('Released 1 of 2 locks')).toBeVisible({ timeout: 30_000 })
  await expect(dialog.getByText(/refused: Its (fencing token|holder)/)).toBeVisible()
  await expect(dialog.getByText('None of these would end otherwise')).toBeVisible()
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await expect(page.getByText('0 selected')).toBeVisible()
})

test('Abort stops the rest of a job, and both counts are said', async ({ page }) => {
  await stuckOf('abort', 60)
  await page.goto('/locks?client=abort')
  await page.locator('tr[data-row] input[type=checkbox]:enabled').first().check()
  await page.getByRole('button', { name: 'Select all 60 matching' }).click()
  await page.getByRole('button', { name: 'Resolve 60 locks…' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByText('Release 60 locks').first()).toBeVisible({ timeout: 45_000 })
  await dialog.getByLabel('Reason').fill(REASON)
  await dialog.getByRole('button', { name: 'Release 60 locks in DEMO' }).click()
  await expect(dialog.getByText('Release goes on as a job.')).toBeVisible({ timeout: 30_000 })
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  const job = page.getByRole('region', { name: /^Bulk job/ }).first()
  await job.getByRole('button', { name: 'Abort the rest' }).click()
  // It may have been at its last lock already: then nothing is left that could be stopped.
  await expect(job.getByRole('heading', { name: /(aborted|ended)$/ })).toBeVisible({ timeout: 30_000 })
  const words = (await job.getByRole('status').textContent()) ?? ''
  const [done, notTried] = [/(\d+) done/, /(\d+) not tried/].map((pattern) =>
    Number(pattern.exec(words)?.[1] ?? 0),
  )
  expect((done ?? 0) + (notTried ?? 0)).toBe(60)
})

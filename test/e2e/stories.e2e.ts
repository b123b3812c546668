import type { Page } from '@playwright/test'
import { apiAs } from './api-as'
import { decided, openCase, startedRun } from './case-fixture'
import { alone, asApprover, asOperator, expect, test } from './console-test'
import { cutStore, mendStore, refundsOf } from './demo-fixture'

// The three pages at 3 am, whole: from the first look to the end, by two people where it takes two.

test.use(asOperator)

const REASON = 'the holder was stopped past its lease and charged again, seen in the traces'
const MINUTE_MS = 60_000

const correction = (page: Page) => page.getByRole('region', { name: 'Correction' })

test('story 1: duplicates above target → cause → key → dry run of that range → refund by two people → one refund at the provider', async ({
  page,
  browser,
}) => {
  test.setTimeout(180_000)
  const found = await openCase('duplicate_same_key', decided)
  const duplicate = found.evidence.refund?.[0] ?? ''

  // What happened, and where from: the page says it first, its link leads to the causes.
  await page.goto('/now')
  await page
    .getByRole('region', { name: 'Verdict' })
    .getByRole('link', { name: /^Open [\d,]+ effects?/ })
    .click()
  await expect(page).toHaveURL(/\/effects/)
  const endpoint = (found.subject.scope ?? '').split('/').slice(1).join('/')
  const panel = page.getByRole('complementary', { name: 'Effects of the cause' })
  const item = panel.getByRole('listitem').filter({ has: page.locator(`a[href*="${found.id}"]`) })
  await page.locator('tr[data-row]').filter({ hasText: endpoint }).first().locator('[data-row-link]').click()
  await expect(item).toBeVisible({ timeout: 30_000 })

  // One key: two attempts side by side.
  await item.getByRole('link', { name: 'Key', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'Two attempts side by side' })).toBeVisible()

  // A dry run of exactly that range, frozen; it opens nothing.
  const seen = Date.parse(found.firstSeen)
  const range = new URLSearchParams({
    from: new Date(seen - 15 * MINUTE_MS).toISOString(),
    to: new Date(seen + MINUTE_MS).toISOString(),
  })
  await page.goto(`/reconciliation?${range}`)
  await page.getByRole('button', { name: 'Start a run' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByLabel('Window')).toHaveValue('range')
  await dialog.getByRole('button', { name: 'Start 1 run' }).click()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  const run = await startedRun(Object.fromEntries(range))
  await page
    .getByRole('region', { name: 'Runs' })
    .getByRole('link', { name: /^Dry run by/ })
    .and(page.locator(`[href*="${run.id}"]`))
    .click()
  await expect(page.getByRole('button', { name: 'Run for real' })).toBeVisible({ timeout: 60_000 })
  await expect(page.getByRole('rowheader', { name: /Charged twice on one key/ })).toBeVisible()

  // Proposed on the evidence that is shown.
  await page.goto(`/reconciliation/cases/${found.id}`)
  await correction(page)
    .getByRole('button', { name: /^Propose refund of/ })
    .click()
  await dialog.getByLabel('Reason').fill(REASON)
  await dialog.getByRole('button', { name: /^Propose refund/ }).click()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  await expect(correction(page)).toContainText('You proposed this')

  // The second person, on the phone.
  const phone = await browser.newContext({
    ...asApprover,
    baseURL: process.env.BASE_URL ?? '',
    viewport: { width: 390, height: 844 },
    hasTouch: true,
  })
  const second = await phone.newPage()
  await second.goto('/reconciliation')
  await second.getByRole('region', { name: 'Waiting for approval' }).locator(`a[href*="${found.id}"]`).tap()
  await correction(second)
    .getByRole('button', { name: /^Approve refund of/ })
    .tap()
  const approval = second.getByRole('dialog')
  await approval.getByLabel(/How many/).fill('1')
  await approval.getByRole('button', { name: /^Approve 1 refund in/ }).tap()
  await expect(approval.getByText(/Sent in \d+ s/)).toBeVisible()
  await expect(approval).toBeHidden({ timeout: 45_000 })
  await expect(correction(second).getByText(/Verified and resolved/)).toBeVisible({ timeout: 60_000 })
  await phone.close()

  const refunds = await refundsOf(duplicate)
  expect(refunds.map(({ status }) => status)).toEqual(['succeeded'])
})

test(
  'story 2: store outage → which and since when, the console goes on, bulk is refused → recovered → exactly that window',
  alone,
  async ({ page }) => {
    test.setTimeout(180_000)
    const client = apiAs()
    const store = page.getByRole('region', { name: 'payments store' })
    try {
      await cutStore()
      await page.goto('/sources')
      await expect(store.locator('[data-outage=now]')).toContainText(/Not readable since/, {
        timeout: 45_000,
      })
      await expect(store.getByText('cannot be read').first()).toBeVisible()
      await expect(store.locator('[data-outage=now]')).toContainText(/keyed requests|not measured/)
      await expect(page.getByText(/of 4 sources cannot be read: .*payments store/)).toBeVisible()

      for (const [path, heading] of [
        ['/now', 'Now'],
        ['/audit', 'Audit'],
        ['/settings', 'Settings'],
        ['/locks', 'Locks'],
      ] as const) {
        const answer = await page.goto(path)
        expect(answer?.status(), path).toBe(200)
        await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible()
      }
      await expect(page.getByText('payments store cannot be read')).toBeVisible()
      const frozen = await client.post('locks/release', { filter: { stuckOnly: true }, dryRun: true })
      expect(frozen.status >= 400 || frozen.body.count === 0, JSON.stringify(frozen.body)).toBe(true)
    } finally {
      await mendStore()
    }

    await page.goto('/sources')
    const over = store.locator('[data-outage=over]')
    await expect(over).toBeVisible({ timeout: 60_000 })
    await over.getByRole('link', { name: /^Reconcile exactly this window/ }).click()
    await expect(page).toHaveURL(/\/reconciliation\?.*from=/)
    const asked = new URL(page.url()).searchParams
    const dialog = page.getByRole('dialog')
    await expect(dialog.getByRole('radio', { name: 'An outage' })).toBeChecked()
    await expect(dialog.getByRole('combobox', { name: 'Outage' })).toHaveValue(
      `${asked.get('from')}/${asked.get('to')}`,
    )
    await dialog.getByRole('button', { name: 'Start 1 run' }).click()
    await expect(dialog).toBeHidden({ timeout: 30_000 })
    const { items } = await client.get('runs?kind=reconciliation&byPeople=true&limit=1')
    expect(items[0].params).toMatchObject({ from: asked.get('from'), to: asked.get('to') })
    await expect
      .poll(async () => (await client.get(`runs/${items[0].id}`)).state, { timeout: 60_000 })
      .toBe('done')
  },
)

test('story 3: slow to end → the endpoint → its slowest traces → the key that is contended → its lock', async ({
  page,
}) => {
  test.setTimeout(120_000)
  await page.goto('/now')
  const endpoints = page.getByRole('region', { name: 'Endpoints by duplicate rate' })
  await endpoints.getByRole('link').first().click()
  await expect(page).toHaveURL(/\/traces\?.*endpoint=/)
  // The one whose handlers hang is not always among the worst.
  const hanging = new URL(page.url())
  hanging.searchParams.set('endpoint', 'POST /v1/payments')
  await page.goto(hanging.href)
  // The handler that hung answered 503 at its deadline, and left its key behind.
  await expect(async () => {
    await page.reload()
    await expect(page.locator('tbody tr').filter({ hasText: 'HTTP 503' }).first()).toBeVisible({
      timeout: 4_000,
    })
  }).toPass({ timeout: 60_000 })
  // Of these the first whose key is held: one may have ended after its deadline all the same.
  const traces = await page
    .locator('tbody tr')
    .filter({ hasText: 'HTTP 503' })
    .evaluateAll((rows) => rows.map((row) => row.querySelector('a')?.href ?? ''))
  await expect(async () => {
    for (const trace of traces) {
      await page.goto(trace)
      await expect(page.getByRole('figure', { name: 'Waterfall of spans' })).toBeVisible()
      await expect(page.getByRole('region', { name: 'Attempts of this key' })).toBeVisible()
      if (await page.getByRole('link', { name: 'Open its lock' }).isVisible()) return
    }
    throw new Error('none of these keys is held')
  }).toPass({ timeout: 60_000 })
  await page.getByRole('link', { name: 'Open its key' }).click()
  await expect(page.getByRole('region', { name: 'State and actions' })).toBeVisible()
  await page.goBack()
  await page.getByRole('link', { name: 'Open its lock' }).click()
  await expect(page).toHaveURL(/\/locks\?.*lock=lock_/)
  await expect(
    page.getByRole('complementary', { name: 'Lock' }).getByRole('heading', { name: 'Evidence' }),
  ).toBeVisible()
})

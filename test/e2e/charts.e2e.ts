import { asOperator, expect, fixedRange, test } from './console-test'

test.use(asOperator)

test('a bar opens the list behind it, with as many as it counts or the reason why not', async ({ page }) => {
  const bar = page.locator('.recharts-bar').first().locator('.recharts-bar-rectangle rect').last()
  // A demo that has just begun has no bar yet, and a press while the data arrives may meet one that goes.
  await expect(async () => {
    await page.goto(`/now?${fixedRange().query}&tz=local`)
    await bar.click({ timeout: 3_000 })
    await expect(page).toHaveURL(/\/traces\?.*bar=executed/, { timeout: 4_000 })
  }).toPass({ timeout: 50_000 })
  await expect(page).toHaveURL(/tz=local/)
  const counted = Number(new URL(page.url()).searchParams.get('counted'))
  expect(counted).toBeGreaterThan(0)
  const note = page.getByRole('status').filter({ hasText: 'Executed once' })
  await expect(note).toContainText(/as the bar counted\.|spans that come late|kept a shorter time/)
  const told = Number(/([\d,]+) request/.exec((await note.textContent()) ?? '')?.[1]?.replaceAll(',', ''))
  await expect(page.locator('main tbody tr')).toHaveCount(Math.min(told, 50))
  await note.getByRole('link', { name: 'All of this range' }).click()
  await expect(page).not.toHaveURL(/bar=/)
})

test('dragging over a chart sets the range of the page', async ({ page }) => {
  const { from, to, query } = fixedRange()
  await page.goto(`/now?${query}`)
  const plot = page.locator('.chart .recharts-cartesian-grid').first()
  await expect(plot).toBeVisible()
  const box = await plot.boundingBox()
  if (box === null) throw new Error('the chart has no plot')
  const y = box.y + box.height / 2
  await page.mouse.move(box.x + box.width * 0.3, y)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.45, y, { steps: 4 })
  await page.mouse.move(box.x + box.width * 0.6, y, { steps: 4 })
  await page.mouse.up()
  await expect.poll(() => new URL(page.url()).searchParams.get('from')).not.toBe(from)
  const asked = new URL(page.url()).searchParams
  const [start, end] = [Date.parse(asked.get('from') ?? ''), Date.parse(asked.get('to') ?? '')]
  expect(start).toBeGreaterThan(Date.parse(from))
  expect(end).toBeLessThan(Date.parse(to))
  expect(end - start).toBeGreaterThanOrEqual(8 * 60_000)
  await expect(page.getByText('UTC, fixed')).toBeVisible()
})

test('a point of the rate is opened by keyboard: the effects of its minute', async ({ page }) => {
  await page.goto('/now?range=15m')
  const chart = page.locator('.chart svg').nth(1)
  await expect(chart).toBeVisible()
  await chart.focus()
  // Minutes before the first traffic have nothing behind them.
  await expect(async () => {
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    await expect(page).toHaveURL(/\/effects\?.*kind=duplicate/, { timeout: 1_500 })
  }).toPass({ timeout: 40_000, intervals: [0] })
  const { searchParams } = new URL(page.url())
  expect(Date.parse(searchParams.get('to') ?? '') - Date.parse(searchParams.get('from') ?? '')).toBe(60_000)
})

test('a tile and an endpoint lead to what is behind them, in the same range', async ({ page }) => {
  await page.goto('/now?range=6h')
  await page.getByRole('link', { name: 'Stuck locks' }).click()
  await expect(page).toHaveURL(/\/locks\?.*range=6h/)
  await page.goBack()
  await page.getByRole('region', { name: 'Table of endpoints' }).getByRole('link').first().click()
  await expect(page).toHaveURL(/\/traces\?.*endpoint=.*range=6h/)
})

test('what a person started is a mark on the charts, and leads to its entry in the audit', async ({
  page,
}) => {
  await page.goto('/now?range=15m')
  await page.getByRole('button', { name: 'Dry-run reconciliation' }).click()
  await expect(page.getByText('Started: see In flight and recent')).toBeVisible()
  const recent = page.getByRole('region', { name: 'In flight and recent' })
  await expect(recent.getByText('Reconciliation, dry run').first()).toBeVisible()
  const mark = page
    .getByRole('navigation', { name: 'Marks on the chart' })
    .first()
    .getByRole('link', { name: /Reconciliation, dry run, by operator/i })
  await expect(mark.first()).toBeVisible()
  await mark.first().click()
  // Marks that stand too close share a place, which leads to the weightiest of them.
  await expect(page).toHaveURL(/\/audit\?.*subject=(run|act)_/)
  await expect(page.locator('main tbody tr').first()).toBeVisible()
})

import { apiAs } from './api-as'
import {
  asOperator,
  expect,
  expectAccessible,
  expectFitsPhone,
  fixedRange,
  gotoAlive,
  test,
} from './console-test'

test.use(asOperator)

type Measure = {
  id: string
  value: number | null
  numerator: number | string | null
  denominator: number | string | null
  unit: string
  detail: { p99?: number | null; open?: number }
}

const grouped = (count: number | string) => new Intl.NumberFormat('en-US').format(count as number)

test('the six tiles say what the API says of the same range', async ({ page }) => {
  test.setTimeout(240_000)
  const api = apiAs()
  const read = async (query: string) => {
    const { items }: { items: Measure[] } = await api.get(`measures?${query}`)
    return items.filter(({ id }) => /^M[12346]$/.test(id)).map(figuresOf)
  }
  // A late span, an orphan that is resolved: the page must lie between two readings that agree.
  await expect(async () => {
    const { query } = fixedRange()
    const before = await read(query)
    expect(before.every(({ value }) => value !== null)).toBe(true)
    await page.goto(`/now?${query}`)
    const tiles = await page
      .locator('[data-tile]')
      .evaluateAll((found) =>
        found.map((tile) => [tile.getAttribute('data-tile') ?? '', tile.textContent ?? ''] as const),
      )
    expect(await read(query)).toEqual(before)
    expect(tiles).toHaveLength(6)
    const tile = new Map(tiles)
    for (const { id, numerator, denominator, value, p99, open } of before) {
      if (id === 'M4') {
        // The unit stands in an element of its own: the gap is drawn, not written.
        expect(tile.get(id)).toContain(`${latencyText(value ?? -1).replace(' ', '')} P95`)
        expect(tile.get(id)).toContain(`P99 ${latencyText(p99 ?? -1)}`)
      } else if (id === 'M6') {
        expect(tile.get(id)).toContain(`Orphaned effects${grouped(value ?? -1)}${grouped(open ?? -1)} open`)
      } else {
        expect(tile.get(id)).toContain(`${grouped(numerator ?? -1)} of ${grouped(denominator ?? -1)}`)
      }
    }
    expect(tile.get('locks')).toMatch(/Stuck locks\d/)
  }).toPass({ timeout: 200_000 })
})

/** What the tiles show of a measure, without what moves on its own. */
const figuresOf = ({ id, value, numerator, denominator, detail }: Measure) => ({
  id,
  value,
  numerator,
  denominator,
  p99: detail.p99,
  open: detail.open,
})

/** Written again, so that the page's own rounding is tested too. */
function latencyText(ms: number): string {
  if (ms < 10) return `${ms.toFixed(ms < 1 ? 2 : 1)} ms`
  if (ms < 1000) return `${ms.toFixed(0)} ms`
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
}

test('the tile of stuck locks counts the locks that the API lists', async ({ page }) => {
  const api = apiAs()
  await expect(async () => {
    const stuck = async () =>
      (await api.all('locks')).filter(({ state }) => state === 'lease_expired' || state === 'unknown').length
    const before = await stuck()
    await page.goto('/now')
    const text = await page.locator('[data-tile=locks]').textContent()
    expect(await stuck()).toBe(before)
    expect(text).toContain(`Stuck locks${grouped(before)}`)
  }).toPass({ timeout: 45_000 })
})

test('Now has no serious violation', async ({ page }) => {
  await page.goto('/now')
  await expect(page.locator('.chart svg').first()).toBeVisible()
  await expectAccessible(page)
  await page.getByRole('button', { name: /Time range/ }).click()
  await expect(page.getByLabel('From')).toBeVisible()
  await expectAccessible(page)
})

test('on a phone nothing is cut off sideways, and everything is within reach', async ({ page }) => {
  await page.goto('/now')
  await expect(page.locator('.chart svg').first()).toBeVisible()
  await expectFitsPhone(page)
  await page.getByRole('button', { name: /More/ }).click()
  const sheet = page.getByRole('dialog', { name: 'More' })
  await expect(sheet.getByRole('radio', { name: 'Local' })).toBeVisible()
  await expect(sheet.getByRole('link', { name: 'API' })).toBeVisible()
  await expectAccessible(page)
  await page.keyboard.press('Escape')
  await expect(sheet).toBeHidden()
})

test('range and zone are in the address and outlive a reload; Back goes back', async ({ page }) => {
  await gotoAlive(page, '/now')
  await expect(page.getByText('UTC, live')).toBeVisible()
  await page.getByRole('button', { name: /Time range/ }).click()
  await page.getByRole('button', { name: 'Last 6 hours' }).click()
  await expect(page).toHaveURL(/range=6h/)
  await page.getByRole('radio', { name: 'Local' }).click()
  await expect(page).toHaveURL(/tz=local/)
  await expect(page.getByText('GMT+5:30, live')).toBeVisible()
  await page.reload()
  await expect(page.getByText('GMT+5:30, live')).toBeVisible()
  await expect(page.getByRole('button', { name: /Last 6 hours/ })).toBeVisible()
  await page.goBack()
  await expect(page).not.toHaveURL(/range=6h/)
  await expect(page.getByRole('button', { name: /Last 1 hour/ })).toBeVisible()
})

test('a custom range stands still; one that makes no sense is refused with the reason', async ({ page }) => {
  await page.goto('/now')
  await page.getByRole('button', { name: /Time range/ }).click()
  await page.getByLabel('From').fill('2026-01-02T10:00')
  await page.getByLabel('To', { exact: true }).fill('2026-01-02T09:00')
  await page.getByRole('button', { name: 'Apply' }).click()
  await expect(page.getByText('The end must come after the beginning.')).toBeVisible()
  await page.getByLabel('To', { exact: true }).fill('2026-01-02T11:30')
  await page.getByRole('button', { name: 'Apply' }).click()
  await expect(page).toHaveURL(/from=2026-01-02T10%3A00|from=2026-01-02T10:00/)
  await expect(page.getByText('2 Jan, 10:00 – 11:30 UTC, fixed')).toBeVisible()
  await expect(page.locator('[data-tile=M2]')).toContainText('Not measured')
})

test('live figures arrive without a reload', async ({ page }) => {
  await page.goto('/now')
  await page.evaluate(() => {
    document.body.dataset.sameDocument = 'yes'
  })
  const requests = page.locator('[data-tile=M1]')
  const before = await requests.textContent()
  await expect(requests).not.toHaveText(before ?? '', { timeout: 30_000 })
  await expect(page.locator('body')).toHaveAttribute('data-same-document', 'yes')
})

test('a cut connection is said within 5 s, the figures stay, and it comes back', async ({
  page,
  context,
}) => {
  await page.goto('/now')
  const tile = page.locator('[data-tile=M2]')
  await expect(tile).toContainText(' of ')
  await expect(page.locator('.chart svg').first()).toBeVisible()
  await context.setOffline(true)
  await expect(
    page
      .locator('header')
      .getByText(/Reconnecting|Stale/)
      .first(),
  ).toBeVisible({ timeout: 5_000 })
  await expect(tile).toContainText(' of ')
  await context.setOffline(false)
  await expect(page.getByText(/\d+ (s|min) old/)).toBeVisible({ timeout: 20_000 })
})

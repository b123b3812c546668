import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { alone, asOperator, expect, expectAccessible, expectFitsPhone, test } from './console-test'
import { sendSpans } from './demo-fixture'

test.use(asOperator)

test('failed traces come first; one opens as a waterfall with a span’s attributes and its key’s attempts', async ({
  page,
}) => {
  const first = page.locator('tbody tr').first()
  // A demo that has just begun has no failed request yet.
  await expect(async () => {
    await page.goto('/traces?range=24h')
    await expect(first).toContainText(/fenced off|effect twice|store error|bypassed|HTTP 5/, {
      timeout: 3_000,
    })
  }).toPass({ timeout: 40_000 })
  await page.goto('/traces?range=24h&outcome=executed&sort=newest')
  // What a consumer executed calls no provider.
  await page.locator('tbody tr', { hasText: 'POST /v1/payments' }).first().getByRole('link').first().click()
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}\?span=|span=/)
  const waterfall = page.getByRole('figure', { name: 'Waterfall of spans' })
  await expect(waterfall.getByRole('link').first()).toBeVisible()
  await waterfall
    .getByRole('link', { name: /stripe/ })
    .first()
    .click()
  await expect(page.getByRole('region', { name: 'Attributes' })).toContainText('idempotency.effect.name')
  await expect(page.getByRole('region', { name: 'Attempts of this key' })).toBeVisible()
  await page.reload()
  await expect(page.getByRole('region', { name: 'Attributes' })).toContainText('idempotency.effect.name')
})

test('filters are in the URL; none that match looks like it', async ({ page }) => {
  await page.goto('/traces')
  await page.getByRole('link', { name: 'Newest first' }).click()
  await expect(page).toHaveURL(/sort=newest/)
  await page.getByRole('searchbox', { name: 'Search traces' }).fill('0'.repeat(32))
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/q=0{32}/)
  await expect(page.locator('[data-empty=filtered]')).toBeVisible()
  await page.goto(`/traces/${'0'.repeat(32)}`)
  await expect(page.getByText('No span of this trace is kept')).toBeVisible()
})

test('traces have no serious violation; usable at 390 × 844', async ({ page }) => {
  await page.goto('/traces?range=24h')
  await expectAccessible(page)
  await page.locator('tbody a').first().click()
  await expect(page.getByRole('region', { name: 'Attributes' })).toBeVisible()
  await expectAccessible(page)
  await expectFitsPhone(page)
  // The demo's longest route: a word that does not break by itself.
  const endpoint = 'POST /v1/payments/{id}/refunds'
  await page.goto(`/traces?${new URLSearchParams({ range: '24h', endpoint })}`)
  await expect(page.locator('tbody a').first()).toContainText(endpoint)
  await expectFitsPhone(page)
})

/** A trace of 10,000 spans: one request with a key, and what it called. */
function manySpans(traceId: string): unknown[] {
  const startNs = BigInt(Date.now() - 60_000) * 1_000_000n
  const spanId = (n: number) => (n + 1).toString(16).padStart(16, '0')
  return Array.from({ length: 10_000 }, (_, n) => ({
    traceId,
    spanId: spanId(n),
    ...(n === 0 ? {} : { parentSpanId: spanId(Math.floor((n - 1) / 4)) }),
    name: n === 0 ? 'POST /v1/payments' : `call ${n}`,
    kind: n === 0 ? 2 : 3,
    startTimeUnixNano: String(startNs + BigInt(n) * 100_000n),
    endTimeUnixNano: String(startNs + BigInt(n) * 100_000n + 5_000_000n),
    attributes: [],
  }))
}

test(
  '10,000 spans: no task of the main thread over 200 ms, and the last is reached',
  alone,
  async ({ page, browser }) => {
    test.setTimeout(90_000)
    const traceId = randomBytes(16).toString('hex')
    await sendSpans(manySpans(traceId))
    await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline'] })
    await expect(async () => {
      await page.goto(`/traces/${traceId}`)
      await expect(page.getByText('10,000 spans')).toBeVisible({ timeout: 5_000 })
    }).toPass({ timeout: 60_000 })
    const spans = page.getByRole('region', { name: 'Spans' })
    await spans.evaluate((box) => box.scrollTo({ top: box.scrollHeight }))
    await expect(spans.getByRole('link').last()).toBeVisible()
    expect(await spans.getByRole('link').count()).toBeLessThan(100)
    await spans.getByRole('link').last().click()
    await expect(page).toHaveURL(/span=/)
    const tasks = tasksOfPages(await browser.stopTracing())
    expect(tasks.length).toBeGreaterThan(100)
    expect(Math.max(...tasks)).toBeLessThanOrEqual(200)
  },
)

const traceSchema = z.object({
  traceEvents: z.array(
    z.object({
      name: z.string(),
      pid: z.number(),
      tid: z.number(),
      /** Microseconds of the processor, which others that use the machine do not lengthen. */
      tdur: z.number().optional(),
      args: z.object({ name: z.string().optional() }).optional(),
    }),
  ),
})

/** Milliseconds of the processor that each task of a page's main thread took. */
function tasksOfPages(trace: Buffer): number[] {
  const { traceEvents } = traceSchema.parse(JSON.parse(trace.toString()))
  const threadOf = ({ pid, tid }: { pid: number; tid: number }) => `${pid}/${tid}`
  const mains = new Set(
    traceEvents.flatMap((event) =>
      event.name === 'thread_name' && event.args?.name === 'CrRendererMain' ? [threadOf(event)] : [],
    ),
  )
  return traceEvents.flatMap((event) =>
    event.name.endsWith('RunTask') && event.tdur !== undefined && mains.has(threadOf(event))
      ? [event.tdur / 1_000]
      : [],
  )
}

test('what is no trace id is not found; integers beyond 2^53 are whole', async ({ page }) => {
  expect((await page.goto('/traces/none'))?.status()).toBe(404)
  const traceId = randomBytes(16).toString('hex')
  const [root] = manySpans(traceId) as { attributes: unknown[] }[]
  await sendSpans([
    {
      ...root,
      attributes: [
        { key: 'order.weight64', value: { intValue: '9223372036854775807' } },
        { key: 'http.request.header.authorization', value: { stringValue: 'Bearer abcdefgh12345678' } },
      ],
    },
  ])
  await expect(async () => {
    await page.goto(`/traces/${traceId}`)
    await expect(page.getByText('9223372036854775807')).toBeVisible({ timeout: 3_000 })
  }).toPass({ timeout: 40_000 })
  // 20: a credential never reaches the browser.
  expect(await page.content()).not.toContain('abcdefgh12345678')
  await expect(page.getByText('[redacted]')).toBeVisible()
})

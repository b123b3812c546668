import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Browser, chromium, type Page, expect as playwrightExpect } from '@playwright/test'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startWebhook } from '../alerts/webhook'
import { leaveStuckKeys } from '../e2e/service-store'
import { apiClient } from '../support/api'
import { chromiumPath } from '../support/chromium'
import { type RunningDemo, startDemo, until } from '../support/demo'
import { setSettings, TELLING_HERE } from '../support/settings'
import { wholeOrSample } from '../support/whole-or-sample'
import { addPager } from './paged-demo'

// One night: a page about stuck keys, and all that its person does until it is written up, in a browser.

setSettings(TELLING_HERE)

/** More of them page at once, however old they are. */
const STUCK = 51
const see = playwrightExpect.configure({ timeout: 45_000 })
const CLICKS_MS_MAX = 180_000
const REASON = 'the pods were killed by the deploy, nothing was called'

let hook: Awaited<ReturnType<typeof startWebhook>>
let demo: RunningDemo
let browser: Browser
beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-gpu'],
  })
})
afterAll(() => browser?.close())
// Each night has a demo of its own: what comes back within minutes is the alert that it was.
beforeEach(async () => {
  hook = await startWebhook()
  demo = await startDemo({ seed: '5', durationS: 20, rate: 2, faultRate: 0 })
  process.env.E2E_DATA_DIR = demo.folder
  await addPager(demo.runtime.databaseUrl, hook.url)
})
afterEach(async () => {
  await demo?.stop()
  await hook?.close()
})

const DESK = { where: 'at a desk', viewport: { width: 1440, height: 900 }, hasTouch: false }
const PHONE = { where: 'on the phone', viewport: { width: 390, height: 844 }, hasTouch: true }

test.each(wholeOrSample([DESK, PHONE], [PHONE]))(
  'paged by stuck keys $where: incident, hold, release, resolved, postmortem, within 3 minutes of clicks',
  async ({ where, ...device }) => {
    await leaveStuckKeys(`night-${randomUUID().slice(0, 8)}`, STUCK)
    const raised = await told()
    await untilAssessed()

    const context = await browser.newContext(device)
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    const begunAt = performance.now()
    await page.goto(raised.url)
    await signIn(page)
    await see(page).toHaveURL(/\/incidents\/inc_/)
    const incident = page.url()
    await see(page.getByRole('region', { name: 'Verdict' })).toContainText(`${STUCK} keys stuck`)
    await confirm(page, 'Acknowledge', /^Acknowledge 1/)
    await see(page.getByText(/acknowledged by/).first()).toBeVisible()
    await confirm(page, 'Take command', /^Take command of 1/)

    // Nothing new runs while one looks.
    await page.getByRole('link', { name: 'Hold a route' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('combobox', { name: 'Route', exact: true }).fill('POST /v1/payments')
    await dialog.getByLabel('Reason').fill(REASON)
    await dialog.getByRole('button', { name: /^Hold new executions in/ }).click()
    const held = page.getByRole('region', { name: 'In force' }).locator('[data-hold]')
    await see(held).toHaveCount(1)

    // What the verdict says, for all of them.
    await page.goto(incident)
    await page.getByRole('link', { name: 'Open the stuck locks' }).click()
    await page.getByRole('checkbox', { name: 'Select all locks of this page' }).check()
    await page.getByRole('button', { name: `Select all ${STUCK} matching` }).click()
    await page.getByRole('button', { name: `Resolve ${STUCK} locks…` }).click()
    await see(dialog.getByText(`Release ${STUCK} locks`).first()).toBeVisible()
    await dialog.getByLabel('Reason').fill(REASON)
    await dialog.getByRole('button', { name: `Release ${STUCK} locks in DEMO` }).click()
    await see(dialog.getByText(/^(Released|Release goes on as a job)/).first()).toBeVisible()
    const clicksMs = performance.now() - begunAt

    // How fast the console evaluates is no click.
    await until(
      async () => {
        await page.goto(incident)
        const alerts = page.locator('[data-alert]')
        await alerts.first().waitFor()
        return (await alerts.filter({ hasText: 'Fires' }).count()) === 0
      },
      180_000,
      () => 'an alert of it fires on',
    )
    const againAt = performance.now()
    await page.goto(new URL('/holds', incident).href)
    await held.getByRole('button', { name: 'Lift' }).click()
    await dialog.getByLabel('Reason').fill('all of them are released')
    await dialog.getByRole('button', { name: /^Lift 1 hold in/ }).click()
    await see(held).toHaveCount(0)

    await page.goto(incident)
    await confirm(page, 'Mitigate', /^Mitigate 1/, REASON)
    await see(page.locator('[data-figure="To mitigate"]')).not.toContainText('Not yet')
    await confirm(page, 'Close', /^Close 1/, REASON)
    const download = page.waitForEvent('download')
    await page.getByRole('region', { name: 'Postmortem' }).getByRole('button', { name: 'Markdown' }).click()
    const text = readFileSync(await (await download).path(), 'utf8')
    const tookMs = clicksMs + performance.now() - againAt
    console.log(`night ${where}: ${(tookMs / 1000).toFixed(0)} s of clicks`)
    for (const part of [`> ${REASON}`, 'POST /v1/payments', `${STUCK} keys stuck`])
      expect(text).toContain(part)
    expect(tookMs).toBeLessThan(CLICKS_MS_MAX)
    await context.close()
  },
)

/** The page, once it is there. */
async function told() {
  const find = () =>
    hook.received.find(({ body }) => body.event === 'raised' && body.alert?.kind === 'stuck_keys')
  await until(
    async () => find() !== undefined,
    180_000,
    () => `nobody was told: ${JSON.stringify(hook.received.map(({ body }) => body.title))}`,
  )
  return find()?.body
}

/** A moment after it died a holder is waited for. */
async function untilAssessed(): Promise<void> {
  const viewer = apiClient(demo.url, { token: await demo.token('viewer') })
  await until(
    async () => (await viewer.all('locks?stuckOnly=true&verdict=release')).length === STUCK,
    60_000,
    () => 'not all of them can be released',
  )
}

async function signIn(page: Page): Promise<void> {
  const person = demo.signIns().find(({ role }) => role === 'operator')
  await page.getByLabel('Email').fill(person?.email ?? '')
  await page.getByLabel('Password').fill(person?.password ?? '')
  await page.getByRole('button', { name: 'Sign in' }).click()
}

async function confirm(page: Page, opener: string, button: RegExp, reason?: string): Promise<void> {
  await page.getByRole('button', { name: opener, exact: true }).first().click()
  const dialog = page.getByRole('dialog')
  if (reason !== undefined) await dialog.getByLabel('Reason').fill(reason)
  await dialog.getByRole('button', { name: button }).click()
  await see(dialog).toBeHidden()
}

import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { apiAs } from './api-as'
import {
  asOperator,
  asViewer,
  expect,
  expectAccessible,
  expectFitsPhone,
  gotoAlive,
  test,
} from './console-test'

test.describe.configure({ timeout: 150_000 })

const WHY = 'rolled back to the version before'
const CAUSE = 'the new version sends no key'

/** One of the demo’s console itself: what fires about its payments stays with others. */
async function open(title: string): Promise<string> {
  const items = await apiAs().all('incidents')
  const body = { title, area: 'console', severity: 'sev3', seen: items.map(({ id }) => id).slice(0, 200) }
  const { status, body: incident } = await apiAs().post('incidents', body)
  expect(status).toBe(201)
  return incident.id
}

async function confirm(page: Page, opener: string, button: RegExp, fill?: () => Promise<void>) {
  await page.getByRole('button', { name: opener, exact: true }).first().click()
  await fill?.()
  await page.getByRole('dialog').getByRole('button', { name: button }).click()
  await expect(page.getByRole('dialog')).toBeHidden({ timeout: 30_000 })
}

test.describe('as an operator', () => {
  test.use(asOperator)

  test('an incident is opened, run and closed on its page, and taken away as a postmortem', async ({
    page,
  }) => {
    const title = `Customers call, ${Date.now()}`
    await page.goto('/incidents')
    const dialog = page.getByRole('dialog')
    await confirm(page, 'Open incident', /^Open 1 incident/, async () => {
      await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()
      await dialog.getByLabel('What is wrong').fill(title)
      await dialog.getByRole('combobox', { name: /^Of/ }).selectOption('The console itself')
      await dialog.getByLabel('Began, minutes ago').fill('10')
      await expectAccessible(page)
    })
    await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible({ timeout: 30_000 })
    await expect(page.locator('[data-figure="To detect"]')).toContainText('10 min')
    await expect(page.locator('[data-figure="To mitigate"]')).toContainText('Not yet')
    await expect(page.getByRole('region', { name: 'Checklist' }).locator('[data-question]')).toHaveCount(5)
    await expect(page.getByRole('link', { name: 'Hold a route' })).toHaveAttribute('href', /place=route/)

    await confirm(page, 'Acknowledge', /^Acknowledge 1/)
    // What comes next is done to the incident as it is shown.
    await expect(page.getByText(/acknowledged by/).first()).toBeVisible()
    await confirm(page, 'Take command', /^Take command/)
    await expect(page.locator('[data-role="commander"]')).toContainText('since')
    await confirm(page, 'Note', /^Add 1 note/, () =>
      dialog.getByRole('textbox', { name: 'Note' }).fill('the provider was called'),
    )
    await confirm(page, 'Mitigate', /^Mitigate 1/, () => dialog.getByLabel('Reason').fill(WHY))
    const timeline = page.getByRole('region', { name: 'Time line' })
    for (const text of ['Incident opened by hand', 'the provider was called', WHY])
      await expect(timeline).toContainText(text)
    await confirm(page, 'Close', /^Close 1/, async () => {
      await dialog.getByLabel('Reason').fill(CAUSE)
      await dialog.getByLabel(/^Follow-ups/).fill('require a key\nalert on keys that are missing')
    })
    const postmortem = page.getByRole('region', { name: 'Postmortem' })
    await expect(postmortem).toContainText(CAUSE)
    await expect(postmortem.getByRole('listitem')).toHaveCount(2)
    await expect(page.getByRole('button', { name: 'Reopen' })).toBeVisible()

    const download = page.waitForEvent('download')
    await postmortem.getByRole('button', { name: 'Markdown' }).click()
    const text = readFileSync(await (await download).path(), 'utf8')
    expect(text).toContain(`# Postmortem: ${title}`)
    expect(text).toContain(`> ${CAUSE}`)
    expect(text).toContain('- [ ] require a key')
  })

  test('the palette finds it by a word of its title', async ({ page }) => {
    const word = `word${Date.now()}`
    const id = await open(`Found by ${word}`)
    await gotoAlive(page, '/audit')
    await page.keyboard.press('ControlOrMeta+k')
    await page.getByRole('combobox').fill(word)
    await page.getByRole('option', { name: new RegExp(word) }).click()
    await expect(page).toHaveURL(new RegExp(`/incidents/${id}`))
  })

  test('no serious violation; usable at 390 × 844', async ({ page }) => {
    const id = await open('Looked at')
    for (const path of ['/incidents', `/incidents/${id}`]) {
      await page.setViewportSize({ width: 1440, height: 900 })
      await page.goto(path)
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
      await expectAccessible(page)
      await expectFitsPhone(page)
      await expectAccessible(page)
    }
  })
})

test.describe('as a viewer', () => {
  test.use(asViewer)

  test('sees all of it, and is told which role may act', async ({ page }) => {
    const id = await open('Seen by a viewer')
    await page.goto(`/incidents/${id}`)
    for (const name of ['Acknowledge', 'Take command', 'Mitigate', 'Note', 'Close'])
      await expect(page.getByRole('button', { name, exact: true })).toHaveAttribute('aria-disabled', 'true')
    await expect(page.getByText('Needs the operator role').first()).toBeAttached()
  })
})

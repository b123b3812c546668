import { randomUUID } from 'node:crypto'
import type { Page } from '@playwright/test'
import { apiAs } from './api-as'
import { asOperator, asViewer, expect, expectAccessible, gotoAlive, test } from './console-test'
import { stuckOf } from './lock-fixture'
import { isHeld, leaveStuckKeys } from './service-store'

const REASON = 'customers are charged twice since the deploy'

type Hold = { id: string; source: string; target: { kind: string; caller?: string; key?: string } }
const inForce = async (): Promise<Hold[]> => (await apiAs().get('holds?inForce=true')).items

const dialogOf = (page: Page) => page.getByRole('dialog')

test.describe('as an operator', () => {
  test.use(asOperator)

  test('a caller is held and lifted: in force in the service, and kept in the audit', async ({ page }) => {
    const caller = `holds-${randomUUID().slice(0, 8)}`
    const [key = ''] = await leaveStuckKeys(caller, 1)
    await page.goto('/holds')
    await page.getByRole('button', { name: 'Hold', exact: true }).click()
    const dialog = dialogOf(page)
    await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()
    await dialog.getByLabel('What').selectOption('A caller')
    await dialog.getByRole('combobox', { name: 'Caller', exact: true }).fill(`${caller}-misspelt`)
    await dialog.getByLabel('Reason').fill(REASON)
    const confirm = dialog.getByRole('button', { name: /^Hold new executions in/ })
    await confirm.click()
    await expect(dialog.getByRole('alert')).toContainText('never seen that caller')
    await dialog.getByRole('combobox', { name: 'Caller', exact: true }).fill(caller)
    await expectAccessible(page)
    await confirm.dblclick()

    const held = page
      .getByRole('region', { name: 'In force' })
      .locator('[data-hold]')
      .filter({ hasText: caller })
    await expect(held).toHaveCount(1)
    await expect(held).toContainText(REASON)
    expect((await inForce()).filter(({ target }) => target.caller === caller)).toHaveLength(1)
    await expect.poll(() => isHeld(`${caller}/POST /v1/payments`, key)).toBe(true)
    await expectAccessible(page)

    await held.getByRole('button', { name: 'Lift' }).click()
    await dialog.getByLabel('Reason').fill('the deploy was rolled back')
    await dialog.getByRole('button', { name: /^Lift 1 hold in/ }).click()
    await expect(held).toHaveCount(0)
    const ended = page
      .getByRole('region', { name: 'Ended' })
      .locator('[data-hold]')
      .filter({ hasText: caller })
    await expect(ended).toContainText('the deploy was rolled back')
    await expect.poll(() => isHeld(`${caller}/POST /v1/payments`, key)).toBe(false)
    await ended.getByRole('link', { name: 'audit' }).click()
    await expect(page.getByText('hold.place').first()).toBeVisible()
  })

  test('the first button of a lock and of its key holds the key', async ({ page }) => {
    test.setTimeout(120_000)
    const caller = `held-key-${randomUUID().slice(0, 8)}`
    await leaveStuckKeys(caller, 1)
    const [lock] = await stuckOf(caller, 1)
    if (lock === undefined) throw new Error('no stuck lock')
    await page.goto(`/locks?lock=${lock.id}`)
    await page
      .getByRole('complementary', { name: 'Lock' })
      .getByRole('link', { name: 'Hold this key' })
      .click()
    const dialog = dialogOf(page)
    await expect(dialog.getByLabel('Scope')).toHaveValue(`${caller}/POST /v1/payments`)
    await expect(dialog.getByLabel('Key', { exact: true })).toHaveValue(lock.key)
    await dialog.getByLabel('Reason').fill(REASON)
    await dialog.getByRole('button', { name: /^Hold new executions in/ }).click()
    await expect(page.locator('[data-hold]').filter({ hasText: lock.key })).toHaveCount(1)
    for (const { id, source, target } of await inForce())
      if (target.key === lock.key)
        await apiAs().post(`holds/${id}/lift`, { source, reason: 'after the test' })
    await page.goto(`/locks?lock=${lock.id}`)
    await page.getByRole('complementary', { name: 'Lock' }).getByRole('link', { name: lock.key }).click()
    await expect(page).toHaveURL(/\/keys\//)
    await expect(page.getByRole('link', { name: 'Hold this key' })).toBeVisible()
  })

  test('the palette leads to it, and a phone shows it', async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 844 })
    await page.goto('/holds')
    await expect(page.getByRole('heading', { name: 'Holds', level: 1 })).toBeVisible()
    await expect(page.getByRole('button', { name: 'Hold', exact: true })).toBeVisible()
    await page.setViewportSize({ width: 1440, height: 900 })
    await gotoAlive(page, '/now')
    await page.keyboard.press('g')
    await page.keyboard.press('h')
    await expect(page).toHaveURL(/\/holds/)
  })
})

test.describe('as a viewer', () => {
  test.use(asViewer)

  test('what is held can be read, and the button names the role that it takes', async ({ page }) => {
    await page.goto('/holds')
    const button = page.getByRole('button', { name: 'Hold', exact: true })
    await expect(button).toHaveAttribute('aria-disabled', 'true')
    await expect(button).toHaveAccessibleDescription(/operator role/)
  })
})

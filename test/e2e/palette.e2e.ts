import { apiAs } from './api-as'
import { asOperator, expect, expectAccessible, gotoAlive, test } from './console-test'

test.use(asOperator)

async function aKey(): Promise<{ id: string; key: string; providerRef: string | null }> {
  const api = apiAs()
  const { items } = await api.get('keys?state=completed&limit=200')
  // The oldest first: a charge is found by its reference once it has been read from the provider.
  for (const { id, key } of items.reverse()) {
    const detail = await api.get(`keys/${id}`)
    const charge = detail.providerObjects[0]
    if (charge !== undefined) return { id, key, providerRef: charge.id }
  }
  return { ...items[0], providerRef: null }
}

test('⌘K: a pasted key leads to its page', async ({ page }) => {
  const { id, key } = await aKey()
  await gotoAlive(page, '/now?tz=local')
  await expect(page.locator('[data-tile]').first()).toBeVisible()
  await page.keyboard.press('Control+k')
  const box = page.getByRole('combobox')
  await expect(box).toBeFocused()
  await box.fill(key)
  await expect(page.getByRole('option').first()).toContainText(key.slice(0, 10))
  await box.press('Enter')
  await expect(page).toHaveURL(new RegExp(`/keys/${id}`))
  await expect(page).toHaveURL(/tz=local/)
})

test('a reference of the provider leads to its key', async ({ page }) => {
  const { providerRef } = await aKey()
  test.skip(providerRef === null, 'no key with a charge yet')
  await gotoAlive(page, '/now')
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill(providerRef ?? '')
  await expect(page.getByRole('option').first()).toBeVisible()
  await page.getByRole('combobox').press('Enter')
  // One of its keys: a charge and its capture share it.
  await expect(page).toHaveURL(/\/keys\/key_/)
  await expect(page.getByText(providerRef ?? '').first()).toBeVisible()
})

test('what nobody knows is said', async ({ page }) => {
  await gotoAlive(page, '/now')
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('nothing-has-this-name')
  await expect(page.getByText('Nothing is known under this text.')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
})

test('? lists the shortcuts; none fires while one writes; g goes to a page; j moves among rows', async ({
  page,
}) => {
  await gotoAlive(page, '/keys')
  await expect(page.locator('tr[data-row]').first()).toBeVisible()
  await page.getByLabel('Key', { exact: true }).fill('')
  await page.getByLabel('Key', { exact: true }).press('?')
  await expect(page.getByRole('dialog')).toBeHidden()
  await page.getByLabel('Key', { exact: true }).blur()
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible()
  await expectAccessible(page)
  await page.keyboard.press('Escape')
  await page.keyboard.press('j')
  await expect(page.locator('[data-row-link]').first()).toBeFocused()
  await page.keyboard.press('j')
  await expect(page.locator('[data-row-link]').nth(1)).toBeFocused()
  await page.keyboard.press('g')
  await page.keyboard.press('l')
  await expect(page).toHaveURL(/\/locks/)
})

test('the palette has no serious violation', async ({ page }) => {
  await gotoAlive(page, '/now')
  await page.keyboard.press('Control+k')
  await expect(page.getByRole('combobox')).toBeVisible()
  await expectAccessible(page)
})

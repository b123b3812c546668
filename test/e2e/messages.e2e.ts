import type { Page } from '@playwright/test'
import { apiAs } from './api-as'
import { asOperator, asViewer, expect, expectAccessible, expectFitsPhone, test } from './console-test'

const LOOKED_THROUGH = 10

type Letter = { id: string; source: string; place: string; title: string }

/** A poison message of the demo that its consumers' records allow to be sent again. */
async function findRedrivable(): Promise<Letter> {
  const api = apiAs()
  let found: Letter | undefined
  await expect(async () => {
    const dead: Letter[] = await api.all('messages/dead?topic=orders')
    for (const letter of dead.slice(0, LOOKED_THROUGH)) {
      const { decision } = await api.get(`messages/${letter.source}/${letter.place}`)
      if (decision.kind === 'redrive') found = letter
    }
    expect(found).toBeDefined()
  }).toPass({ timeout: 150_000, intervals: [2_000] })
  if (found === undefined) throw new Error('no message is dead')
  return found
}

const rowOf = (page: Page, letter: Letter) => page.locator(`[data-row="${letter.id}"]`)

test.describe('as an operator', () => {
  test.use(asOperator)

  test('a dead message is found by its cause, its consumers are asked, and it is sent again once', async ({
    page,
  }) => {
    const letter = await findRedrivable()
    await page.goto('/messages')
    await expect(page.getByRole('region', { name: 'Topics', exact: true })).toContainText('orders')
    await page
      .getByRole('region', { name: 'What they died of', exact: true })
      .getByRole('link', { name: letter.title })
      .first()
      .click()
    await expect(page).toHaveURL(/cause=/)
    await rowOf(page, letter).getByRole('link').click()
    await expect(page.getByRole('heading', { name: letter.place })).toBeVisible()
    await expect(page.getByText('It may be sent again')).toBeVisible()
    await expect(page.getByRole('region', { name: 'Consumers' })).toContainText('inventory')
    await expectAccessible(page)

    await page.getByRole('button', { name: 'Send again', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()
    await dialog.getByLabel('Reason').fill('the article is in the catalogue now')
    await dialog.getByRole('button', { name: /^Send 1 message again in/ }).dblclick()
    await expect(dialog).toBeHidden()
    const happened = page.getByRole('region', { name: 'What happened' })
    await expect(happened.getByText('Redrive of a message: completed')).toHaveCount(1)
    await happened.getByRole('link', { name: 'audit' }).click()
    await expect(page.getByText('message.redrive').first()).toBeVisible()
  })

  test('several are looked at before anything is done; Cancel does nothing', async ({ page }) => {
    const letter = await findRedrivable()
    await page.goto('/messages')
    await rowOf(page, letter).getByRole('checkbox').check()
    const table = page.getByRole('region', { name: 'Dead messages', exact: true })
    await table.getByRole('button', { name: 'Discard…' }).click()
    const dialog = page.getByRole('dialog')
    await expect(dialog.getByText('Discard 1 message', { exact: true })).toBeVisible()
    await expect(dialog.getByRole('button', { name: /^Discard 1 message in/ })).toBeDisabled()
    await expectAccessible(page)
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    const { message } = await apiAs().get(`messages/${letter.source}/${letter.place}`)
    expect(message.state).not.toBe('discarded')
  })

  test('messages have no serious violation; usable at 390 × 844', async ({ page }) => {
    await findRedrivable()
    await page.goto('/messages')
    await expect(page.getByRole('region', { name: 'Dead messages', exact: true })).toBeVisible()
    await expectAccessible(page)
    await expectFitsPhone(page)
  })
})

test.describe('as a viewer', () => {
  test.use(asViewer)

  test('what a viewer may not do is visible and names the role', async ({ page }) => {
    const letter = await findRedrivable()
    await page.goto(`/messages/${letter.source}/${letter.place}`)
    const send = page.getByRole('button', { name: 'Send again', exact: true })
    await expect(send).toHaveAttribute('aria-disabled', 'true')
    await send.focus()
    await expect(page.getByText('Needs the operator role').first()).toBeVisible()
  })
})

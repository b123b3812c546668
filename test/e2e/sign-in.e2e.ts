import { asNobody, expect, expectAccessible, test } from './console-test'
import { person } from './people'

test.use(asNobody)

test('a wrong password is refused and says so; the right one leads to where one wanted to go', async ({
  page,
}) => {
  const operator = person('operator')
  await page.goto('/now?range=6h&tz=local')
  await expect(page).toHaveURL(/\/sign-in\?next=/)
  await page.getByLabel('Email').fill(operator.email)
  await page.getByLabel('Password').fill('not the password')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.locator('form [role=alert]')).toHaveText('Email or password is wrong.')
  await expect(page).toHaveURL(/\/sign-in/)

  await page.getByLabel('Password').fill(operator.password)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/now\?range=6h&tz=local$/)
  await expect(page.getByRole('heading', { name: 'Now', level: 1 })).toBeVisible()

  await page.getByRole('button', { name: /account and theme/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  // A refresh at that moment may lead there too, with the way back.
  await expect(page).toHaveURL(/\/sign-in(\?|$)/)
  await page.goto('/now')
  await expect(page).toHaveURL(/\/sign-in/)
})

test('signing in never leads to another site', async ({ page }) => {
  const operator = person('operator')
  await page.goto('/sign-in?next=//example.com/now')
  await page.getByLabel('Email').fill(operator.email)
  await page.getByLabel('Password').fill(operator.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page).toHaveURL(`${process.env.BASE_URL}/now`)
})

test('the sign-in page is accessible', async ({ page }) => {
  await page.goto('/sign-in')
  await expectAccessible(page)
})

test('an unknown address says so and leads back', async ({ page }) => {
  const answer = await page.goto('/no-such-page')
  expect(answer?.status()).toBe(404)
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible()
  await page.getByRole('link', { name: 'Back to Now' }).click()
  await expect(page).toHaveURL(/\/sign-in|\/now/)
})

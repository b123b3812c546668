import AxeBuilder from '@axe-core/playwright'
import { test as base, expect, type Page } from '@playwright/test'
import { inTurn } from './demo-fixture'
import { stateFile } from './people'

/** For a test that changes what all others count on, or measures what they would slow down: none runs beside it. */
export const alone = { tag: '@alone' }
/** Longer than any test that another one can wait for. */
const TURN_WITHIN_MS = 600_000

/** Every test starts on the console of the set-up. A fault in the browser's log fails the test. */
export const test = base.extend<{ turn: undefined; quiet: undefined }>({
  turn: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture's dependencies from the pattern
    ({}, use, { tags }) => inTurn(tags.includes(alone.tag), () => use(undefined)),
    { auto: true, timeout: TURN_WITHIN_MS },
  ],
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture's dependencies from the pattern
  baseURL: async ({}, use) => use(process.env.BASE_URL),
  quiet: [
    async ({ page }, use) => {
      const faults: string[] = []
      page.on('pageerror', (error) => faults.push(error.message))
      await use(undefined)
      expect(faults).toEqual([])
    },
    { auto: true },
  ],
})

export { expect }

export const asOperator = { storageState: stateFile('operator') }
export const asApprover = { storageState: stateFile('approver') }
export const asViewer = { storageState: stateFile('viewer') }
export const asAdmin = { storageState: stateFile('admin') }
export const asNobody = { storageState: { cookies: [], origins: [] } }

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const RULES_OF_COLOUR = ['color-contrast', 'link-in-text-block']

/** No serious or critical violation of WCAG 2.2 A and AA, in either theme. What is no colour is alike in both. */
export async function expectAccessible(page: Page): Promise<void> {
  // Between two pages, and while one is read again, there is none for a moment: it is waited for, and not looked at.
  await expect(page).toHaveTitle(/./)
  const axe = () =>
    new AxeBuilder({ page })
      // In the page itself: a second page that gathers what frames say costs as much again, and the console has none.
      .setLegacyMode(true)
      // Nobody reads the elements of a rule that holds; to describe them takes a while.
      .options({ resultTypes: ['violations'] })
      .disableRules('document-title')
  const look = async (colorScheme: 'light' | 'dark', at: AxeBuilder) => {
    await page.emulateMedia({ colorScheme })
    await expect(page.locator('html')).toHaveClass(new RegExp(colorScheme))
    const { violations } = await at.analyze()
    const bad = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 200)) }))
    expect(bad, colorScheme).toEqual([])
  }
  await look('dark', axe().withRules(RULES_OF_COLOUR))
  await look('light', axe().withTags(TAGS))
}

/** A phone's screen, on which the page does not scroll sideways. It stays one. */
export async function expectFitsPhone(page: Page): Promise<void> {
  await page.setViewportSize({ width: 390, height: 844 })
  // Charts take the new width once they are told of it.
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  await expect.poll(overflow).toBeLessThanOrEqual(0)
}

/** Goes there, and waits until the page hears keys: what is pressed before React has taken it over is lost. */
export async function gotoAlive(page: Page, path: string): Promise<void> {
  await page.goto(path)
  await page.waitForFunction(() =>
    Object.keys(document.querySelector('button') ?? {}).some((name) => name.startsWith('__react')),
  )
}

/** Now on a range that traffic no longer moves: whole minutes that ended a while ago. */
export function fixedRange(): { from: string; to: string; query: string } {
  const minute = 60_000
  const to = new Date(Math.floor(Date.now() / minute) * minute)
  const from = new Date(to.getTime() - 30 * minute)
  const range = { from: from.toISOString(), to: to.toISOString() }
  return { ...range, query: new URLSearchParams(range).toString() }
}

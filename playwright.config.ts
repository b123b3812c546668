import { defineConfig } from '@playwright/test'
import { chromiumPath } from './test/support/chromium'

// Against the demo that test/e2e/global-setup.ts starts, or against BASE_URL. Two tests at a time
// share it, one of each file; those tagged `alone` have it for themselves (test/e2e/console-test.ts).

const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export default defineConfig({
  testDir: 'test/e2e',
  testMatch: '**/*.e2e.ts',
  outputDir: '.test/e2e',
  globalSetup: './test/e2e/global-setup.ts',
  workers: 2,
  fullyParallel: false,
  forbidOnly: process.env.CI !== undefined,
  // On a machine that others share, a slow moment is no fault; the report says which test needed its second try.
  retries: 1,
  // Longer than any load: a test waits for what happens.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: [['list'], ['json', { outputFile: '.test/playwright.json' }]],
  use: {
    launchOptions: { executablePath: chromiumPath(), args: CHROMIUM_ARGS },
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    // Not UTC, so that local time is another one.
    timezoneId: 'Asia/Kolkata',
    screenshot: 'only-on-failure',
  },
})

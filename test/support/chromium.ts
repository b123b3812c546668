import { existsSync } from 'node:fs'

/** Without windows of its own a page costs half the processor time. */
const HEADLESS_SHELL = '/usr/bin/chromium-headless-shell'

export const hasHeadlessShell = (): boolean => existsSync(HEADLESS_SHELL)

/** The browser of all tests: CHROMIUM, or the system's. */
export const chromiumPath = (): string =>
  process.env.CHROMIUM ?? (hasHeadlessShell() ? HEADLESS_SHELL : '/usr/bin/chromium')

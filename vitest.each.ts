import type { ViteUserConfig } from 'vitest/config'

/** What holds for every unit and integration test, `*.deep.test.ts` among them. */
export const each = {
  resolve: { alias: { '@/': new URL('./', import.meta.url).pathname } },
  test: {
    pool: 'forks',
    setupFiles: ['test/each-file.ts'],
    // How long something takes says nothing on a machine that others share; a test that hangs is ended all the same.
    testTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    hookTimeout: 240_000,
  },
} satisfies ViteUserConfig

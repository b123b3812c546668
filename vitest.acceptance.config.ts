import { defineConfig } from 'vitest/config'

/** The demo as a whole, as a newcomer starts it: minutes, one after the other. */
export default defineConfig({
  resolve: { alias: { '@/': new URL('./', import.meta.url).pathname } },
  test: {
    include: ['test/acceptance/**/*.acceptance.ts'],
    setupFiles: ['test/end-with-runner.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 900_000,
    // More than a demo is waited for, so that the wait can say what it printed.
    hookTimeout: 360_000,
  },
})

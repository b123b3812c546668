import { defineConfig } from 'vitest/config'

/** The demo as a whole, as a newcomer starts it: minutes. */
export default defineConfig({
  resolve: { alias: { '@/': new URL('./', import.meta.url).pathname } },
  test: {
    include: ['test/acceptance/**/*.acceptance.ts'],
    setupFiles: ['test/end-with-runner.ts'],
    pool: 'forks',
    // Two demos, each mostly waiting for its own clients.
    maxWorkers: 2,
    testTimeout: 900_000,
    hookTimeout: 300_000,
  },
})

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
    hookTimeout: 300_000,
  },
})

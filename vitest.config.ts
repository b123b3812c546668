import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { alias: { '@/': new URL('./', import.meta.url).pathname } },
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    pool: 'forks',
    maxWorkers: 3,
    globalSetup: ['test/global-postgres.ts'],
    setupFiles: ['test/end-with-runner.ts'],
    // How long something takes says nothing on a machine that others share; a test that hangs is ended all the same.
    testTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    hookTimeout: 240_000,
  },
})

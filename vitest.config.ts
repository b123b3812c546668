import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { alias: { '@/': new URL('./', import.meta.url).pathname } },
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    pool: 'forks',
    maxWorkers: 3,
    globalSetup: ['test/global-postgres.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})

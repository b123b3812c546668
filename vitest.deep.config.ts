import { defineConfig } from 'vitest/config'
import { each } from './vitest.each'

/** The tests of which `npm test` runs a sample, whole: a part of `npm run test:deep`. */
export default defineConfig({
  ...each,
  test: {
    ...each.test,
    globalSetup: ['test/global-postgres.ts'],
    maxWorkers: 3,
    include: ['test/**/*.deep.test.ts'],
    env: { DEEP: '1' },
  },
})

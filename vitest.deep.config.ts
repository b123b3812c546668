import { defineConfig } from 'vitest/config'
import acceptance from './vitest.acceptance.config'
import { each } from './vitest.each'

const env = { DEEP: '1' }

/** The tests of which `npm test` runs a sample, whole: a part of `npm run test:deep`. */
export default defineConfig({
  resolve: each.resolve,
  test: {
    globalSetup: ['test/global-postgres.ts'],
    maxWorkers: 3,
    projects: [
      { ...each, test: { ...each.test, name: 'matrices', include: ['test/**/*.deep.test.ts'], env } },
      {
        ...acceptance,
        test: {
          ...acceptance.test,
          name: 'acceptance',
          include: ['test/acceptance/**/*.deep.acceptance.ts'],
          env,
          // After the others: it waits for whole systems.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})

import { defineConfig } from 'vitest/config'
import { each } from './vitest.each'

/** They put something else in the place of real modules, or of what these do. */
const INTERPOSING = [
  'test/api/every-page-action.test.ts',
  'test/console/hidden-text.test.tsx',
  'test/simulation/**/*.test.ts',
]

/** Unit and integration tests. Importing what they test takes as long as many of them: files share it, one after the other. */
export default defineConfig({
  resolve: each.resolve,
  test: {
    globalSetup: ['test/global-postgres.ts'],
    maxWorkers: 3,
    projects: [
      {
        ...each,
        test: {
          ...each.test,
          name: 'shared process',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: INTERPOSING,
          isolate: false,
        },
      },
      { ...each, test: { ...each.test, name: 'own process', include: INTERPOSING } },
    ],
  },
})

import { defineConfig } from 'vitest/config'
import unit from './vitest.config'

/** The tests of which `npm test` runs a sample, whole: a part of `npm run test:deep`. */
export default defineConfig({
  ...unit,
  test: { ...unit.test, include: ['test/**/*.deep.test.ts'], env: { DEEP: '1' } },
})

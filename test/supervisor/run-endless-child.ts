import { startVitest } from 'vitest/node'

/** `vitest run` as it is, on one test that does not end. */
await startVitest('test', [], {
  run: true,
  config: 'vitest.deep.config.ts',
  include: ['test/supervisor/endless-child.ts'],
  testTimeout: 600_000,
})

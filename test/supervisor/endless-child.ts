import { test } from 'vitest'

test('goes on until its run is ended', async () => {
  await new Promise((done) => setTimeout(done, 600_000))
})

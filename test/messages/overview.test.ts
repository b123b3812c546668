import { expect, test } from 'vitest'
import { readBacklog } from '@/lib/messages/read/overview'
import { createTestDatabase } from '../support/database'

test('the backlog of a range is the most of all sources in each of its steps', async () => {
  const console = await createTestDatabase()
  const at = (m: number) => new Date(Date.UTC(2026, 0, 1, 0, m))
  for (const [m, n] of [
    [0, 5],
    [1, 9],
    [700, 3],
  ] as const)
    await console.db.pool.query(
      `INSERT INTO messages.topic_minute (source_id, minute, topic, unsent) VALUES ('s', $1, 'a', $2), ('s', $1, 'b', 1)`,
      [at(m), n],
    )
  expect(await readBacklog({ db: console.db }, { from: at(0), to: at(60) })).toEqual([6, 10])
  expect(await readBacklog({ db: console.db }, { from: at(0), to: at(900) })).toEqual([10, 4])
  await console.close()
})

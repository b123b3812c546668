import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitForDatabase } from '@/jobs/wait-for-database'
import { createTestDatabase, type TestDatabase } from '../support/database'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const at = (change: (url: URL) => void): string => {
  const url = new URL(database.url)
  change(url)
  return url.href
}
const silent = () => undefined

test('a database that answers is not waited for', async () => {
  await waitForDatabase(database.url, silent)
})

test.each([
  [
    'a wrong password',
    (url: URL) => (url.password = 'wrong'),
    /password authentication failed.*password in DATABASE_URL/,
  ],
  [
    'a database that is not there',
    (url: URL) => (url.pathname = '/nowhere'),
    /"nowhere" does not exist.*Create the database/,
  ],
])('%s is said at once, with where and what to check', async (_what, change, expected) => {
  const url = at(change)
  const error = await waitForDatabase(url, silent).catch((failure: Error) => failure)
  expect(error).toMatchObject({ message: expect.stringMatching(expected) })
  expect(String(error)).toMatch(/PostgreSQL at 127\.0\.0\.1:\d+, database \w+, user \w+ cannot be used/)
  expect(String(error)).not.toContain(new URL(url).password)
})

test('one that does not answer is waited for, then given up with the reason', async () => {
  const said: string[] = []
  const url = at((each) => {
    each.port = '1'
  })
  const error = await waitForDatabase(url, (line) => said.push(line), 0).catch((failure: Error) => failure)
  expect(String(error)).toMatch(/127\.0\.0\.1:1,.*ECONNREFUSED.*Check that it runs there/)
  const waiting = waitForDatabase(url, (line) => said.push(line), 100).catch(() => undefined)
  await waiting
  expect(said).toEqual([expect.stringMatching(/^Waiting for PostgreSQL at 127\.0\.0\.1:1/)])
})

import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest'
import { chooseFurtherStores } from '@/jobs/supervisor/demo/further-stores'
import { parseOptions } from '@/jobs/supervisor/options'

const passwords = { servicePassword: 'aa', sourcePassword: 'bb' }
let said: MockInstance<typeof console.log>
beforeEach(() => {
  said = vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => said.mockRestore())

test('each store has an address, and each user of Redis a password of its own', async () => {
  const { dynamodb, redis } = await chooseFurtherStores(parseOptions([]), passwords, process.env.PATH ?? '')
  expect(dynamodb?.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect(redis?.serviceUrl).toMatch(/^redis:\/\/tickets:aa@127\.0\.0\.1:\d+$/)
  expect(redis?.consoleUrl).toMatch(/^redis:\/\/idemscope_source:bb@127\.0\.0\.1:\d+$/)
  expect(said).not.toHaveBeenCalled()
})

test('without redis-server on the PATH, one line says that its store is left out, and how to get it', async () => {
  const { dynamodb, redis } = await chooseFurtherStores(parseOptions([]), passwords, '')
  expect(dynamodb).not.toBeNull()
  expect(redis).toBeNull()
  expect(said.mock.calls).toEqual([
    [expect.stringMatching(/^The demo’s store on Redis is left out: .*apt install redis-server/)],
  ])
})

test('what is not asked for is not started and not missed', async () => {
  const options = parseOptions(['--demo', '--stores', 'postgresql'])
  expect(await chooseFurtherStores(options, passwords, '')).toEqual({ dynamodb: null, redis: null })
  expect(said).not.toHaveBeenCalled()
})

test('an engine that there is not, and a demo without PostgreSQL, are refused', () => {
  expect(() => parseOptions(['--stores', 'postgresql,mysql'])).toThrow(/--stores/)
  expect(() => parseOptions(['--stores', 'redis'])).toThrow(/needs postgresql/)
})

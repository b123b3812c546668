import type { PoolClient } from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { conditional, formatEtag, PreconditionFailedError } from '@/sdk/conditional/conditional'
import type { IdempotencyContext } from '@/sdk/run/context'
import { createStoreFixture, idempotentOn, type StoreFixture } from '../support'

let fixture: StoreFixture
const wrap = idempotentOn(() => fixture)

beforeAll(async () => {
  fixture = await createStoreFixture(30)
  await fixture.query('CREATE TABLE account (id int PRIMARY KEY, version int NOT NULL, balance int NOT NULL)')
})
beforeEach(async () => {
  await fixture.query('DELETE FROM account')
  await fixture.query('INSERT INTO account VALUES (1, 1, 100)')
})
afterAll(() => fixture.close())

type Row = { version: number; balance: number }
const read = async (): Promise<Row | null> =>
  (await fixture.query<Row>('SELECT version, balance FROM account WHERE id = 1'))[0] ?? null
const version = async () => (await read())?.version ?? null

/** Writes what the version that was compared allows, as the documentation says. */
const account = conditional<IdempotencyContext<PoolClient>, number | null>(
  async (request, ctx, seen) => {
    if (request.method === 'GET') {
      const row = await read()
      if (row === null) return new Response(null, { status: 404 })
      return Response.json(row, { headers: { 'cache-control': 'private', vary: 'accept', 'x-other': '1' } })
    }
    const { balance } = request.method === 'DELETE' ? { balance: 0 } : await request.json()
    return ctx.transaction(async (tx) => {
      const sql =
        request.method === 'DELETE'
          ? 'DELETE FROM account WHERE id = 1 AND version = $1'
          : seen === null
            ? 'INSERT INTO account SELECT 1, 1, $2 WHERE $1::int IS NULL ON CONFLICT DO NOTHING'
            : request.method === 'PATCH'
              ? 'UPDATE account SET version = version + 1, balance = balance + $2 WHERE id = 1 AND version = $1'
              : 'UPDATE account SET version = version + 1, balance = $2 WHERE id = 1 AND version = $1'
      const { rowCount } = await tx.query(sql, request.method === 'DELETE' ? [seen] : [seen, balance])
      if (rowCount === 0) throw new PreconditionFailedError()
      return new Response(null, { status: 204, headers: { etag: formatEtag((seen ?? 0) + 1) } })
    })
  },
  { version, required: ['DELETE'] },
)
const serve = () => wrap(account, { required: false })

let serial = 0
const newKey = () => `key-${++serial}`
const ask = (method: string, headers: Record<string, string> = {}, balance = 10) =>
  serve()(
    new Request('http://service.test/v1/accounts/1', {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: method === 'GET' || method === 'DELETE' ? null : JSON.stringify({ balance }),
    }),
  )

test('a read has its ETag, and is 304 with what caches need', async () => {
  const first = await ask('GET')
  expect([first.status, first.headers.get('etag')]).toEqual([200, '"1"'])
  const second = await ask('GET', { 'if-none-match': '"0", W/"1"' })
  expect([second.status, await second.text()]).toEqual([304, ''])
  expect(Object.fromEntries(second.headers)).toEqual({
    etag: '"1"',
    'cache-control': 'private',
    vary: 'accept',
  })
  expect((await ask('GET', { 'if-none-match': '"0"' })).status).toBe(200)
  expect((await ask('GET', { 'if-match': '"0"' })).status).toBe(412)
})

test('preconditions are no matter of what is not there', async () => {
  await fixture.query('DELETE FROM account')
  expect((await ask('GET', { 'if-match': '*', 'if-none-match': '"1"' })).status).toBe(404)
})

test('a write of another version than the present is 412, and says which there is', async () => {
  const failed = await ask('PUT', { 'if-match': '"0"' })
  expect([failed.status, failed.headers.get('etag'), failed.headers.get('content-type')]).toEqual([
    412,
    '"1"',
    'application/problem+json',
  ])
  expect(await failed.json()).toMatchObject({ type: 'urn:idemscope:problem:precondition-failed' })
  expect(await read()).toEqual({ version: 1, balance: 100 })
  const written = await ask('PUT', { 'if-match': '"1"' })
  expect([written.status, written.headers.get('etag')]).toEqual([204, '"2"'])
  expect(await read()).toEqual({ version: 2, balance: 10 })
})

test('If-None-Match: * creates once', async () => {
  expect((await ask('PUT', { 'if-none-match': '*' })).status).toBe(412)
  await fixture.query('DELETE FROM account')
  expect((await ask('PUT', { 'if-none-match': '*' })).status).toBe(204)
  expect((await ask('PUT', { 'if-none-match': '*' })).status).toBe(412)
})

test('428 where a precondition is required, and for a PATCH that has neither it nor a key', async () => {
  expect((await ask('DELETE')).status).toBe(428)
  expect((await ask('DELETE', { 'idempotency-key': newKey() })).status).toBe(428)
  expect((await ask('DELETE', { 'if-match': '"1"' })).status).toBe(204)
  const patch = await fixture.query('INSERT INTO account VALUES (1, 1, 100)').then(() => ask('PATCH'))
  expect([patch.status, (await patch.json()).detail]).toEqual([
    428,
    expect.stringContaining('Idempotency-Key'),
  ])
  expect((await ask('PATCH', { 'if-match': '"1"' })).status).toBe(204)
  expect((await ask('PATCH', { 'idempotency-key': newKey() })).status).toBe(204)
  expect((await read())?.balance).toBe(120)
})

test.each([{ 'if-match': '*' }, { 'if-none-match': '"0"' }, { 'if-none-match': 'W/"0"', 'if-match': '*' }])(
  'a PATCH whose precondition would hold the second time too needs a key: %o',
  async (precondition: Record<string, string>) => {
    const [first, again] = [await ask('PATCH', precondition), await ask('PATCH', precondition)]
    expect([first.status, again.status]).toEqual([428, 428])
    expect((await read())?.balance).toBe(100)
    expect((await ask('PATCH', { ...precondition, 'idempotency-key': newKey() })).status).toBe(204)
    expect((await ask('PUT', { 'if-match': '*' })).status).toBe(204)
  },
)

test('a date is told only once nothing can be written within its second any more', async () => {
  const writtenMs = Date.UTC(2026, 10, 30, 12, 0, 0, 200)
  let nowMs = writtenMs + 100
  const dated = conditional(() => new Response('x'), {
    version: () => ({ tag: 'v1', modifiedAt: new Date(writtenMs) }),
    dateNowMs: () => nowMs,
  })
  const lastModified = async () =>
    (await dated(new Request('http://service.test/'), undefined)).headers.get('last-modified')
  expect(await lastModified()).toBeNull()
  nowMs = writtenMs + 5_000
  expect(await lastModified()).toBe('Mon, 30 Nov 2026 12:00:00 GMT')
})

test('a tag that cannot be read is 400 for a write', async () => {
  const refused = await ask('PUT', { 'if-match': '1' })
  expect([refused.status, (await refused.json()).detail]).toEqual([400, expect.stringContaining('If-Match')])
})

test('with a key, a retry of what succeeded is replayed instead of 412', async () => {
  const headers = { 'if-match': '"1"', 'idempotency-key': newKey() }
  expect((await ask('PATCH', headers)).status).toBe(204)
  const retried = await ask('PATCH', headers)
  expect([retried.status, retried.headers.get('etag'), retried.headers.get('idempotent-replayed')]).toEqual([
    204,
    '"2"',
    'true',
  ])
  expect((await read())?.balance).toBe(110)
  // Without one it cannot be told from another's.
  expect((await ask('PATCH', { 'if-match': '"1"' })).status).toBe(412)
})

test('a 412 is not kept: the same key goes on with the version that there is', async () => {
  const key = newKey()
  expect((await ask('PATCH', { 'if-match': '"0"', 'idempotency-key': key })).status).toBe(412)
  expect((await ask('PATCH', { 'if-match': '"1"', 'idempotency-key': key })).status).toBe(204)
})

test('of many writers who saw one version, one writes', async () => {
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, at) =>
      ask('PATCH', { 'if-match': '"1"', ...(at % 2 === 0 ? { 'idempotency-key': newKey() } : {}) }, 1),
    ),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array(11).fill(412)])
  expect(await read()).toEqual({ version: 2, balance: 101 })
})

test('without idempotent around it', async () => {
  const put = conditional(
    async (_request, _context: undefined, seen) => {
      if (seen === 'lost') throw new PreconditionFailedError()
      throw new Error('the handler’s own')
    },
    { version: (request) => request.headers.get('x-version') ?? 'v1' },
  )
  const request = (version: string) =>
    new Request('http://service.test/', { method: 'PUT', headers: { 'x-version': version } })
  expect((await put(request('lost'), undefined)).status).toBe(412)
  await expect(put(request('v1'), undefined)).rejects.toThrow('the handler’s own')
})

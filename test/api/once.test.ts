import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bearer, type Console, createConsole, get, post, session } from './console-fixture'

/** The console's own mutations, protected by its own SDK. */

let console: Console
let operator: Record<string, string>
beforeAll(async () => {
  console = await createConsole()
  operator = bearer(console.tokens.operator)
})
afterAll(() => console.close())

const PATH = 'reconciliation/runs'
const BODY = { dryRun: true }
const fresh = () => `"${randomUUID()}"`
const runs = () => console.db.prisma.run.count()

test.each([' ', '""', '"unclosed', '"a" "b"', `"${'x'.repeat(256)}"`, '"é"'])(
  'the key %j is refused',
  async (key) => {
    const before = await runs()
    expect(await post(PATH, BODY, operator, key)).toMatchObject({
      status: 400,
      body: { code: 'idempotency_key_missing' },
    })
    expect(await runs()).toBe(before)
  },
)

test('the same key again is the same answer, and one run; quoted or bare', async () => {
  const before = await runs()
  const key = randomUUID()
  const first = await post(PATH, BODY, operator, `"${key}"`)
  const second = await post(PATH, BODY, operator, key)
  expect(first.status).toBe(202)
  expect(first.headers.get('idempotent-replayed')).toBeNull()
  expect(second).toMatchObject({ status: 202, body: first.body })
  expect(second.headers.get('idempotent-replayed')).toBe('true')
  expect(await runs()).toBe(before + 1)
})

test('eight clicks at once are one run', async () => {
  const key = fresh()
  const before = await runs()
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(PATH, BODY, operator, key)))
  for (const { status } of answers) expect([202, 409]).toContain(status)
  expect(new Set(answers.filter(({ status }) => status === 202).map(({ body }) => body.id)).size).toBe(1)
  expect(await runs()).toBe(before + 1)
})

test('the same key with another body is 422, and executes nothing', async () => {
  const key = fresh()
  await post(PATH, BODY, operator, key)
  const before = await runs()
  const answer = await post(PATH, { dryRun: false }, operator, key)
  expect(answer.status).toBe(422)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'))
  expect(await runs()).toBe(before)
})

test('a key is one principal’s and one route’s', async () => {
  const key = fresh()
  const mine = await post(PATH, BODY, operator, key)
  const theirs = await post(PATH, BODY, session(console.cookies.approver), key)
  expect([mine.status, theirs.status]).toEqual([202, 202])
  expect(theirs.body.id).not.toBe(mine.body.id)
  expect((await post('retention/runs', BODY, operator, key)).status).toBe(202)
})

test('a refusal is not kept: once mended, the same key is used again', async () => {
  const id = 'run_later'
  const key = fresh()
  expect((await post(`runs/${id}/cancel`, {}, operator, key)).status).toBe(404)
  await console.db.prisma.run.create({
    data: { id, kind: 'staging', requestedBy: 'test', createdAt: new Date() },
  })
  expect(await post(`runs/${id}/cancel`, {}, operator, key)).toMatchObject({
    status: 200,
    body: { id, state: 'cancelled' },
  })
})

test('a role that was taken away is not replayed past', async () => {
  const key = fresh()
  const admin = session(console.cookies.admin)
  expect((await post(PATH, BODY, admin, key)).status).toBe(202)
  await console.db.prisma.user.updateMany({ where: { email: 'admin@example.com' }, data: { role: 'viewer' } })
  try {
    expect((await post(PATH, BODY, admin, key)).status).toBe(403)
  } finally {
    await console.db.prisma.user.updateMany({
      where: { email: 'admin@example.com' },
      data: { role: 'admin' },
    })
  }
})

test('a mutation is in the audit with the request that it came in', async () => {
  const { body, headers } = await post(PATH, BODY, operator)
  const audit = await get(`audit?subject=${body.id}`, operator)
  expect(audit.body.items).toMatchObject([
    { verb: 'run.start', via: expect.stringMatching(/^token:/), requestId: headers.get('x-request-id') },
  ])
})

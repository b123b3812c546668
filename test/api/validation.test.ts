import { afterAll, beforeAll, expect, test } from 'vitest'
import { DELETE } from '@/app/api/v1/[...path]/route'
import { bearer, type Console, createConsole, get, ORIGIN, post } from './console-fixture'

let console: Console
let operator: Record<string, string>
beforeAll(async () => {
  console = await createConsole()
  operator = bearer(console.tokens.operator)
})
afterAll(() => console.close())

test.each([
  ['runs?limit=0', 'limit'],
  ['runs?limit=201', 'limit'],
  ['runs?limit=many', 'limit'],
  ['runs?kind=nothing', 'reconciliation'],
  ['runs?cursor=none', 'cursor'],
  ['runs?nonsense=1', 'this takes'],
  ['locks?verdict=maybe', 'investigate'],
  ['locks?stuckOnly=1', 'true or false'],
  ['effects', 'duplicate or orphan'],
  ['effects?kind=other', 'duplicate or orphan'],
  ['measures?from=yesterday', '2026-'],
  ['measures?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'before to'],
  ['measures?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z', 'days'],
  ['series/rates?measure=M9', 'M5'],
  ['reconciliation/cases?class=oops', 'duplicate_same_key'],
  ['sources?limit=1', 'no parameters'],
  ['keys?state=gone', 'lease_expired'],
])('GET %s says what is wrong and what would be right', async (path, hint) => {
  const answer = await get(path, operator)
  expect(answer.status).toBe(400)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.body).toMatchObject({
    code: 'invalid',
    status: 400,
    requestId: answer.headers.get('x-request-id'),
  })
  expect(answer.body.detail).toContain(hint)
})

test('a filter takes one value or several', async () => {
  for (const kind of ['staging', 'staging,sealing', 'staging&kind=sealing']) {
    expect((await get(`runs?kind=${kind}`, operator)).status, kind).toBe(200)
  }
})

const REASON = 'ten characters or more'
test.each([
  ['locks/release', {}, 'Name the locks'],
  ['locks/release', [], 'Name the locks'],
  ['locks/release', { reason: REASON }, 'Name the locks'],
  ['locks/release', { filter: {}, dryRun: true }, 'empty'],
  ['locks/release', { filter: { stuckOnly: true } }, 'dryRun'],
  ['locks/release', { filter: { stuckOnly: true }, dryRun: false }, 'dryRun'],
  ['locks/release', { ids: [], seen: {}, reason: REASON }, 'at least one'],
  ['locks/release', { ids: ['lock_a'], seen: { lock_a: '1' }, reason: 'short' }, '10 characters'],
  ['locks/release', { ids: ['lock_a'], seen: {}, reason: REASON }, 'lock_a'],
  ['locks/complete', { ids: ['key_a'], seen: {}, reason: REASON }, 'ids.0'],
  ['locks/fail', { snapshotId: 'snap_a' }, 'reason'],
  ['reconciliation/runs', { from: '2026-01-01T00:00:00Z' }, 'together'],
  ['reconciliation/runs', { sources: ['src_none'] }, 'src_none'],
  ['reconciliation/runs', { nonsense: true }, 'nonsense'],
  ['reconciliation/cases/case_none/proposals', { kind: 'refund', reason: 'short' }, '10 characters'],
  ['reconciliation/cases/case_none/proposals', { kind: 'steal', reason: REASON }, 'refund'],
  ['retention/runs', { source: 'payments' }, 'src_'],
])('POST %s %j is refused', async (path, body, hint) => {
  const answer = await post(path, body, operator)
  expect(answer.status).toBe(400)
  expect(answer.body.detail).toContain(hint)
})

test('a body that is no JSON, or too large, is refused', async () => {
  expect(await post('reconciliation/runs', '{"dryRun":', operator)).toMatchObject({
    status: 400,
    body: { detail: expect.stringContaining('not JSON') },
  })
  const large = { dryRun: true, note: 'x'.repeat(300_000) }
  expect((await post('reconciliation/runs', large, operator)).status).toBe(413)
})

test.each([
  'runs/run_none',
  'actions/act_none',
  'reconciliation/cases/case_none',
  'keys/key_none',
  'keys/nonsense',
])('GET %s is 404', async (path) => {
  expect(await get(path, operator)).toMatchObject({ status: 404, body: { code: 'not_found' } })
})

test('what is not there, and methods that are not taken, say so', async () => {
  expect(await get('nothing/here', operator)).toMatchObject({ status: 404, body: { code: 'not_found' } })
  const request = new Request(`${ORIGIN}/api/v1/runs`, { method: 'DELETE', headers: operator })
  const response = await DELETE(request, { params: Promise.resolve({ path: ['runs'] }) })
  expect(response.status).toBe(405)
  expect(response.headers.get('allow')).toBe('GET')
  expect(await response.json()).toMatchObject({
    status: 405,
    requestId: response.headers.get('x-request-id'),
  })
})

test('an unexpected error says nothing of its inside', async () => {
  const { pool } = console.db
  const query = pool.query
  pool.query = (() => Promise.reject(new Error('password=hunter2'))) as unknown as typeof query
  try {
    const answer = await get('audit/verify', operator)
    expect(answer.status).toBe(500)
    expect(JSON.stringify(answer.body)).not.toContain('hunter2')
    expect(answer.body).toMatchObject({ code: 'internal', requestId: expect.stringMatching(/^req_/) })
  } finally {
    pool.query = query
  }
})

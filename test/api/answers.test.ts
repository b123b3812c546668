import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROUTES } from '@/app/_server/api/table'
import { bearer, type Console, createConsole, get, post } from './console-fixture'

/** Answers with something in them, held against the schemas of the document. */

let console: Console
let operator: Record<string, string>
let runId: string
beforeAll(async () => {
  console = await createConsole()
  operator = bearer(console.tokens.operator)
  runId = (await post('reconciliation/runs', { dryRun: true }, operator)).body.id
  await fill()
})
afterAll(() => console.close())

const AT = new Date('2026-11-22T02:00:00.123Z')

async function fill(): Promise<void> {
  const { prisma } = console.db
  const key = { scope: 'web/POST /v1/payments', key: 'k1' }
  await prisma.action.create({
    data: {
      ...key,
      id: 'act_1',
      kind: 'refund',
      state: 'proposed',
      reason: 'charged twice',
      amountMinor: 9_007_199_254_740_993n,
      currency: 'USD',
      createdAt: AT,
    },
  })
  await prisma.reconciliationCase.create({
    data: {
      ...key,
      id: 'case_1',
      breakId: 'b1',
      system: 'payments',
      operationId: 1n,
      aspect: 'uniqueness',
      objectId: 'ch_2',
      class: 'duplicate_same_key',
      severity: 'P1',
      outcome: 'break',
      lifecycle: 'new',
      effectIds: ['ch_1', 'ch_2'],
      reference: 'order-1',
      amountMinor: 12_500n,
      currency: 'KWD',
      evidence: { duplicate: 'ch_2' },
      evidenceHash: 'h',
      firstSeen: AT,
      lastSeen: AT,
    },
  })
}

const schemaOf = (path: string) => {
  const route = ROUTES.find((each) => each.method === 'GET' && each.path === path)
  if (route?.responses[200] === undefined) throw new Error(`no GET ${path}`)
  return route.responses[200].schema
}

test.each([
  ['runs', () => 'runs'],
  ['runs/{id}', () => `runs/${runId}`],
  ['actions', () => 'actions'],
  ['actions/{id}', () => 'actions/act_1'],
  ['reconciliation/cases', () => 'reconciliation/cases'],
  ['reconciliation/cases/{id}', () => 'reconciliation/cases/case_1'],
  ['audit', () => 'audit'],
  ['effects', () => 'effects?kind=duplicate'],
])('GET %s', async (path, actual) => {
  const { status, body } = await get(actual(), operator)
  expect(status).toBe(200)
  expect(schemaOf(path).safeParse(body).error?.issues ?? []).toEqual([])
  if ('items' in body) expect(body.items.length).toBeGreaterThan(0)
})

test('a case carries what others build on', async () => {
  const { body } = await get('reconciliation/cases/case_1', operator)
  expect(body).toMatchObject({
    id: 'case_1',
    class: 'duplicate_same_key',
    severity: 'P1',
    outcome: 'break',
    lifecycle: 'new',
    subject: { scope: 'web/POST /v1/payments', key: 'k1', effectIds: ['ch_1', 'ch_2'], reference: 'order-1' },
    evidence: { duplicate: 'ch_2' },
    firstSeen: '2026-11-22T02:00:00.123Z',
    lastSeen: '2026-11-22T02:00:00.123Z',
  })
})

test('an amount is exact beyond 2^53', async () => {
  const { body } = await get('actions/act_1', operator)
  expect(body.amount).toEqual({ minor: '9007199254740993', currency: 'USD' })
})

test('a duplicate that a case confirms is among the effects, with its money', async () => {
  const { body } = await get('effects?kind=duplicate', operator)
  expect(body.items).toMatchObject([
    {
      kind: 'duplicate',
      outcome: 'confirmed',
      caseId: 'case_1',
      effectIds: ['ch_1', 'ch_2'],
      amount: { minor: '12500', currency: 'KWD' },
    },
  ])
  // A case knew of it; no span and no store ever told of an effect.
  expect(body.measured).toBe(false)
})

test('a measure without its input is not measured, and says why; never 0', async () => {
  const { body } = await get('measures', operator)
  const ids = body.items.map(({ id }: { id: string }) => id)
  expect(ids).toEqual(['M1', 'M2', 'M3', 'M4', 'M5', 'M6', 'M7', 'M8', 'M9', 'M10'])
  for (const measure of body.items) {
    expect(measure, measure.id).toMatchObject({
      state: 'not measured',
      value: null,
      numerator: null,
      denominator: null,
      reason: expect.any(String),
    })
  }
})

test('docs/api.md names every route, and none that is not there', () => {
  const text = readFileSync('docs/api.md', 'utf8')
  const written = [...text.matchAll(/^\| `((?:GET|POST) \S+)` +\|/gm)].map(([, name]) => name)
  const routes = [...ROUTES.map(({ method, path }) => `${method} ${path}`), 'GET stream']
  expect(written.toSorted()).toEqual(routes.toSorted())
})

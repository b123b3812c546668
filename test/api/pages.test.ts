import { afterAll, beforeAll, expect, test } from 'vitest'
import { bearer, type Console, createConsole, get as read } from './console-fixture'

let console: Console
beforeAll(async () => {
  console = await createConsole()
})
afterAll(() => console.close())

const COUNT = 23
const get = (path: string) => read(path, bearer(console.tokens.viewer))

async function all(path: string, limit: number): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | null = null
  do {
    const joiner = path.includes('?') ? '&' : '?'
    const { status, body } = await get(
      `${path}${joiner}limit=${limit}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    )
    expect(status).toBe(200)
    expect(body.items.length).toBeLessThanOrEqual(limit)
    ids.push(...body.items.map(({ id }: { id: string }) => id))
    cursor = body.next
  } while (cursor !== null)
  return ids
}

test('pages of any size give every row once, in one order, also where stamps are equal', async () => {
  const { prisma } = console.db
  // Four stamps for all rows: ties are the rule.
  const stamp = (index: number) => new Date(Date.UTC(2026, 0, 1, 0, index % 4))
  const rows = Array.from({ length: COUNT }, (_, index) => ({
    index,
    at: stamp(index),
    name: String(index).padStart(3, '0'),
  }))
  await prisma.run.createMany({
    data: rows.map(({ at, name }) => ({
      id: `run_${name}`,
      kind: 'staging',
      requestedBy: 'system:test',
      createdAt: at,
    })),
  })
  await prisma.action.createMany({
    data: rows.map(({ at, name }) => ({
      id: `act_${name}`,
      kind: 'release',
      state: 'done',
      reason: 'a test',
      createdAt: at,
    })),
  })
  await prisma.reconciliationCase.createMany({
    data: rows.map(({ at, name, index }) => ({
      id: `case_${name}`,
      breakId: name,
      system: 's',
      operationId: BigInt(index),
      aspect: 'existence',
      objectId: name,
      class: 'ledger_missing',
      severity: 'P2',
      outcome: 'break',
      lifecycle: index % 2 === 0 ? 'new' : 'resolved',
      effectIds: [],
      evidence: {},
      evidenceHash: 'h',
      firstSeen: at,
      lastSeen: at,
    })),
  })
  await prisma.lock.createMany({
    data: rows.map(({ at, name, index }) => ({
      id: `lock_${name}`,
      sourceId: 'src_a',
      scope: 'web/POST /a',
      key: name,
      state: 'leased',
      version: 'v',
      fence: 1n,
      attempts: index,
      holder: 'h',
      acquiredAt: at,
      leaseUntil: at,
      heartbeatAt: at,
      verdict: 'wait',
      verdictReason: 'alive',
      providerAnswer: { kind: 'not_asked', text: 'a test' },
      checkedAt: at,
    })),
  })
  await prisma.auditEntry.createMany({
    data: rows.map(({ at, name }) => ({
      at,
      actor: 'a',
      via: 'session',
      verb: 'test',
      subject: name,
      outcome: 'done',
    })),
  })
  for (const path of ['runs?kind=staging', 'actions', 'reconciliation/cases', 'locks', 'audit?verb=test']) {
    const whole = await all(path, 200)
    expect(whole, path).toHaveLength(COUNT)
    expect(new Set(whole).size, path).toBe(COUNT)
    for (const limit of [1, 4, 22, COUNT])
      expect(await all(path, limit), `${path} by ${limit}`).toEqual(whole)
  }
})

test('a filter narrows, and no filter means all, resolved included', async () => {
  expect(await all('reconciliation/cases', 50)).toHaveLength(COUNT)
  expect(await all('reconciliation/cases?lifecycle=resolved', 5)).toHaveLength(Math.floor(COUNT / 2))
  expect(await all('reconciliation/cases?lifecycle=new,resolved', 5)).toHaveLength(COUNT)
})

test('a page is 50 unless it is asked otherwise, and the last one has no next', async () => {
  await console.db.prisma.run.createMany({
    data: Array.from({ length: 60 }, (_, index) => ({
      id: `run_more_${index}`,
      kind: 'sealing',
      requestedBy: 'system:test',
      createdAt: new Date(),
    })),
  })
  const first = await get('runs?kind=sealing')
  expect(first.body.items).toHaveLength(50)
  const second = await get(`runs?kind=sealing&cursor=${encodeURIComponent(first.body.next)}`)
  expect(second.body.items).toHaveLength(10)
  expect(second.body.next).toBeNull()
})

test('a cursor of another list is refused, not misread', async () => {
  const { body } = await get('audit?verb=test&limit=1')
  expect((await get(`runs?cursor=${encodeURIComponent(body.next)}`)).status).toBe(400)
})

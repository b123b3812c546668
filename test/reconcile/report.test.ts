import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConsoleMeasures } from '@/lib/alerts/read-measures'
import { listCases } from '@/lib/reconcile/cases/cases'
import { approve } from '@/lib/reconcile/corrections/approve'
import { propose } from '@/lib/reconcile/corrections/propose'
import { type Report, reconciliationReport } from '@/lib/reconcile/report/report'
import { triageCases } from '@/lib/reconcile/triage/triage-cases'
import { pay } from './payments'
import { createWorld, REASON, reconcileNow, SETTINGS, type World } from './world'

let world: World
let runId: string
const ids: string[] = []
const COUNT = 520

beforeAll(async () => {
  world = await createWorld()
  await pay(world, '=cmd()', { bookAs: 77 })
  await pay(world, 'unbooked', { skip: 'book' })
  world.advance(30_000)
  runId = (await reconcileNow(world)).runId
  ids.push(...(await listCases(world.system.db, {}, { limit: 50 })).items.map(({ id }) => id))
})
afterAll(() => world.close())

async function textOf(report: Report): Promise<string> {
  let text = ''
  for await (const chunk of report.chunks) text += chunk
  return text
}
const audited = () => world.system.db.prisma.auditEntry.count({ where: { verb: 'reconciliation.report' } })

describe('reports', () => {
  test('of a run, as CSV: escaped against formulas, one line an event, audited before the first line', async () => {
    const report = await reconciliationReport(await world.as('viewer'), { kind: 'run', id: runId }, 'csv')
    expect(await audited()).toBe(1)
    expect(report).toMatchObject({
      contentType: 'text/csv; charset=utf-8',
      name: `reconciliation-${runId}.csv`,
    })
    const lines = (await textOf(report)).trimEnd().split('\r\n')
    expect(lines[0]).toMatch(/^at,event,actor,case_id,class/)
    expect(lines).toHaveLength(3)
    expect(lines.join('\n')).toContain(",'=cmd(),")
    expect(lines.join('\n')).not.toMatch(/,=cmd/)
  })

  test('of a run, as JSON: the run with its counts, and its lines', async () => {
    const report = await reconciliationReport(await world.as('viewer'), { kind: 'run', id: runId }, 'json')
    const parsed = JSON.parse(await textOf(report))
    expect(parsed.run).toMatchObject({ id: runId, outcome: 'breaks', counts: { payments: { opened: 2 } } })
    expect(parsed.lines.map((line: { event: string }) => line.event)).toEqual(['opened', 'opened'])
    expect(parsed.lines[0].amount).toEqual({ minor: '1050', currency: 'USD' })
  })

  test('of a day, streamed page by page, whatever its length', async () => {
    const at = world.system.clock.now()
    await world.system.db.prisma.caseEvent.createMany({
      data: Array.from({ length: COUNT }, (_, n) => ({
        caseId: ids[0] ?? '',
        at,
        kind: 'comment',
        actor: 'user:test',
        data: { text: `${n}` },
      })),
    })
    const day = at.toISOString().slice(0, 10)
    const report = await reconciliationReport(await world.as('viewer'), { kind: 'day', day }, 'json')
    let chunks = 0
    let text = ''
    for await (const chunk of report.chunks) {
      chunks += 1
      text += chunk
    }
    expect(chunks).toBeGreaterThan(3)
    const events = JSON.parse(text).lines.map((line: { event: string }) => line.event)
    expect(events.filter((event: string) => event === 'comment')).toHaveLength(COUNT)
  })

  test('of nothing there: told before anything is sent', async () => {
    const viewer = await world.as('viewer')
    await expect(reconciliationReport(viewer, { kind: 'run', id: 'run_none' }, 'csv')).rejects.toMatchObject({
      code: 'not_found',
    })
  })
})

describe('bulk triage', () => {
  test('acknowledge, assign and snooze several; what one refuses does not stop the others', async () => {
    const operator = await world.as('operator')
    const until = new Date(world.system.clock.now().getTime() + 3_600_000).toISOString()
    const some = [...ids, 'case_none']
    const outcomes = async (change: Parameters<typeof triageCases>[1]['change']) =>
      (await triageCases(operator, { ids: some, change })).map(({ outcome }) => outcome)
    expect(await outcomes({ kind: 'acknowledge' })).toEqual(['done', 'done', 'refused'])
    expect(await outcomes({ kind: 'assign', ownerId: 'user-operator' })).toEqual(['done', 'done', 'refused'])
    expect(await outcomes({ kind: 'snooze', until })).toEqual(['done', 'done', 'refused'])
    const rows = (await listCases(world.system.db, { triage: ['snoozed'] }, { limit: 10 })).items
    expect(rows.map(({ owner }) => owner)).toEqual(['user-operator', 'user-operator'])
    const audit = await world.system.db.prisma.auditEntry.count({ where: { verb: 'case.snooze' } })
    expect(audit).toBe(2)
  })

  test('a viewer changes nothing; nonsense is refused as a whole', async () => {
    const change = { kind: 'acknowledge' } as const
    await expect(triageCases(await world.as('viewer'), { ids, change })).rejects.toMatchObject({
      code: 'forbidden',
    })
    const operator = await world.as('operator')
    await expect(
      triageCases(operator, { ids, change: { kind: 'snooze', until: '2020-01-01T00:00:00Z' } }),
    ).rejects.toMatchObject({ code: 'invalid' })
    await expect(triageCases(operator, { ids: [...ids, ...ids], change })).rejects.toThrow(/each case once/)
  })
})

test('M7 counts corrections that were carried out, by class; looking again and ignoring are none', async () => {
  const now = () => world.system.clock.now()
  const m7 = async () => {
    const window = { from: new Date(now().getTime() - 86_400_000), to: new Date(now().getTime() + 1_000) }
    return (await readConsoleMeasures(world.system, window)).find(({ id }) => id === 'M7')
  }
  expect(await m7()).toMatchObject({ numerator: 0 })
  const [wrong, unbooked] = await Promise.all(
    ['=cmd()', 'unbooked'].map(async (reference) => {
      const [found] = (await listCases(world.system.db, { reference }, { limit: 1 })).items
      return found?.id ?? ''
    }),
  )
  const operator = await world.as('operator')
  await propose(operator, { caseId: wrong ?? '', kind: 'ignore', reason: REASON }, SETTINGS)
  const action = await propose(
    operator,
    { caseId: unbooked ?? '', kind: 'book_ledger', reason: REASON },
    SETTINGS,
  )
  await approve(
    await world.as('approver'),
    { actionId: action.id, evidenceHash: action.evidenceHash ?? '' },
    SETTINGS,
  )
  expect(await m7()).toMatchObject({ numerator: 1, detail: { byClass: { ledger_missing: 1 } } })
})

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { CaseClass } from '@/lib/core/case-classes'
import { escaped, quoted } from '@/lib/incidents/postmortem/escape'
import { exportPostmortem } from '@/lib/incidents/postmortem/export-postmortem'
import { readPostmortem } from '@/lib/incidents/postmortem/read-postmortem'
import { toMarkdown } from '@/lib/incidents/postmortem/to-markdown'
import { readBrief } from '@/lib/incidents/read-brief'
import { readTimeline } from '@/lib/incidents/timeline/read-timeline'
import { addNote, closeIncident, mitigateIncident } from '@/lib/incidents/verbs/run-incident'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { incidentWorld } from './incident-world'

let console: TestDatabase
const world = incidentWorld(() => console)
const { after, holds, evaluate, clears, as } = world
beforeAll(async () => {
  console = await createTestDatabase()
})
afterAll(() => console.close())
beforeEach(async () => {
  await world.reset()
  await console.db.pool.query('TRUNCATE reconciliation_case, action, source, run CASCADE')
})

const opened = async () => {
  await holds('stuck_keys', ['payments'])
  const [incident] = await world.incidents()
  if (incident === undefined) throw new Error('none was opened')
  return incident
}

type CaseFacts = {
  class?: CaseClass
  minor: bigint
  currency: string
  ended?: 'by_hand' | 'corrected' | 'merged'
  scope?: string
}
const addCase = async ({ class: name = 'duplicate_same_key', minor, currency, ended, scope }: CaseFacts) => {
  const now = world.clock.now()
  const row = await console.db.prisma.reconciliationCase.create({
    data: {
      id: `case_${randomUUID()}`,
      breakId: randomUUID(),
      operationId: 1n,
      ...{
        system: 'payments',
        aspect: 'uniqueness',
        objectId: 'ch_1',
        class: name,
        severity: 'P1',
        outcome: 'break',
      },
      ...{
        lifecycle: ended === undefined ? 'new' : 'resolved',
        resolution: ended ?? null,
        evidence: {},
        evidenceHash: 'h',
      },
      ...{ amountMinor: minor, currency, firstSeen: now, lastSeen: now, scope: scope ?? null },
      resolvedAt: ended === undefined ? null : now,
    },
  })
  return row.id
}

const contextOf = async (id: string) => {
  const { incident, alerts, range } = await readBrief({ db: console.db, clock: world.clock }, id)
  return [{ incidentId: id, system: incident.system, alerts }, range] as const
}

test('the time line is whole page by page, also where hundreds of things happened in one moment', async () => {
  const { id } = await opened()
  for (const text of ['one', 'two', 'three']) await addNote(as('operator'), id, { text })
  for (const name of ['duplicate_same_key', 'orphan_effect', 'duplicate_semantic'] as const)
    for (let count = 0; count < 3; count++) await addCase({ class: name, minor: 100n, currency: 'EUR' })
  await console.db.prisma.action.create({
    data: {
      ...{ id: 'act_1', kind: 'hold', state: 'done', reason: 'stop it', createdAt: world.clock.now() },
      params: { by: 'holds', target: { kind: 'route', route: 'POST /v1/payments' } },
    },
  })
  after(2)
  await clears('stuck_keys')
  after(1)
  const [context, range] = await contextOf(id)
  const whole = await readTimeline(console.db, context, range, { limit: 100 })
  expect(
    whole.items.map(({ source, text, detail }) => `${source}: ${text}${detail === '' ? '' : `, ${detail}`}`),
  ).toEqual([
    'alert_cleared: Over: Keys are stuck, payments, it held for 2 min',
    'entry: Note, three',
    'entry: Note, two',
    'entry: Note, one',
    'entry: Incident opened by an alert',
    'alert_raised: Page: Keys are stuck, payments, 1 key stuck in payments',
    'action: Hold on new executions of POST /v1/payments: Completed, stop it',
    'case_opened: 3 cases opened: Charged twice on one key, €3.00',
    'case_opened: 3 cases opened: Charged twice for one reference, €3.00',
    expect.stringMatching(/^case_opened: 3 cases opened: .*, €3\.00$/),
  ])
  for (const limit of [1, 2, 3]) {
    const paged: string[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await readTimeline(console.db, context, range, { limit, cursor })
      paged.push(...page.items.map((event) => JSON.stringify(event)))
      if (page.next === null) break
      cursor = page.next
    }
    expect(paged, `${limit} a page`).toEqual(whole.items.map((event) => JSON.stringify(event)))
  }
})

test('what nobody knows is null, and said', async () => {
  const { id } = await opened()
  const { money, incident, objectives, checklist } = await readPostmortem(as('viewer'), id)
  expect(money).toBeNull()
  expect(incident.times).toEqual({ detectMs: null, acknowledgeMs: null, mitigateMs: null })
  expect(objectives.map(({ value, budgetUsed }) => [value, budgetUsed])).toEqual(
    objectives.map(() => [null, null]),
  )
  expect(checklist.map(({ id: question, answered }) => [question, answered])).toEqual([
    ['store', 'not_connected'],
    ['where', 'not_measured'],
    ['fallback', 'not_measured'],
    ['reconcile', 'not_connected'],
    ['postmortem', 'none'],
  ])
  const text = toMarkdown(await readPostmortem(as('viewer'), id))
  expect(text).toContain('Not known: nothing was ever reconciled.')
  expect(text).toContain('| Detected | 2026-')
  expect(text).not.toMatch(/\| 0 (s|ms|%)/)
})

test('the store, a fallback and the run that compared the window are answered from what is stored', async () => {
  const { id } = await opened()
  const now = world.clock.now()
  await console.db.prisma.source.createMany({
    data: [
      {
        id: 'src_1',
        kind: 'intent',
        adapter: 'native',
        name: 'main store',
        system: 'payments',
        config: {},
        createdAt: now,
        lastErrorAt: now,
        lastError: 'connection refused',
      },
      {
        id: 'src_2',
        kind: 'intent',
        adapter: 'native',
        name: 'other',
        system: 'elsewhere',
        config: {},
        createdAt: now,
        lastOkAt: now,
      },
    ],
  })
  await console.db.prisma.action.create({
    data: {
      id: 'act_h',
      kind: 'hold',
      state: 'done',
      reason: 'stop',
      createdAt: now,
      executedAt: now,
      params: { holdId: 'act_h', minutes: 30 },
    },
  })
  const answers = async () => {
    const { checklist } = await readBrief({ db: console.db, clock: world.clock }, id)
    return Object.fromEntries(
      checklist.map((each) => [each.id, { standing: each.standing, said: each.answers.join(' ') }]),
    )
  }
  expect(await answers()).toMatchObject({
    store: { standing: 'bad', said: 'main store cannot be read since it was connected: connection refused.' },
    fallback: { said: expect.stringContaining('1 hold placed from here in force') },
    reconcile: { standing: 'unknown', said: expect.stringContaining('not mitigated yet') },
  })
  after(31)
  expect((await answers()).fallback?.said).toContain('Nothing was held')
  await mitigateIncident(as('operator'), id, { revision: 1, how: 'the store is back' })
  expect((await answers()).reconcile).toMatchObject({ standing: 'warn' })
  after(5)
  const run = {
    kind: 'reconciliation',
    state: 'done',
    outcome: 'reconciled',
    requestedBy: 'u1',
    createdAt: world.clock.now(),
  }
  await console.db.prisma.run.createMany({
    data: [
      { ...run, id: 'run_dry', dryRun: true, params: {} },
      { ...run, id: 'run_key', params: { key: 'k', scope: 's' } },
    ],
  })
  expect((await answers()).reconcile).toMatchObject({ standing: 'warn' })
  await console.db.prisma.run.create({ data: { ...run, id: 'run_all', params: {} } })
  expect((await answers()).reconcile).toMatchObject({
    standing: 'ok',
    said: expect.stringContaining('A run of'),
  })
})

test('money: each case once, by what became of it, in each currency to its own minor unit', async () => {
  const { id } = await opened()
  await addCase({ minor: 9_800n, currency: 'JPY', scope: 'web/POST /v1/payments' })
  await addCase({ minor: 12_500n, currency: 'KWD', ended: 'by_hand' })
  await addCase({ minor: 700n, currency: 'EUR', ended: 'merged' })
  await addCase({ minor: 1_000n, currency: 'EUR', ended: 'corrected' })
  const refunded = await addCase({ minor: 8_990n, currency: 'EUR', ended: 'corrected' })
  await console.db.prisma.action.create({
    data: {
      id: 'act_r',
      kind: 'refund',
      state: 'done',
      reason: 'charged twice',
      caseId: refunded,
      amountMinor: 8_990n,
      currency: 'EUR',
      createdAt: world.clock.now(),
    },
  })
  after(1)
  const postmortem = await readPostmortem(as('viewer'), id)
  expect(postmortem.money?.cases).toEqual({ refunded: 1, mended: 1, lost: 1, open: 1 })
  expect(postmortem.affected.items).toMatchObject([
    {
      client: 'web',
      endpoint: 'POST /v1/payments',
      cases: 1,
      caseMoney: [{ minor: '9800', currency: 'JPY' }],
    },
  ])
  const text = toMarkdown(postmortem)
  for (const row of [
    '| Refunded | 1 | €89.90 |',
    '| Mended otherwise | 1 | €10.00 |',
    /\| Lost: closed without a correction \| 1 \| KWD.12\.500 \|/,
    '| Still open | 1 | ¥9,800 |',
    /\| Found \| 4 \| €99\.90, ¥9,800 and KWD.12\.500 \|/,
  ])
    expect(text).toMatch(row instanceof RegExp ? row : new RegExp(row.replaceAll(/[|.]/g, '\\$&')))
  expect(text).toContain('Refund of €89.90: Completed')
})

test('what others wrote is text in the Markdown and nothing else', () => {
  const cases: [given: string, shown: string][] = [
    ['a | b', 'a \\| b'],
    ['`rm -rf`', '\\`rm -rf\\`'],
    ['<img src=x onerror=alert(1)>', '\\<img src=x onerror=alert(1)\\>'],
    ['&lt;b&gt;', '\\&lt;b\\&gt;'],
    ['[click](https://evil.example)', '\\[click\\](https\\://evil.example)'],
    ['www.evil.example', 'www\\.evil.example'],
    ['*bold* _it_ ~~no~~ $x$', '\\*bold\\* \\_it\\_ \\~\\~no\\~\\~ \\$x\\$'],
    ['# heading\n\n- item', '\\# heading - item'],
    ['- item', '\\- item'],
    ['1. first', '1\\. first'],
    ['@team see #12', '\\@team see \\#12'],
    ['pay\u202Epal\u200B', 'pay\\[U+202E\\]pal\\[U+200B\\]'],
    ['key sk_live_abcdefgh12345678', 'key \\[redacted\\]'],
  ]
  for (const [given, shown] of cases) expect(escaped(given)).toBe(shown)
  expect(quoted('one\n# two\r\n\n| three')).toBe('> one\n> \\# two\n> \n> \\| three')
})

test('a hostile title, note and cause break out of no table and no list', async () => {
  await evaluate('stuck_keys', [
    { subject: '<b>x</b> | y', detail: { system: 'payments', name: '<b>x</b> | `y`\n## z', count: 1 } },
  ])
  const [incident] = await world.incidents()
  const id = incident?.id ?? ''
  await addNote(as('operator', '| Mallory |'), id, { text: 'line one\n## not a heading\n| not | a row |' })
  const cause = 'because\n\n## also not a heading <script>'
  await closeIncident(as('operator'), id, { revision: 1, cause, followUps: ['- [x] done | <i>'] })
  const text = toMarkdown(await readPostmortem(as('viewer'), id))
  expect(text.split('\n').filter((line) => line.startsWith('#'))).toEqual([
    expect.stringMatching(/^# Postmortem: Keys are stuck, \\<b\\>x/),
    ...[
      'Summary',
      'Detection and mitigation',
      'Cause',
      'Money',
      'Objectives',
      'Affected callers',
      'Checklist',
      'Alerts',
      'Time line',
      'Actions',
      'Follow-ups',
    ].map((heading) => `## ${heading}`),
  ])
  expect(text).not.toMatch(/(^|[^\\])<[a-z/]/m)
  expect(text).toContain('- [ ] \\- \\[x\\] done \\| \\<i\\>')
})

test('the export is a file that is audited; JSON has every amount as a text', async () => {
  const { id } = await opened()
  await addCase({ minor: 9_007_199_254_740_993n, currency: 'EUR' })
  after(1)
  const file = await exportPostmortem(as('viewer'), id, 'json')
  expect(file).toMatchObject({ name: `postmortem-${id}.json`, contentType: 'application/json' })
  let text = ''
  for await (const chunk of file.chunks) text += chunk
  expect(JSON.parse(text)).toMatchObject({
    version: 1,
    incident: { id },
    money: { amounts: { open: [{ minor: '9007199254740993', currency: 'EUR' }] } },
  })
  expect(await console.db.prisma.auditEntry.findFirst({ where: { verb: 'incident.export' } })).toMatchObject({
    subject: id,
    after: { format: 'json' },
  })
  await expect(exportPostmortem(as('viewer'), 'inc_none', 'json')).rejects.toMatchObject({
    code: 'not_found',
  })
})

test('times in which the console saw less are said with the time line', async () => {
  const { id } = await opened()
  await evaluate('stale_telemetry', [{ subject: 'checkout', detail: { service: 'checkout' } }])
  after(2)
  await clears('stale_telemetry')
  const { gaps } = await readPostmortem(as('viewer'), id)
  expect(gaps).toMatchObject([{ text: 'Service sends no telemetry, checkout: its figures are missing' }])
  expect(gaps[0]?.to).not.toBeNull()
})

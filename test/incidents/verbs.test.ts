import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { acknowledge } from '@/lib/alerts/acknowledge/acknowledge'
import { pruneHistory } from '@/lib/alerts/prune-history'
import { listIncidents } from '@/lib/incidents/list-incidents'
import { openIncident } from '@/lib/incidents/verbs/open-incident'
import {
  acknowledgeIncident,
  addNote,
  closeIncident,
  mitigateIncident,
  reopenIncident,
  setSeverity,
} from '@/lib/incidents/verbs/run-incident'
import { setRole } from '@/lib/incidents/verbs/set-role'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { incidentWorld } from './incident-world'

let console: TestDatabase
const world = incidentWorld(() => console)
const { after, holds, clears, incidents, as } = world
beforeAll(async () => {
  console = await createTestDatabase()
  await console.db.prisma.source.create({
    data: {
      id: 'src_1',
      kind: 'intent',
      adapter: 'native',
      name: 'store',
      system: 'payments',
      config: {},
      createdAt: world.clock.now(),
    },
  })
})
afterAll(() => console.close())
let beganAt: Date
beforeEach(async () => {
  await world.reset()
  beganAt = world.clock.now()
})

const CAUSE = 'the new version sends no key'
const WHY = 'rolled back to the version before'
const opened = async () => {
  await holds('stuck_keys', ['payments'])
  const [incident] = await incidents()
  if (incident === undefined) throw new Error('none was opened')
  return incident
}
const audited = async () => {
  const rows = await console.db.prisma.auditEntry.findMany({
    where: { at: { gte: beganAt } },
    orderBy: { id: 'asc' },
  })
  return rows.map(({ verb, actor }) => `${verb} ${actor}`)
}

test('it is acknowledged with its alerts, mitigated and closed; each time is measured', async () => {
  const { id } = await opened()
  after(2)
  let seen = await acknowledgeIncident(as('operator'), id, { revision: 1, note: 'looking' })
  expect(seen).toMatchObject({
    status: 'acknowledged',
    acknowledgedBy: 'Ada',
    times: { acknowledgeMs: 120_000 },
  })
  expect(await console.db.prisma.acknowledgement.findMany()).toMatchObject([
    { kind: 'stuck_keys', system: 'payments', byName: 'Ada', note: 'looking', endedAt: null },
  ])
  await expect(acknowledgeIncident(as('operator'), id, { revision: seen.revision })).rejects.toMatchObject({
    code: 'conflict',
  })
  after(5)
  seen = await mitigateIncident(as('operator'), id, { revision: seen.revision, how: WHY })
  expect(seen).toMatchObject({ status: 'mitigated', times: { mitigateMs: 7 * 60_000 } })
  await clears('stuck_keys')
  seen = await closeIncident(as('operator'), id, {
    revision: seen.revision,
    cause: CAUSE,
    followUps: ['alert on missing keys'],
  })
  expect(seen).toMatchObject({ status: 'closed', cause: CAUSE, followUps: ['alert on missing keys'] })
  expect(await audited()).toEqual([
    'alert.acknowledge Ada',
    'incident.acknowledged Ada',
    'incident.mitigated Ada',
    'incident.closed Ada',
  ])
})

test('who acknowledges one of its alerts has acknowledged it, and what was seen still holds', async () => {
  const { id } = await opened()
  const alert = await console.db.prisma.alertEpisode.findFirstOrThrow({ where: { incidentId: id } })
  after(3)
  await acknowledge(as('operator', 'Bea'), alert.id, {})
  const [incident] = await incidents()
  expect(incident).toMatchObject({
    status: 'acknowledged',
    acknowledgedBy: 'Bea',
    revision: 1,
    times: { acknowledgeMs: 180_000 },
  })
})

test('two who close at once: one does, the other is told to look again', async () => {
  const { id } = await opened()
  const close = (name: string) =>
    closeIncident(as('operator', name), id, { revision: 1, cause: `${name}: ${CAUSE}`, followUps: [] })
  const ends = await Promise.allSettled([close('Ada'), close('Bea')])
  expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect(ends.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'conflict', meta: { status: 'closed', revision: 2 } },
  })
  expect((await audited()).filter((line) => line.startsWith('incident.closed'))).toHaveLength(1)
})

test('a page that joins is something that was not seen', async () => {
  const { id } = await opened()
  const mitigated = await mitigateIncident(as('operator'), id, { revision: 1, how: WHY })
  after(1)
  await holds('p1_cases', ['payments'])
  await expect(
    closeIncident(as('operator'), id, { revision: mitigated.revision, cause: CAUSE, followUps: [] }),
  ).rejects.toMatchObject({ code: 'conflict' })
  // What was thought to be over is not.
  expect((await incidents())[0]).toMatchObject({ status: 'open', mitigatedAt: null })
})

test('roles: taken, taken over, left by their holder alone', async () => {
  const { id } = await opened()
  let seen = await setRole(as('operator'), id, { revision: 1, role: 'commander' })
  expect(seen.commander).toBe('Ada')
  await expect(
    setRole(as('operator'), id, { revision: seen.revision, role: 'commander' }),
  ).rejects.toMatchObject({ code: 'conflict' })
  seen = await setRole(as('operator', 'Bea'), id, { revision: seen.revision, role: 'commander' })
  expect(seen.commander).toBe('Bea')
  const leave = { revision: seen.revision, role: 'commander', take: false } as const
  await expect(setRole(as('operator'), id, leave)).rejects.toMatchObject({ code: 'conflict' })
  expect((await setRole(as('operator', 'Bea'), id, leave)).commander).toBeNull()
})

test('a viewer may not; reasons, causes and notes are asked for, and hold no secrets', async () => {
  const { id } = await opened()
  await expect(addNote(as('viewer'), id, { text: 'x' })).rejects.toMatchObject({ code: 'forbidden' })
  await expect(mitigateIncident(as('viewer'), id, { revision: 1, how: WHY })).rejects.toMatchObject({
    code: 'forbidden',
  })
  await expect(addNote(as('operator'), id, { text: '  ' })).rejects.toThrow(/say something/)
  await expect(closeIncident(as('operator'), id, { revision: 1, cause: '', followUps: [] })).rejects.toThrow(
    /10/,
  )
  await expect(addNote(as('operator'), 'inc_none', { text: 'x' })).rejects.toMatchObject({
    code: 'not_found',
  })
  await addNote(as('operator'), id, { text: 'they used sk_live_abcdefgh12345678 and 4242 4242 4242 4242' })
  expect(await console.db.prisma.incidentEntry.findFirst({ where: { kind: 'note' } })).toMatchObject({
    text: 'they used [redacted] and [redacted]',
  })
  const entry = await console.db.prisma.auditEntry.findFirstOrThrow({
    where: { verb: 'incident.note', subject: id },
  })
  expect(JSON.stringify(entry.after)).not.toContain('sk_live')
})

test('by hand: it takes what fires and has none, and a second person is told of the first', async () => {
  await holds('suspected_duplicates', ['payments'])
  const operator = as('operator')
  const began = new Date(world.clock.now().getTime() - 600_000).toISOString()
  const incident = await openIncident(operator, {
    title: 'Customers call',
    system: 'payments',
    beganAt: began,
  })
  expect(incident).toMatchObject({
    title: 'Customers call',
    openedBy: 'Ada',
    alerts: { count: 1 },
    times: { detectMs: 600_000 },
  })
  const again = { title: 'They still call', system: 'payments' }
  await expect(openIncident(as('operator', 'Bea'), again)).rejects.toMatchObject({
    code: 'conflict',
    meta: { incident: incident.id },
  })
  await openIncident(as('operator', 'Bea'), { ...again, seen: [incident.id] })
  await expect(openIncident(operator, { title: 'x', system: 'nowhere' })).rejects.toThrow(
    /There are payments/,
  )
  const later = new Date(world.clock.now().getTime() + 60_000).toISOString()
  await expect(openIncident(operator, { title: 'x', beganAt: later })).rejects.toThrow(/last 30 days/)
  // A page of the same system joins the newest of them.
  after(1)
  await holds('p1_cases', ['payments'])
  expect(await incidents()).toHaveLength(2)
})

test('a wrong severity is set right with a reason; a closed one is reopened', async () => {
  const { id } = await opened()
  let seen = await setSeverity(as('operator'), id, { revision: 1, severity: 'sev1', reason: WHY })
  expect(seen.severity).toBe('sev1')
  seen = await closeIncident(as('operator'), id, { revision: seen.revision, cause: CAUSE, followUps: [] })
  await expect(
    setSeverity(as('operator'), id, { revision: seen.revision, severity: 'sev3', reason: WHY }),
  ).rejects.toMatchObject({ code: 'conflict' })
  await addNote(as('operator'), id, { text: 'written down afterwards' })
  seen = await reopenIncident(as('operator'), id, { revision: seen.revision, reason: 'it goes on after all' })
  expect(seen).toMatchObject({ status: 'open', closedAt: null, cause: CAUSE })
})

test('the list has what is not closed first, page after page, and every filter', async () => {
  const ids: string[] = []
  for (const title of ['one', 'two', 'three']) {
    ids.push(
      (await openIncident(as('operator'), { title, seen: ids, severity: title === 'two' ? 'sev1' : 'sev3' }))
        .id,
    )
    after(1)
  }
  const [, , newest = ''] = ids
  await closeIncident(as('operator'), newest, { revision: 1, cause: CAUSE, followUps: [] })
  const titles: string[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await listIncidents(console.db, {}, { limit: 1, cursor })
    titles.push(...page.items.map(({ title }) => title))
    if (page.next === null) break
    cursor = page.next
  }
  expect(titles).toEqual(['two', 'one', 'three'])
  const of = async (filter: Parameters<typeof listIncidents>[1]) =>
    (await listIncidents(console.db, filter, { limit: 9 })).items.map(({ title }) => title)
  expect(await of({ status: ['closed'] })).toEqual(['three'])
  expect(await of({ severity: ['sev1'] })).toEqual(['two'])
  expect(await of({ system: 'payments' })).toEqual([])
})

test('the alerts of an incident are kept after those of none are forgotten', async () => {
  await holds('stuck_keys', ['payments'])
  await holds('unread_rows', ['elsewhere'])
  after(1)
  await clears('stuck_keys')
  await clears('unread_rows')
  await pruneHistory(console.db, new Date(world.clock.now().getTime() + 91 * 86_400_000))
  expect(await console.db.prisma.alertEpisode.findMany()).toMatchObject([{ kind: 'stuck_keys' }])
})

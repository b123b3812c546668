import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { CONDITION_KINDS } from '@/lib/core/condition-kinds'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { incidentWorld } from './incident-world'

let console: TestDatabase
const world = incidentWorld(() => console)
const { after, evaluate, holds, clears, incidents } = world
beforeAll(async () => {
  console = await createTestDatabase()
})
afterAll(() => console.close())
beforeEach(() => world.reset())

const alertsOf = async (id: string): Promise<string[]> => {
  const rows = await console.db.prisma.alertEpisode.findMany({
    where: { incidentId: id },
    orderBy: { kind: 'asc' },
  })
  return rows.map(({ kind, subject }) => `${kind} ${subject}`)
}

async function onlyIncident() {
  const all = await incidents()
  expect(all).toHaveLength(1)
  const [incident] = all
  if (incident === undefined) throw new Error('there is none')
  return incident
}

async function onConnection<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: console.url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

test('a page opens an incident with what fires in its place; a ticket alone opens none', async () => {
  await holds('suspected_duplicates', ['payments', 'payouts'])
  expect(await incidents()).toEqual([])
  after(1)
  await holds('p1_cases', ['payments'])
  const incident = await onlyIncident()
  expect(incident).toMatchObject({
    title: 'P1 cases are open, payments',
    area: 'payments',
    system: 'payments',
    severity: 'sev2',
    status: 'open',
    openedBy: null,
    openedAt: world.clock.now().toISOString(),
    alerts: { count: 2, firing: 2 },
    times: { detectMs: null, acknowledgeMs: null, mitigateMs: null },
  })
  expect(await alertsOf(incident.id)).toEqual(['p1_cases payments', 'suspected_duplicates payments'])
})

test('alerts of one system, and those that name none, join; the worst decides how severe it is', async () => {
  await evaluate('intent_latency', [{ subject: 'all', detail: {} }])
  expect(await onlyIncident()).toMatchObject({ system: null, severity: 'sev2', revision: 1 })
  await holds('stuck_keys', ['payments'])
  await evaluate('duplicate_effects', [{ subject: 'all', detail: {} }])
  await holds('suspected_duplicates', ['payments'])
  const incident = await onlyIncident()
  // A ticket changes nothing that somebody decides on.
  expect(incident).toMatchObject({ system: 'payments', severity: 'sev1', revision: 3, alerts: { count: 4 } })
})

test('another system, and the console itself, are other causes', async () => {
  await holds('stuck_keys', ['payments', 'payouts'])
  await evaluate('worker_dead', [{ subject: 'all', detail: {} }])
  expect(await incidents()).toHaveLength(2)
  after(1)
  await evaluate('worker_dead', [{ subject: 'all', detail: {} }])
  const all = await incidents()
  expect(all.map(({ area, system, severity }) => [area, system, severity]).toSorted()).toEqual([
    ['console', null, 'sev3'],
    ['payments', 'payments', 'sev2'],
    ['payments', 'payouts', 'sev2'],
  ])
})

test('two alerts of one cause that commit at the same time open one incident', async () => {
  await onConnection(async (first) =>
    onConnection(async (second) => {
      await first.query('BEGIN')
      await holds('stuck_keys', ['payments'], first)
      await second.query('BEGIN')
      await holds('p1_cases', ['payments'], second)
      // The first has decided and not committed; the second has to wait for it.
      await first.query('SET CONSTRAINTS ALL IMMEDIATE')
      let decided = false
      const commit = second.query('COMMIT').then(() => {
        decided = true
      })
      await until(async () => decided || (await somebodyWaits()))
      expect(decided).toBe(false)
      await first.query('COMMIT')
      await commit
    }),
  )
  expect((await onlyIncident()).alerts.count).toBe(2)
})

async function until(so: () => Promise<boolean>): Promise<void> {
  while (!(await so()));
}

async function somebodyWaits(): Promise<boolean> {
  const waiting = `
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`
  return (await console.db.pool.query(waiting)).rowCount !== 0
}

test('many evaluations at once, and one after a restart, open no second one', async () => {
  const kinds = ['stuck_keys', 'p1_cases', 'window_closing'] as const
  await Promise.all(kinds.flatMap((kind) => [holds(kind, ['payments']), holds(kind, ['payments'])]))
  const { id } = await onlyIncident()
  after(1)
  await onConnection(async (restarted) => {
    for (const kind of kinds) await holds(kind, ['payments'], restarted)
  })
  const incident = await onlyIncident()
  expect(incident).toMatchObject({ id, alerts: { count: 3, firing: 3 } })
})

test('what comes an hour after the last of it is another incident', async () => {
  await holds('stuck_keys', ['payments'])
  after(1)
  await clears('stuck_keys')
  after(59)
  await holds('p1_cases', ['payments'])
  expect(await incidents()).toHaveLength(1)
  after(1)
  await clears('p1_cases')
  after(61)
  await holds('window_closing', ['payments'])
  expect(await incidents()).toHaveLength(2)
})

test('an alert that comes back within five minutes brings back its incident, whatever became of it', async () => {
  await holds('stuck_keys', ['payments'])
  const { id } = await onlyIncident()
  after(1)
  await clears('stuck_keys')
  await console.db.prisma.incident.update({
    where: { id },
    data: {
      status: 'closed',
      closedAt: world.clock.now(),
      mitigatedAt: world.clock.now(),
      cause: 'a deploy',
    },
  })
  after(1)
  await holds('stuck_keys', ['payments'])
  expect(await onlyIncident()).toMatchObject({
    id,
    status: 'open',
    closedAt: null,
    mitigatedAt: null,
    cause: 'a deploy',
  })
  const entries = await console.db.prisma.incidentEntry.findMany({
    where: { incidentId: id },
    orderBy: { id: 'asc' },
  })
  expect(entries.map(({ kind, byName }) => [kind, byName])).toEqual([
    ['opened', 'system:conditions'],
    ['reopened', 'system:conditions'],
  ])
})

test('the first fact is the oldest that its alerts were raised on; where none is named it is not known', async () => {
  const minutesAgo = (minutes: number) =>
    new Date(world.clock.now().getTime() - minutes * 60_000).toISOString()
  const oldestAt = minutesAgo(12)
  await evaluate('intent_latency', [{ subject: 'all', detail: {} }])
  expect((await onlyIncident()).times.detectMs).toBeNull()
  await evaluate('stuck_keys', [{ subject: 'payments', detail: { system: 'payments', oldestAt } }])
  await evaluate('p1_cases', [
    { subject: 'payments', detail: { system: 'payments', oldestAt: minutesAgo(4) } },
  ])
  expect(await onlyIncident()).toMatchObject({ beganAt: oldestAt, times: { detectMs: 12 * 60_000 } })
  // Stamped by a clock that is ahead, or no time at all: neither is before the alert.
  await world.reset()
  await evaluate('stuck_keys', [
    { subject: 'payments', detail: { system: 'payments', oldestAt: minutesAgo(-9) } },
  ])
  await evaluate('p1_cases', [{ subject: 'payments', detail: { system: 'payments', oldestAt: 'yesterday' } }])
  expect(await onlyIncident()).toMatchObject({ beganAt: null, times: { detectMs: null } })
})

test('a condition that has to hold for a while began when it was first found', async () => {
  const down = [{ subject: 'src_1', detail: { system: 'payments', name: 'store' } }]
  await evaluate('store_down', down)
  expect(await incidents()).toEqual([])
  after(1)
  await evaluate('store_down', down)
  expect(await onlyIncident()).toMatchObject({ severity: 'sev1', times: { detectMs: 60_000 } })
})

test('every kind that is named in the rule is one', async () => {
  const { rows } = await console.db.pool.query<{ source: string }>(
    "SELECT string_agg(prosrc, ' ') AS source FROM pg_proc WHERE proname IN ('incident_area', 'incident_severity')",
  )
  const named = [...(rows[0]?.source ?? '').matchAll(/'([a-z]+_[a-z_]+)'/g)].map(([, kind]) => kind)
  expect(named.length).toBeGreaterThan(8)
  for (const kind of named) expect(CONDITION_KINDS).toContain(kind)
})

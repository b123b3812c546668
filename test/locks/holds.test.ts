import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import type { Context } from '@/lib/context'
import { manualClock } from '@/lib/core/clock'
import type { HoldTarget } from '@/lib/core/hold-target'
import { liftHold } from '@/lib/locks/holds/lift-hold'
import { listHolds } from '@/lib/locks/holds/list-holds'
import { placeHold } from '@/lib/locks/holds/place-hold'
import { settleHolds } from '@/lib/locks/holds/settle-holds'
import { saveSource } from '@/lib/sources/save'
import { systemClock as sdkClock } from '@/sdk/clock'
import { grantsForConsole } from '@/sdk/stores/grants'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { migrateStore } from '@/sdk/stores/postgres/migrate'
import { createMigrationsFolder } from '../sdk/migrations-folder'
import { createEmptyDatabase } from '../support/database'
import { acquire, CREDENTIALS_KEY, createFixture, type Fixture, SCOPE } from './locks-fixture'

const ROUTE: HoldTarget = { kind: 'route', route: 'POST /v1/payments' }
const REASON = 'customers are charged twice'

let fixture: Fixture
let operator: Context
beforeAll(async () => {
  fixture = await createFixture()
  operator = await fixture.as('operator')
  await acquire(fixture, 'seen')
})
beforeEach(() => fixture.service.query('DELETE FROM idem_hold'))
afterAll(() => fixture.close())

const place = (ctx: Context = operator, over: Partial<Parameters<typeof placeHold>[1]> = {}) =>
  placeHold(ctx, { source: fixture.sourceId, target: ROUTE, reason: REASON, ...over })
const lift = (id: string, ctx: Context = operator) =>
  liftHold(ctx, { source: fixture.sourceId, id, reason: 'the provider is mended' })
const listed = async (inForce?: boolean) =>
  (await listHolds(fixture.system, { inForce }, { limit: 50 })).items.map(({ id }) => id)
const auditOf = async (verb: string) => {
  const rows = await fixture.console.db.prisma.auditEntry.findMany({
    where: { verb },
    orderBy: { id: 'desc' },
  })
  return rows.map((row) => `${row.actor} ${row.outcome} ${row.reason ?? ''}`.trim())
}

describe('a hold', () => {
  test('is placed by one person, for half an hour, and stops what is new', async () => {
    const hold = await place()
    expect(hold).toMatchObject({
      source: fixture.sourceId,
      target: ROUTE,
      what: 'POST /v1/payments',
      inForce: true,
      reason: REASON,
      placedBy: 'operator',
      liftedAt: null,
    })
    expect(Date.parse(hold.endsAt) - Date.parse(hold.placedAt)).toBe(30 * 60_000)
    expect(await listed(true)).toEqual([hold.id])
    const service = createPostgresStore({ pool: fixture.service })
    await service.holds?.refresh()
    expect(service.holds?.findExecutionHold(SCOPE, 'any')).not.toBeNull()
    service.close()
    expect((await auditOf('hold.place')).slice(0, 2)).toEqual(['operator done', `operator intent ${REASON}`])
    const action = await fixture.console.db.prisma.action.findUniqueOrThrow({ where: { id: hold.id } })
    expect(action).toMatchObject({ kind: 'hold', state: 'done', proposerId: 'user-operator' })
  })

  test.each<[HoldTarget, string]>([
    [{ kind: 'store' }, 'the whole store'],
    [{ kind: 'caller', caller: 'web' }, 'caller web'],
    [{ kind: 'step', step: 'charge', route: null }, 'step charge'],
    [
      { kind: 'key', scope: SCOPE, key: '0193a7ce-7f2e-7000-8000-000000000001' },
      `key 0193a7ce-7f2e-7000-8000-000000000001 of ${SCOPE}`,
    ],
  ])('can be of %o', async (target, what) => {
    expect(await place(operator, { target })).toMatchObject({ target, what, inForce: true })
  })

  test('is lifted with a reason, by a person, once', async () => {
    const { id } = await place()
    expect(await lift(id)).toMatchObject({
      inForce: false,
      liftedBy: 'operator',
      liftReason: 'the provider is mended',
    })
    expect(await lift(id)).toMatchObject({ id, inForce: false, liftedBy: 'operator' })
    expect([await listed(true), await listed(false)]).toEqual([[], [id]])
    await expect(liftHold(operator, { source: fixture.sourceId, id, reason: 'short' })).rejects.toThrow()
    await expect(lift('act_nobody')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('is placed while writes are switched off, and not lifted', async () => {
    const admin = await fixture.as('admin')
    await setKillSwitch(admin, { on: true, reason: 'everything is strange' })
    const { id } = await place()
    await expect(lift(id)).rejects.toMatchObject({ code: 'kill_switch' })
    expect(await listed(true)).toEqual([id])
    await setKillSwitch(admin, { on: false, reason: 'all is well again' })
  })

  test('may be placed by an operator’s service, and is lifted by no automation', async () => {
    const bot = await fixture.as('operator', 'bot')
    await fixture.console.db.prisma.user.update({ where: { id: 'user-bot' }, data: { service: true } })
    const { id } = await place(bot)
    await expect(lift(id, bot)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(lift(id, { ...bot, actor: { kind: 'system', job: 'tidy' } })).rejects.toMatchObject({
      code: 'forbidden',
    })
    expect(await listed(true)).toEqual([id])
  })

  test('needs the operator role, and nobody who was locked out', async () => {
    await expect(place(await fixture.as('viewer'))).rejects.toMatchObject({ code: 'forbidden' })
    const gone = await fixture.as('operator', 'gone')
    await fixture.console.db.prisma.user.update({ where: { id: 'user-gone' }, data: { banned: true } })
    await expect(place(gone)).rejects.toMatchObject({ code: 'forbidden' })
    expect(await listed()).toEqual([])
  })
})

describe('what cannot be held is refused, and says why', () => {
  const inAnHour = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()
  test.each<[string, Partial<Parameters<typeof placeHold>[1]>, RegExp]>([
    ['an end beyond a day', { endsAt: inAnHour(25) }, /24 hours at most/],
    ['an end in the past', { endsAt: inAnHour(-1) }, /has passed/],
    ['an unknown route', { target: { kind: 'route', route: 'POST /v1/paymants' } }, /never seen that route/],
    ['an unknown caller', { target: { kind: 'caller', caller: 'wab' } }, /never seen that caller/],
    ['an unknown scope', { target: { kind: 'key', scope: 'a/POST /b', key: 'k' } }, /never seen that scope/],
    ['more minutes than a day has', { minutes: 1_441 }, /24 hours at most/],
    ['both an end and minutes', { minutes: 5, endsAt: inAnHour(1) }, /either/],
    ['a reason of a word', { reason: 'because' }, /10 characters/],
    ['a provider', { source: 'src_none' }, /no source/],
  ])('%s', async (_what, over, why) => {
    await expect(place(operator, over)).rejects.toThrow(why)
    expect(await listed()).toEqual([])
  })
})

test('a lost answer is settled by reading, in both directions', async () => {
  const lose = async (kind: 'hold' | 'lift_hold', id: string, holdId: string, executedAt: Date) =>
    fixture.console.db.prisma.action.create({
      data: {
        ...{ id, kind, state: 'unknown', reason: REASON, sourceId: fixture.sourceId },
        ...{ params: { by: 'holds', holdId }, createdAt: executedAt, executedAt },
      },
    })
  const at = new Date()
  const { id: placed } = await place()
  await lose('hold', 'act_applied', placed, at)
  await lose('lift_hold', 'act_not_lifted', placed, at)
  await lose('hold', 'act_lost', 'act_lost', at)
  const states = async () =>
    Object.fromEntries(
      (
        await fixture.console.db.prisma.action.findMany({
          where: { id: { in: ['act_applied', 'act_not_lifted', 'act_lost'] } },
        })
      ).map(({ id, state }) => [id, state]),
    )
  const later = (ms: number) => ({
    ...fixture.system,
    clock: manualClock(new Date(at.getTime() + ms).toISOString()),
  })
  expect(await settleHolds(later(1_000))).toEqual({ settled: 0, open: 0 })
  // What is there is there; what is not may still come through.
  expect(await settleHolds(later(20_000))).toEqual({ settled: 1, open: 2 })
  expect(await settleHolds(later(90_000))).toEqual({ settled: 2, open: 0 })
  expect(await states()).toEqual({ act_applied: 'done', act_not_lifted: 'failed', act_lost: 'failed' })
})

describe('a store that cannot keep holds says what it takes', () => {
  async function connectStore(name: string, migrations: (name: string) => boolean) {
    const database = await createEmptyDatabase()
    const pool = new pg.Pool({ connectionString: database.url, max: 2 })
    pool.on('error', () => undefined)
    const folder = createMigrationsFolder(migrations)
    await migrateStore({ pool, schema: 'public', clock: sdkClock, waitMs: 1_000, folder })
    const save = (url: string) =>
      saveSource(
        fixture.system,
        { adapter: 'native', name, system: name, config: {}, secret: { url } },
        { credentialsKey: CREDENTIALS_KEY, demo: true },
      )
    return { database, pool, save }
  }

  test('older than holds: the migration', async () => {
    const { database, pool, save } = await connectStore('older', (name) => name <= '0001_first.sql')
    const source = await save(database.url)
    await expect(place(operator, { source })).rejects.toMatchObject({
      code: 'unprocessable',
      message: expect.stringContaining('0002_holds.sql'),
      meta: { reason: 'holds_need_migration' },
    })
    const { unread, items } = await listHolds(fixture.system, { source }, { limit: 10 })
    expect([items, unread]).toEqual([
      [],
      [{ source, name: 'older', why: expect.stringContaining('0002_holds.sql') }],
    ])
    await fixture.console.db.prisma.source.update({ where: { id: source }, data: { enabled: false } })
    await pool.end()
    await database.close()
  })

  test('with the grants of before: the grants, and with those of now it holds', async () => {
    const { database, pool, save } = await connectStore('granted', () => true)
    const role = `console_${Math.trunc(performance.now() * 1_000)}`
    await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
    const [before = ''] = grantsForConsole({ role }).split('DO $$')
    await pool.query(before)
    const url = new URL(database.url)
    url.username = role
    url.password = 'secret'
    const source = await save(url.href)
    await expect(place(operator, { source, target: { kind: 'store' } })).rejects.toMatchObject({
      message: expect.stringContaining('run the SQL for its role'),
      meta: { reason: 'holds_need_grant' },
    })
    await pool.query(grantsForConsole({ role }))
    const hold = await place(operator, { source, target: { kind: 'store' } })
    expect(hold).toMatchObject({ inForce: true, source })
    expect(
      (await liftHold(operator, { source, id: hold.id, reason: 'the provider is mended' })).inForce,
    ).toBe(false)
    await fixture.console.db.prisma.source.update({ where: { id: source }, data: { enabled: false } })
    const { closeSources } = await import('@/lib/sources/registry')
    await closeSources()
    await pool.query(`DROP OWNED BY ${role}`)
    await pool.query(`DROP ROLE ${role}`)
    await pool.end()
    await database.close()
  })
})

test('pages hold each once, the newest first', async () => {
  const ids: string[] = []
  for (let n = 0; n < 5; n += 1) ids.unshift((await place(operator, { target: { kind: 'store' } })).id)
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await listHolds(fixture.system, {}, { limit: 2, cursor })
    seen.push(...page.items.map(({ id }) => id))
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  expect(seen).toEqual(ids)
})

import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '@/lib/core/clock'
import { silentLog } from '@/lib/log'
import { listSources } from '@/lib/mirror/read/list-sources'
import { openSecret, sealSecret } from '@/lib/sources/credentials'
import { closeSources, listSystems, openIntentSource, openSource, openSystem } from '@/lib/sources/registry'
import { saveSource } from '@/lib/sources/save'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database'
import { setSettings } from '../support/settings'

const KEY = 'ab'.repeat(32)
setSettings({ IDEMSCOPE_CREDENTIALS_KEY: KEY })

let console_: TestDatabase
let service: Awaited<ReturnType<typeof createEmptyDatabase>>
const clock = manualClock('2026-11-22T12:00:00Z')
const ctx = () => ({ db: console_.db, clock, log: silentLog })

beforeAll(async () => {
  ;[console_, service] = await Promise.all([createTestDatabase(), createEmptyDatabase()])
  const pool = new pg.Pool({ connectionString: service.url })
  const store = createPostgresStore({ pool })
  await store.migrate()
  store.close()
  await pool.end()
})
afterAll(async () => {
  await closeSources()
  await Promise.all([console_.close(), service.close()])
})

const save = (over: Record<string, unknown> = {}) =>
  saveSource(
    ctx(),
    {
      adapter: 'native',
      name: 'store',
      system: 'payments',
      config: {},
      secret: { url: service.url },
      ...over,
    },
    { credentialsKey: KEY, demo: false, atStart: true },
  )

test('a secret opens with its key, for its owner, unchanged', () => {
  const sealed = sealSecret(KEY, 'src_1', { url: 'postgres://secret' })
  expect(Buffer.from(sealed).toString('latin1')).not.toContain('secret')
  expect(openSecret(KEY, 'src_1', sealed)).toEqual({ url: 'postgres://secret' })
  expect(() => openSecret(KEY, 'src_2', sealed)).toThrow(/do not open/)
  expect(() => openSecret('cd'.repeat(32), 'src_1', sealed)).toThrow(/do not open/)
  const changed = Uint8Array.from(sealed)
  changed.set([(changed.at(-1) ?? 0) ^ 1], changed.length - 1)
  expect(() => openSecret(KEY, 'src_1', changed)).toThrow(/do not open/)
})

test('a source is saved once by its name, opened, and its state follows what it answers', async () => {
  const id = await save()
  expect(await save({ system: 'payments' })).toBe(id)
  expect(await listSystems(ctx())).toEqual(['payments'])
  const state = async (now = clock.now()) =>
    (await listSources(console_.db, now, 30_000)).map((source) => source.state)
  expect(await state()).toEqual(['never'])
  const { source } = await openIntentSource(ctx(), id)
  await source.storeClock()
  expect(await state()).toEqual(['ok'])
  expect(await state(new Date(clock.now().getTime() + 31_000))).toEqual(['stale'])
  expect((await openIntentSource(ctx(), id)).source).toBe(source)

  // Our clock steps back: what is noted is the time of now.
  clock.advance(-600_000)
  await source.storeClock()
  const noted = await console_.db.prisma.source.findUniqueOrThrow({ where: { id } })
  expect(noted.lastOkAt).toEqual(clock.now())
  expect(await state(new Date(clock.now().getTime() + 31_000))).toEqual(['stale'])

  const url = new URL(service.url)
  url.port = '1'
  clock.advance(1_000)
  await save({ secret: { url: url.href }, records: 'same' })
  const down = await openIntentSource(ctx(), id)
  expect(down.source).not.toBe(source)
  await expect(down.source.storeClock()).rejects.toThrow()
  const [view] = await listSources(console_.db, clock.now(), 30_000)
  expect(view).toMatchObject({ state: 'down', name: 'store' })
  expect(JSON.stringify(view)).not.toContain('postgres')
  clock.advance(1_000)
  await save({ records: 'same' })
  await (await openIntentSource(ctx(), id)).source.storeClock()
  expect(await state()).toEqual(['ok'])
})

test('what cannot be saved is refused: another base URL outside the demo, an unknown setting, another adapter of the name', async () => {
  const stripe = { adapter: 'stripe', name: 'provider', secret: { readKey: 'rk_test_read' } }
  await expect(save({ ...stripe, config: { baseUrl: 'http://127.0.0.1:1' } })).rejects.toThrow(
    /Only the demo/,
  )
  await expect(save({ config: { schema: 'public; drop' } })).rejects.toThrow(/plain schema name/)
  await expect(save({ config: { nonsense: 1 } })).rejects.toThrow()
  await expect(save({ ...stripe, name: 'store', config: {} })).rejects.toMatchObject({ code: 'conflict' })
})

test('a source that is switched off is not read, and its system says that it is missing', async () => {
  const id = await save({ enabled: false })
  await expect(openSource(ctx(), id)).rejects.toMatchObject({ code: 'unprocessable' })
  expect(await openSystem(ctx(), 'payments')).toMatchObject({
    intents: [],
    ledgers: [],
    providers: [],
    messages: [],
    off: [{ id, kind: 'intent', why: 'is switched off' }],
  })
  await expect(openSource(ctx(), 'src_none')).rejects.toMatchObject({ code: 'not_found' })
})

test('a source that cannot be opened says why, is not taken for absent, and stops no other', async () => {
  const id = await save({ name: 'outdated', system: 'mixed' })
  const other = await save({ name: 'sound', system: 'mixed' })
  await console_.db.prisma.source.update({
    where: { id },
    data: { config: { setting: 'of another version' } },
  })
  clock.advance(1_000)
  const sources = await openSystem(ctx(), 'mixed')
  expect(sources.intents.map((open) => open.id)).toEqual([other])
  expect(sources.off).toMatchObject([{ id, kind: 'intent', why: expect.stringContaining('setting') }])
  const views = await listSources(console_.db, clock.now(), 30_000)
  expect(views.find((view) => view.id === id)).toMatchObject({
    state: 'down',
    lastError: expect.stringContaining('cannot be opened'),
  })
})

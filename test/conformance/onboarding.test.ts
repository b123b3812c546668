import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '@/lib/log'
import { openAdapter } from '@/lib/sources/adapters'
import type { IntentSource } from '@/lib/sources/contracts'
import { detectLayouts, layoutOf } from '@/lib/sources/layouts'
import { previewSource, sourceGrants } from '@/lib/sources/preview'
import { brandurLayout, type Layout, nativeLayout } from './fixtures'

let layout: Layout
const admin = { kind: 'user', userId: 'u', name: 'a', role: 'admin', via: 'session' } as const
beforeAll(async () => {
  layout = await brandurLayout()
  await layout.hold('held')
  await layout.hold('done')
  await layout.finish('done')
})
afterAll(() => layout.close())

test('a layout is known by its columns, never by its name', async () => {
  await layout.db.query('CREATE TABLE idempotency_records (id int, idempotency_thing text)')
  expect(await detectLayouts({ url: layout.url })).toMatchObject([
    { adapter: 'rocket-rides-atomic', library: 'rocket-rides-atomic', place: 'public.idempotency_keys' },
  ])
  expect(layoutOf(['id', 'idempotency_key'])).toBeNull()
})

test('a preview shows real rows, without bodies, to admins only', async () => {
  const input = { adapter: 'rocket-rides-atomic' as const, config: {}, secret: { url: layout.url } }
  const preview = await previewSource({ actor: admin, log: silentLog }, input)
  expect(preview.rows.map(({ key, state }) => [key, state])).toEqual([
    ['held', 'leased'],
    ['done', 'completed'],
  ])
  expect(JSON.stringify(preview)).not.toContain('ride_1')
  const viewer = { ...admin, role: 'viewer' as const }
  await expect(previewSource({ actor: viewer, log: silentLog }, input)).rejects.toMatchObject({
    code: 'forbidden',
  })
})

test('a native store is looked at in sessions that refuse writes', async () => {
  const native = await nativeLayout()
  await native.hold('held')
  const input = { adapter: 'native' as const, config: {}, secret: { url: native.url } }
  const preview = await previewSource({ actor: admin, log: silentLog }, input)
  expect(preview.rows).toMatchObject([{ key: 'held', state: 'leased' }])
  await native.kill('held')
  const readOnly = openAdapter(
    'native',
    {},
    { url: native.url },
    { demo: false, readOnly: true },
  ) as IntentSource
  const { lease } = await readOnly.readKey(native.scope, 'held')
  if (lease === null) throw new Error('no lease')
  await expect(readOnly.release(lease.seen, { actionId: 'act_1', graceMs: 0 })).rejects.toMatchObject({
    fault: 'read_only',
  })
  await readOnly.close()
  await native.close()
})

const RETENTION = { safetyMs: 0, providerWindowMs: 86_400_000 }

test('the generated role collects, archives and no more, where collection is switched on', async () => {
  const role = `idemscope_collect_${process.pid}`
  await layout.db.query(sourceGrants('rocket-rides-atomic', { collect: true }, role))
  const url = new URL(layout.url)
  Object.assign(url, { username: role, password: encodeURIComponent('choose one') })
  const config = { collect: true }
  const source = openAdapter(
    'rocket-rides-atomic',
    config,
    { url: url.href },
    { demo: false },
  ) as IntentSource
  for (const key of ['old-1', 'old-2']) {
    await layout.hold(key)
    await layout.finish(key)
    await layout.expire(key)
  }
  const rows = source.rowCollection
  const expired = await rows?.readExpired(null, 1, RETENTION)
  const first = await rows?.readExpired(expired?.next ?? null, 10, RETENTION)
  expect([...(expired?.expired ?? []), ...(first?.expired ?? [])].map(({ key }) => key)).toEqual([
    'old-1',
    'old-2',
  ])
  expect(await rows?.deleteRows(first?.expired ?? [], RETENTION)).toBeGreaterThan(0)
  expect(await rows?.deleteExpired(null, 100, RETENTION)).toMatchObject({ next: null })
  const left = await layout.db.query(`SELECT FROM idempotency_keys WHERE idempotency_key LIKE 'old-%'`)
  expect(left.rowCount).toBe(0)
  await expect(rows?.restoreRows(first?.expired ?? [])).rejects.toMatchObject({ fault: 'permission' })
  await source.close()
  await layout.db.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
})

test('the generated role can do what its verbs need, and nothing else; read-only is told apart', async () => {
  const role = `idemscope_${process.pid}`
  await layout.db.query(sourceGrants('rocket-rides-atomic', {}, role))
  const url = new URL(layout.url)
  Object.assign(url, { username: role, password: encodeURIComponent('choose one') })
  const source = openAdapter('rocket-rides-atomic', {}, { url: url.href }, { demo: false }) as IntentSource
  await layout.kill('held')
  const { lease } = await source.readKey(layout.scope, 'held')
  if (lease === null) throw new Error('no lease')
  expect((await source.readRecords(null, 10)).items).toHaveLength(1)

  await layout.db.query(`ALTER ROLE ${role} SET default_transaction_read_only = on`)
  const standby = openAdapter('rocket-rides-atomic', {}, { url: url.href }, { demo: false }) as IntentSource
  const refused = standby.release(lease.seen, { actionId: 'act_1', graceMs: 0 })
  await expect(refused).rejects.toMatchObject({ fault: 'read_only', refused: true })
  await standby.close()
  await layout.db.query(`ALTER ROLE ${role} RESET default_transaction_read_only`)

  expect(await source.release(lease.seen, { actionId: 'act_1', graceMs: 0 })).toMatchObject({ kind: 'done' })
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  for (const sql of [
    'DELETE FROM idempotency_keys',
    'UPDATE idempotency_keys SET user_id = 1',
    'SELECT request_params FROM idempotency_keys',
    'CREATE TABLE mine (id int)',
  ]) {
    await expect(client.query(sql), sql).rejects.toMatchObject({ code: '42501' })
  }
  await client.end()
  await source.close()
  await layout.db.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
})

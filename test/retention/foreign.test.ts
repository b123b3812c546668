import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Context } from '@/lib/context'
import { findArchived } from '@/lib/retention/archive/find'
import { listArchives } from '@/lib/retention/archive/list'
import { restoreArchive, restoreSql } from '@/lib/retention/archive/restore'
import { readCapacities, setCapacity } from '@/lib/retention/capacity'
import { collect } from '@/lib/retention/collect'
import { adapt, PACE } from '@/lib/retention/collect-rows'
import { approvePolicy } from '@/lib/retention/policy/approve-policy'
import { listPolicies } from '@/lib/retention/policy/policies'
import { proposePolicy } from '@/lib/retention/policy/propose-policy'
import { startCollection } from '@/lib/retention/start-collection'
import { executeRun } from '@/lib/runs/execute'
import { getRun } from '@/lib/runs/read'
import { saveSource } from '@/lib/sources/save'
import { brandurLayout, type Layout } from '../conformance/fixtures'
import { CREDENTIALS_KEY, createFixture, type Fixture } from '../locks/locks-fixture'
import { setSettings } from '../support/settings'

const dataDir = mkdtempSync(join(tmpdir(), 'idemscope-archive-'))
setSettings({ IDEMSCOPE_DATA_DIR: dataDir })

let fixture: Fixture
let layout: Layout
let operator: Context
let approver: Context
let sourceId: string
beforeAll(async () => {
  fixture = await createFixture()
  layout = await brandurLayout()
  operator = await fixture.as('operator')
  approver = await fixture.as('approver')
  sourceId = await saveSource(
    fixture.system,
    {
      adapter: 'rocket-rides-atomic',
      name: 'rides',
      system: 'rides',
      config: { collect: true, providerKeyed: true },
      secret: { url: layout.url },
    },
    { credentialsKey: CREDENTIALS_KEY },
  )
})
afterAll(async () => {
  await fixture.close()
  await layout.close()
  rmSync(dataDir, { recursive: true })
})

async function fill(prefix: string, rows: number, hoursOld: number, point = 'finished'): Promise<void> {
  await layout.db.query(
    `INSERT INTO idempotency_keys (idempotency_key, request_method, request_params, request_path, recovery_point, user_id,
       locked_at, created_at, last_run_at, response_code, response_body)
     SELECT $1 || n, 'POST', '{}', '/rides', $4, 7, NULL, now() - $3 * interval '1 hour', now() - $3 * interval '1 hour', 201, '{"id":"ride"}'
     FROM generate_series(1, $2::int) n`,
    [prefix, rows, hoursOld, point],
  )
}

const count = async (prefix: string): Promise<number> =>
  (
    await layout.db.query(
      `SELECT count(*)::int AS n FROM idempotency_keys WHERE idempotency_key LIKE $1 || '%'`,
      [prefix],
    )
  ).rows[0].n

async function run(dryRun: boolean, pace = PACE) {
  const started = await startCollection(operator, { source: sourceId, dryRun })
  await executeRun(fixture.system, { id: started.id, owner: 'w', leaseMs: 60_000 }, (ctx, handle) =>
    collect(ctx, handle, { source: sourceId }, { pace }),
  )
  return getRun(fixture.console.db, started.id)
}

test('expired rows go in batches; the young, the unfinished and the buffer stay', async () => {
  await fill('old-', 3_000, 80)
  await fill('stuck-', 2, 80, 'ride_created')
  await fill('young-', 50, 1)
  await fill('buffer-', 5, 72.5)
  const dry = await run(true)
  expect(dry).toMatchObject({ outcome: 'dry_run', counts: { rows: '3000', reapedUnfinished: 2 } })
  expect(await count('old-')).toBe(3_000)
  const real = await run(false)
  expect(real).toMatchObject({ outcome: 'collected', counts: { rows: '3000', reapedUnfinished: 2 } })
  expect([await count('old-'), await count('stuck-'), await count('young-'), await count('buffer-')]).toEqual(
    [0, 2, 50, 5],
  )
  const marks = await fixture.console.db.prisma.collectionMark.findMany({ where: { sourceId } })
  expect(marks).toMatchObject([{ mode: 'batched_delete', rows: 3000n, unfinished: 2 }])
})

test('a run that was killed goes on where it stopped, and loses nothing', async () => {
  await fill('killed-', 4_000, 80)
  const started = await startCollection(operator, { source: sourceId })
  let batches = 0
  const dying = {
    ...PACE,
    nowMs: () => {
      batches += 1
      if (batches > 2) throw new Error('killed')
      return 0
    },
  }
  await executeRun(fixture.system, { id: started.id, owner: 'a', leaseMs: 60_000 }, (ctx, handle) =>
    collect(ctx, handle, { source: sourceId }, { pace: dying }),
  )
  expect(await count('killed-')).toBeLessThan(4_000)
  expect((await run(false)).outcome).toBe('collected')
  expect(await count('killed-')).toBe(0)
})

test('it steps aside while sessions wait for locks', async () => {
  await fill('busy-', 10, 80)
  const blocker = await layout.db.connect()
  await blocker.query('BEGIN')
  await blocker.query(`SELECT FROM idempotency_keys WHERE idempotency_key = 'busy-1' FOR UPDATE`)
  const waiting = [1, 2, 3].map(() =>
    layout.db.query(`UPDATE idempotency_keys SET locked_at = NULL WHERE idempotency_key = 'busy-1'`),
  )
  let pauses = 0
  const pace = {
    ...PACE,
    waitingMax: 1,
    pausesMax: 2,
    pause: async () => {
      pauses += 1
    },
  }
  await expect
    .poll(async () => (await layout.db.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount)
    .toBeGreaterThan(0)
  expect(await run(false, pace)).toMatchObject({ outcome: 'busy' })
  expect(pauses).toBe(3)
  await blocker.query('ROLLBACK')
  blocker.release()
  await Promise.all(waiting)
  expect((await run(false)).outcome).toBe('collected')
  expect(await count('busy-')).toBe(0)
})

test('batches grow and shrink towards the target, within bounds', () => {
  expect(adapt(1_000, 100, PACE)).toBe(1_000)
  expect(adapt(1_000, 1, PACE)).toBe(2_000)
  expect(adapt(1_000, 150, PACE)).toBe(667)
  expect(adapt(1_000, 100_000, PACE)).toBe(500)
  expect(adapt(100, 100_000, PACE)).toBe(100)
})

test('a policy needs two people and the evidence that they saw', async () => {
  const input = {
    source: sourceId,
    ttlMs: 3_600_000,
    safetyMs: 0,
    archive: true,
    reason: 'keep an hour',
    exception: 'Rides are never retried after an hour: their client gives up.',
  }
  const first = await proposePolicy(operator, { ...input, endpoint: 'POST /rides' })
  expect(first).toMatchObject({ state: 'proposed', kind: 'retention_policy' })
  const hash = first.evidenceHash ?? ''
  const itself = await fixture.as('approver', 'both')
  const own = await proposePolicy(itself, { ...input, endpoint: 'POST /other' })
  await expect(
    approvePolicy(itself, { actionId: own.id, evidenceHash: own.evidenceHash ?? '' }),
  ).rejects.toMatchObject({ code: 'forbidden' })
  await expect(approvePolicy(operator, { actionId: first.id, evidenceHash: hash })).rejects.toMatchObject({
    code: 'forbidden',
  })
  await expect(approvePolicy(approver, { actionId: first.id, evidenceHash: 'other' })).rejects.toMatchObject({
    code: 'conflict',
  })
  const second = await proposePolicy(operator, { ...input, endpoint: 'POST /rides', ttlMs: 7_200_000 })
  expect(await approvePolicy(approver, { actionId: first.id, evidenceHash: hash })).toMatchObject({
    state: 'done',
  })
  await expect(
    approvePolicy(approver, { actionId: second.id, evidenceHash: second.evidenceHash ?? '' }),
  ).rejects.toMatchObject({ code: 'conflict' })
  await expect(approvePolicy(approver, { actionId: first.id, evidenceHash: hash })).rejects.toThrow()
  expect(await listPolicies(fixture.console.db, sourceId)).toMatchObject([
    { endpoint: 'POST /rides', ttlMs: 3_600_000, archive: true, version: 1 },
  ])
  const audit = await fixture.console.db.prisma.auditEntry.findMany({ where: { subject: first.id } })
  expect(audit.map(({ verb }) => verb)).toEqual(['retention.propose', 'retention.approve'])
  await expect(
    proposePolicy(operator, {
      source: fixture.sourceId,
      ttlMs: 60_000,
      safetyMs: 0,
      archive: false,
      reason: 'shorter please',
    }),
  ).rejects.toMatchObject({ code: 'unprocessable' })
})

test('a store’s capacity is said by an administrator, and taken away with 0', async () => {
  const input = { source: sourceId, bytes: 50 * 1024 ** 3, reason: 'the disk that was ordered' }
  await expect(setCapacity(operator, input)).rejects.toMatchObject({ code: 'forbidden' })
  const admin = await fixture.as('admin')
  await setCapacity(admin, input)
  expect(await readCapacities(fixture.system.db)).toEqual(new Map([[sourceId, input.bytes]]))
  await expect(setCapacity(admin, { ...input, source: 'src_none' })).rejects.toMatchObject({
    code: 'not_found',
  })
  await setCapacity(admin, { ...input, bytes: 0 })
  expect((await readCapacities(fixture.system.db)).size).toBe(0)
})

test('with an archive: written, checked, found again by key, restored', async () => {
  await fill('kept-', 1_200, 2)
  expect(await run(false)).toMatchObject({ outcome: 'collected' })
  expect(await count('kept-')).toBe(0)
  const found = await findArchived(fixture.system, { sourceId, scope: '7/POST /rides', key: 'kept-77' })
  expect(found).toMatchObject([{ key: 'kept-77', row: { response_code: 201, recovery_point: 'finished' } }])
  expect(await findArchived(fixture.system, { sourceId, scope: '8/POST /rides', key: 'kept-77' })).toEqual([])

  const folder = join(dataDir, 'archive', sourceId)
  const [manifestName] = readdirSync(folder).filter((name) => name.endsWith('.manifest.json'))
  const manifest = JSON.parse(readFileSync(join(folder, manifestName ?? ''), 'utf8'))
  const lines = gunzipSync(readFileSync(join(folder, manifest.file)))
    .toString()
    .trim()
    .split('\n')
  expect(lines).toHaveLength(manifest.rows)

  const admin = await fixture.as('admin')
  const [hit] = found
  const restored = await restoreArchive(admin, hit?.archiveId ?? '')
  expect(restored.restored).toBe(restored.rows)
  expect((await restoreArchive(admin, hit?.archiveId ?? '')).restored).toBe(0)
  const { rows } = await layout.db.query(
    `SELECT to_jsonb(t) AS row FROM idempotency_keys t WHERE idempotency_key = 'kept-77'`,
  )
  expect(rows[0].row).toEqual(hit?.row)

  const { items } = await listArchives(fixture.system.db, { limit: 1 })
  expect(items).toMatchObject([
    { source: sourceId, rows: expect.any(Number), collectedAt: expect.any(String) },
  ])
  await expect(restoreSql(operator, hit?.archiveId ?? '')).rejects.toMatchObject({ code: 'forbidden' })
  expect(await restoreSql(admin, hit?.archiveId ?? '')).toMatch(/^CREATE TABLE idem_restored_\w+ AS SELECT/)
  const taken = await fixture.system.db.prisma.auditEntry.count({ where: { verb: 'retention.restore_sql' } })
  expect(taken).toBe(1)

  const file = join(folder, hit?.file ?? '')
  writeFileSync(file, readFileSync(file).subarray(10))
  await expect(restoreArchive(admin, hit?.archiveId ?? '')).rejects.toMatchObject({ code: 'unprocessable' })
})

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Context } from '@/lib/context'
import { findArchived } from '@/lib/retention/archive/find'
import { restoreArchive, restoreSql } from '@/lib/retention/archive/restore'
import { collect } from '@/lib/retention/collect'
import { approvePolicy } from '@/lib/retention/policy/approve-policy'
import { proposePolicy } from '@/lib/retention/policy/propose-policy'
import { startCollection } from '@/lib/retention/start-collection'
import { executeRun } from '@/lib/runs/execute'
import { type RunHandle, RunLostError } from '@/lib/runs/handle'
import { getRun } from '@/lib/runs/read'
import type { PartitionPage } from '@/lib/sources/contracts'
import { openIntentSource } from '@/lib/sources/registry'
import { acquire, createFixture, type Fixture, SCOPE } from '../locks/locks-fixture'
import { setSettings } from '../support/settings'

const dataDir = mkdtempSync(join(tmpdir(), 'idemscope-partition-archive-'))
setSettings({ IDEMSCOPE_DATA_DIR: dataDir })

let fixture: Fixture
let operator: Context
beforeAll(async () => {
  fixture = await createFixture()
  operator = await fixture.as('operator')
  const policy = { source: fixture.sourceId, tier: 'standard', safetyMs: 0, archive: true }
  const proposed = await proposePolicy(operator, { ...policy, reason: 'keep what is collected' })
  await approvePolicy(await fixture.as('approver'), {
    actionId: proposed.id,
    evidenceHash: proposed.evidenceHash ?? '',
  })
  // A scope for the rows below.
  await fixture.store.complete(await acquire(fixture, 'any'), {
    status: 200,
    headers: [],
    body: Buffer.from('x'),
  })
})
afterAll(async () => {
  await fixture.close()
  rmSync(dataDir, { recursive: true })
})

/** A partition of a year long past: every third key with a body of bytes that are no text, and an effect. */
async function expiredPartition(year: number, rows: number): Promise<string> {
  const [from, to] = [`${year}-01-01T00:00:00Z`, `${year}-01-01T12:00:00Z`]
  const partition = `idem_record_t1_${Date.parse(to)}`
  const body = partition.replace('record', 'body')
  await fixture.service.query(`
    CREATE TABLE ${partition} PARTITION OF idem_record_t1 FOR VALUES FROM ('${from}') TO ('${to}');
    CREATE TABLE ${body} PARTITION OF idem_body_t1 FOR VALUES FROM ('${from}') TO ('${to}');
    INSERT INTO ${partition} SELECT timestamptz '${from}' + n * interval '1.000001 s', '${from}', n, s.scope_id, 1, 201, 1, 'C',
      idem_key_bytes('${year}-' || n), uuid_send(md5(n::text)::uuid), uuid_send(md5('t' || n)::uuid)
    FROM generate_series(1, ${rows}) n, idem_scope s;
    INSERT INTO ${body} SELECT expires_at, scope_id, tier, key, '[["x-a","b"]]', '\\x00ff10', '[{"step":"charge"}]'
    FROM ${partition} WHERE fence % 3 = 0`)
  return partition
}

async function run(wrap: (handle: RunHandle) => RunHandle = (handle) => handle) {
  const started = await startCollection(operator, { source: fixture.sourceId })
  await executeRun(fixture.system, { id: started.id, owner: 'w', leaseMs: 60_000 }, (ctx, handle) =>
    collect(ctx, wrap(handle), { source: fixture.sourceId }, { retryForMs: 0 }),
  )
  return getRun(fixture.console.db, started.id)
}

const archives = () => fixture.console.db.prisma.archive.findMany({ orderBy: { at: 'asc' } })
const wholePartition = async (partition: string) =>
  (
    await fixture.service.query(
      `SELECT r.*, b.headers, b.body, b.effects FROM ${partition} r LEFT JOIN ${partition.replace('record', 'body')} b USING (scope_id, key)
       ORDER BY r.key`,
    )
  ).rows

test('a native partition is archived before it is dropped, found again by key, and restored byte by byte', async () => {
  const partition = await expiredPartition(2001, 900)
  const before = await wholePartition(partition)
  expect(await run()).toMatchObject({ outcome: 'collected', counts: { partitions: 1, archives: 1 } })
  expect((await fixture.service.query('SELECT to_regclass($1) AS there', [partition])).rows).toEqual([
    { there: null },
  ])

  const identity = { sourceId: fixture.sourceId, scope: SCOPE, key: '2001-300' }
  const [found, ...more] = await findArchived(fixture.system, identity)
  expect(more).toEqual([])
  expect(found).toMatchObject({
    key: '2001-300',
    expiresAt: '2001-01-01 00:05:00.0003+00',
    row: { status: 201, state: 'C', body: '\\x00ff10', effects: [{ step: 'charge' }] },
  })
  const [archive] = await archives()
  expect(archive).toMatchObject({ id: found?.archiveId, rows: 900, collectedAt: expect.any(Date) })

  const id = found?.archiveId ?? ''
  const admin = await fixture.as('admin')
  await expect(restoreArchive(admin, id)).rejects.toMatchObject({ code: 'unprocessable' })
  const sql = await restoreSql(admin, id)
  await fixture.service.query(sql)
  const table = /CREATE TABLE (\w+)/.exec(sql)?.[1]
  expect((await fixture.service.query(`SELECT * FROM ${table} ORDER BY key`)).rows).toEqual(before)
})

test('pages are bounded by what the bodies weigh, and lose none', async () => {
  const partition = await expiredPartition(2004, 9)
  await fixture.service.query(
    `UPDATE ${partition.replace('record', 'body')} SET body = decode(repeat('ab', 9 * 1024 * 1024), 'hex')`,
  )
  const { source } = await openIntentSource(fixture.system, fixture.sourceId)
  const sizes: number[] = []
  const keys: string[] = []
  let position: string | null = null
  do {
    const page: PartitionPage | undefined = await source.readPartition?.(`public.${partition}`, position, 5)
    sizes.push(page?.rows.length ?? 0)
    keys.push(...(page?.rows.map(({ key }) => key) ?? []))
    position = page?.next ?? null
  } while (position !== null)
  expect(new Set(keys).size).toBe(9)
  expect(keys).toHaveLength(9)
  // Three rows have 9 MiB each: no two of them in one page.
  expect(sizes.length).toBeGreaterThanOrEqual(3)
  await fixture.service.query(`DROP TABLE ${partition}, ${partition.replace('record', 'body')}`)
})

test('a partition that a reader keeps is archived once, however many runs meet it', async () => {
  const partition = await expiredPartition(2002, 50)
  const known = (await archives()).length
  const reader = await fixture.service.connect()
  await reader.query('BEGIN')
  await reader.query(`SELECT count(*) FROM ${partition}`)
  expect(await run()).toMatchObject({ outcome: 'busy', counts: { archives: 1, busy: 1 } })
  expect(await run()).toMatchObject({ outcome: 'busy', counts: { archives: 0, busy: 1 } })
  expect((await archives()).slice(known)).toMatchObject([{ rows: 50, collectedAt: null }])
  await reader.query('COMMIT')
  reader.release()
  expect(await run()).toMatchObject({ outcome: 'collected', counts: { partitions: 1, archives: 0 } })
  expect((await archives()).slice(known)).toMatchObject([{ rows: 50, collectedAt: expect.any(Date) }])
})

test('an archive that was killed in the middle goes on where it stopped', async () => {
  const partition = await expiredPartition(2003, 11_000)
  const known = (await archives()).length
  let reports = 0
  const dying = (handle: RunHandle): RunHandle => ({
    ...handle,
    report(update) {
      reports += 1
      if (reports === 2) throw new RunLostError(handle.id)
      return handle.report(update)
    },
  })
  await run(dying)
  expect((await fixture.service.query('SELECT to_regclass($1) AS there', [partition])).rows).toEqual([
    { there: partition },
  ])
  expect(await run()).toMatchObject({ outcome: 'collected', counts: { partitions: 1 } })
  const written = (await archives()).slice(known)
  expect(written.map(({ rows }) => rows)).toEqual([5_000, 5_000, 1_000])
  expect(written.every(({ collectedAt }) => collectedAt !== null)).toBe(true)
  const folder = join(dataDir, 'archive', fixture.sourceId)
  expect(readdirSync(folder).filter((name) => name.startsWith('partition-'))).toEqual([])
  for (const key of ['2003-1', '2003-11000']) {
    const found = await findArchived(fixture.system, { sourceId: fixture.sourceId, scope: SCOPE, key })
    expect(found).toHaveLength(1)
  }
})

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const dataDir = mkdtempSync(join(tmpdir(), 'idemscope-leaf-archive-'))
process.env.IDEMSCOPE_DATA_DIR = dataDir

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
import type { LeafPage } from '@/lib/sources/contracts'
import { openIntentSource } from '@/lib/sources/registry'
import { acquire, createStand, SCOPE, type Stand } from '../locks/locks-fixture'

let stand: Stand
let operator: Context
beforeAll(async () => {
  stand = await createStand()
  operator = await stand.as('operator')
  const policy = { source: stand.sourceId, tier: 'standard', safetyMs: 0, archive: true }
  const proposed = await proposePolicy(operator, { ...policy, reason: 'keep what is collected' })
  await approvePolicy(await stand.as('approver'), {
    actionId: proposed.id,
    evidenceHash: proposed.evidenceHash ?? '',
  })
  // A scope for the rows below.
  await stand.store.complete(await acquire(stand, 'any'), {
    status: 200,
    headers: [],
    body: Buffer.from('x'),
  })
})
afterAll(async () => {
  await stand.close()
  rmSync(dataDir, { recursive: true })
})

/** A leaf of a year long past: every third key with a body of bytes that are no text, and an effect. */
async function expiredLeaf(year: number, rows: number): Promise<string> {
  const [from, to] = [`${year}-01-01T00:00:00Z`, `${year}-01-01T12:00:00Z`]
  const leaf = `idem_record_t1_${Date.parse(to)}`
  const body = leaf.replace('record', 'body')
  await stand.service.query(`
    CREATE TABLE ${leaf} PARTITION OF idem_record_t1 FOR VALUES FROM ('${from}') TO ('${to}');
    CREATE TABLE ${body} PARTITION OF idem_body_t1 FOR VALUES FROM ('${from}') TO ('${to}');
    INSERT INTO ${leaf} SELECT timestamptz '${from}' + n * interval '1.000001 s', '${from}', n, s.scope_id, 1, 201, 1, 'C',
      idem_key_bytes('${year}-' || n), uuid_send(md5(n::text)::uuid), uuid_send(md5('t' || n)::uuid)
    FROM generate_series(1, ${rows}) n, idem_scope s;
    INSERT INTO ${body} SELECT expires_at, scope_id, tier, key, '[["x-a","b"]]', '\\x00ff10', '[{"step":"charge"}]'
    FROM ${leaf} WHERE fence % 3 = 0`)
  return leaf
}

async function run(wrap: (handle: RunHandle) => RunHandle = (handle) => handle) {
  const started = await startCollection(operator, { source: stand.sourceId })
  await executeRun(stand.system, { id: started.id, owner: 'w', leaseMs: 60_000 }, (ctx, handle) =>
    collect(ctx, wrap(handle), { source: stand.sourceId }, { retryForMs: 0 }),
  )
  return getRun(stand.console.db, started.id)
}

const archives = () => stand.console.db.prisma.archive.findMany({ orderBy: { at: 'asc' } })
const wholeLeaf = async (leaf: string) =>
  (
    await stand.service.query(
      `SELECT r.*, b.headers, b.body, b.effects FROM ${leaf} r LEFT JOIN ${leaf.replace('record', 'body')} b USING (scope_id, key)
       ORDER BY r.key`,
    )
  ).rows

test('a native leaf is archived before it is dropped, found again by key, and restored byte by byte', async () => {
  const leaf = await expiredLeaf(2001, 900)
  const before = await wholeLeaf(leaf)
  expect(await run()).toMatchObject({ outcome: 'collected', counts: { leaves: 1, archives: 1 } })
  expect((await stand.service.query('SELECT to_regclass($1) AS there', [leaf])).rows).toEqual([
    { there: null },
  ])

  const identity = { sourceId: stand.sourceId, scope: SCOPE, key: '2001-300' }
  const [found, ...more] = await findArchived(stand.system, identity)
  expect(more).toEqual([])
  expect(found).toMatchObject({
    key: '2001-300',
    expiresAt: '2001-01-01 00:05:00.0003+00',
    row: { status: 201, state: 'C', body: '\\x00ff10', effects: [{ step: 'charge' }] },
  })
  const [archive] = await archives()
  expect(archive).toMatchObject({ id: found?.archiveId, rows: 900, collectedAt: expect.any(Date) })

  const id = found?.archiveId ?? ''
  const admin = await stand.as('admin')
  await expect(restoreArchive(admin, id)).rejects.toMatchObject({ code: 'unprocessable' })
  const sql = await restoreSql(admin, id)
  await stand.service.query(sql)
  const table = /CREATE TABLE (\w+)/.exec(sql)?.[1]
  expect((await stand.service.query(`SELECT * FROM ${table} ORDER BY key`)).rows).toEqual(before)
})

test('pages are bounded by what the bodies weigh, and lose none', async () => {
  const leaf = await expiredLeaf(2004, 9)
  await stand.service.query(
    `UPDATE ${leaf.replace('record', 'body')} SET body = decode(repeat('ab', 9 * 1024 * 1024), 'hex')`,
  )
  const { source } = await openIntentSource(stand.system, stand.sourceId)
  const sizes: number[] = []
  const keys: string[] = []
  let position: string | null = null
  do {
    const page: LeafPage | undefined = await source.readLeaf?.(`public.${leaf}`, position, 5)
    sizes.push(page?.rows.length ?? 0)
    keys.push(...(page?.rows.map(({ key }) => key) ?? []))
    position = page?.next ?? null
  } while (position !== null)
  expect(new Set(keys).size).toBe(9)
  expect(keys).toHaveLength(9)
  // Three rows have 9 MiB each: no two of them in one page.
  expect(sizes.length).toBeGreaterThanOrEqual(3)
  await stand.service.query(`DROP TABLE ${leaf}, ${leaf.replace('record', 'body')}`)
})

test('a leaf that a reader keeps is archived once, however many runs meet it', async () => {
  const leaf = await expiredLeaf(2002, 50)
  const known = (await archives()).length
  const reader = await stand.service.connect()
  await reader.query('BEGIN')
  await reader.query(`SELECT count(*) FROM ${leaf}`)
  expect(await run()).toMatchObject({ outcome: 'busy', counts: { archives: 1, busy: 1 } })
  expect(await run()).toMatchObject({ outcome: 'busy', counts: { archives: 0, busy: 1 } })
  expect((await archives()).slice(known)).toMatchObject([{ rows: 50, collectedAt: null }])
  await reader.query('COMMIT')
  reader.release()
  expect(await run()).toMatchObject({ outcome: 'collected', counts: { leaves: 1, archives: 0 } })
  expect((await archives()).slice(known)).toMatchObject([{ rows: 50, collectedAt: expect.any(Date) }])
})

test('an archive that was killed in the middle goes on where it stopped', async () => {
  const leaf = await expiredLeaf(2003, 11_000)
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
  expect((await stand.service.query('SELECT to_regclass($1) AS there', [leaf])).rows).toEqual([
    { there: leaf },
  ])
  expect(await run()).toMatchObject({ outcome: 'collected', counts: { leaves: 1 } })
  const written = (await archives()).slice(known)
  expect(written.map(({ rows }) => rows)).toEqual([5_000, 5_000, 1_000])
  expect(written.every(({ collectedAt }) => collectedAt !== null)).toBe(true)
  const folder = join(dataDir, 'archive', stand.sourceId)
  expect(readdirSync(folder).filter((name) => name.startsWith('leaf-'))).toEqual([])
  for (const key of ['2003-1', '2003-11000']) {
    const found = await findArchived(stand.system, { sourceId: stand.sourceId, scope: SCOPE, key })
    expect(found).toHaveLength(1)
  }
})

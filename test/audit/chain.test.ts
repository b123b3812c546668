import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { append } from '@/lib/audit/append'
import { listAudit } from '@/lib/audit/list'
import { seal } from '@/lib/audit/seal'
import { verifyChain } from '@/lib/audit/verify/verify'
import { systemClock } from '@/lib/core/clock'
import { createTestDatabase, type TestDatabase } from '../support/database'

let console: TestDatabase
beforeAll(async () => {
  console = await createTestDatabase()
})
afterAll(() => console.close())

const ctx = {
  actor: { kind: 'user', userId: 'u', name: 'Olga', role: 'operator', via: 'token', tokenId: 't1' },
  clock: systemClock,
  requestId: 'r',
} as const
const write = (subject: string, after: unknown = { amount: 12n }) =>
  console.db.prisma.$transaction((tx) =>
    append(tx, ctx, {
      verb: 'test.write',
      subject,
      outcome: 'done',
      reason: 'because',
      before: { list: [1] },
      after,
    }),
  )

test('entries are chained once, by many sealers beside many writers', async () => {
  // Six at a time: more would wait for connections, and on a busy machine give up.
  const writers = Array.from({ length: 6 }, async (_, writer) => {
    for (let n = writer; n < 60; n += 6) await write(`s${n}`)
  })
  const sealers = Array.from({ length: 6 }, () => seal(console.db, systemClock))
  await Promise.all([...writers, ...sealers])
  await seal(console.db, systemClock)
  const report = await verifyChain(console.db)
  expect(report).toMatchObject({ ok: true, sealed: 60, unsealed: 0 })
  expect((await seal(console.db, systemClock)).headHash).toBe(report.headHash)
})

test('an entry that commits after later ones is chained after them', async () => {
  const slow = new pg.Client({ connectionString: console.url })
  await slow.connect()
  await slow.query('BEGIN')
  await slow.query(
    `INSERT INTO audit_entry (at, actor, via, verb, subject, outcome) VALUES (now(), 'a', 'b', 'c', 'slow', 'done')`,
  )
  await write('fast')
  expect((await seal(console.db, systemClock)).sealed).toBe(1)
  expect(await verifyChain(console.db)).toMatchObject({ ok: true, unsealed: 0 })
  await slow.query('COMMIT')
  await slow.end()
  expect(await verifyChain(console.db)).toMatchObject({ ok: true, unsealed: 1 })
  expect((await seal(console.db, systemClock)).sealed).toBe(1)
  const rows = await console.db.prisma.auditEntry.findMany({
    where: { subject: { in: ['slow', 'fast'] } },
    include: { seal: true },
    orderBy: { id: 'asc' },
  })
  expect(rows.map((row) => row.subject)).toEqual(['slow', 'fast'])
  expect(Number(rows[0]?.seal?.seq)).toBeGreaterThan(Number(rows[1]?.seal?.seq))
  expect(await verifyChain(console.db)).toMatchObject({ ok: true, unsealed: 0 })
})

test('an entry that commits behind ten thousand younger ones is sealed by the next pass', async () => {
  const own = await createTestDatabase()
  const slow = new pg.Client({ connectionString: own.url })
  await slow.connect()
  const insert = (subject: string, count: number) =>
    `INSERT INTO audit_entry (at, actor, via, verb, subject, outcome)
     SELECT now(), 'a', 'b', 'c', '${subject}', 'done' FROM generate_series(1, ${count})`
  await slow.query('BEGIN')
  await slow.query(insert('slow', 1))
  await own.db.pool.query(insert('fast', 10_500))
  expect((await seal(own.db, systemClock)).sealed).toBe(10_500)
  await slow.query('COMMIT')
  await slow.end()
  expect((await seal(own.db, systemClock)).sealed).toBe(1)
  expect(await verifyChain(own.db)).toMatchObject({ ok: true, sealed: 10_501, unsealed: 0 })
  await own.close()
})

test('entries and seals cannot be changed, removed or emptied', async () => {
  for (const table of ['audit_entry', 'audit_seal']) {
    const column = table === 'audit_entry' ? 'verb' : 'sealed_at'
    await expect(console.db.pool.query(`UPDATE ${table} SET ${column} = ${column}`)).rejects.toThrow(
      'append-only',
    )
    await expect(console.db.pool.query(`DELETE FROM ${table}`)).rejects.toThrow('append-only')
    await expect(console.db.pool.query(`TRUNCATE ${table} CASCADE`)).rejects.toThrow('append-only')
  }
})

test('whoever gets round that is found out', async () => {
  const tamper = async (sql: string, undo: string) => {
    await console.db.pool.query(
      'ALTER TABLE audit_entry DISABLE TRIGGER USER; ALTER TABLE audit_seal DISABLE TRIGGER USER',
    )
    await console.db.pool.query(sql)
    const report = await verifyChain(console.db)
    await console.db.pool.query(undo)
    await console.db.pool.query(
      'ALTER TABLE audit_entry ENABLE TRIGGER USER; ALTER TABLE audit_seal ENABLE TRIGGER USER',
    )
    return report
  }
  const entry = await console.db.prisma.auditEntry.findFirstOrThrow({
    where: { subject: 's7' },
    include: { seal: true },
  })
  const where = `WHERE id = ${entry.id}`
  expect(
    await tamper(
      `UPDATE audit_entry SET actor = 'Mallory' ${where}`,
      `UPDATE audit_entry SET actor = 'Olga' ${where}`,
    ),
  ).toMatchObject({
    ok: false,
    brokenAt: {
      entryId: entry.id.toString(),
      seq: entry.seal?.seq.toString(),
      why: expect.stringContaining('changed'),
    },
  })
  expect(
    await tamper(
      `UPDATE audit_entry SET after = '{"amount":"13"}' ${where}`,
      `UPDATE audit_entry SET after = '{"amount":"12"}' ${where}`,
    ),
  ).toMatchObject({ ok: false })
  expect(
    await tamper(
      `CREATE TABLE gone AS SELECT * FROM audit_seal WHERE seq = 20; DELETE FROM audit_seal WHERE seq = 20`,
      'INSERT INTO audit_seal SELECT * FROM gone',
    ),
  ).toMatchObject({ ok: false, sealed: 19, brokenAt: { why: expect.stringContaining('missing') } })
  expect(await verifyChain(console.db)).toMatchObject({ ok: true })
})

test('the list is filtered and paged, newest first', async () => {
  const page = await listAudit(console.db, { verb: 'test.write' }, { limit: 2 })
  expect(page.items[0]).toMatchObject({
    subject: 'fast',
    actor: 'Olga',
    via: 'token:t1',
    after: { amount: '12' },
    seal: { seq: expect.any(String) },
  })
  const next = await listAudit(console.db, { verb: 'test.write' }, { limit: 200, cursor: page.next ?? '' })
  expect(next.items).toHaveLength(59)
  expect(next.next).toBeNull()
  expect((await listAudit(console.db, { subject: 's7' }, { limit: 5 })).items).toHaveLength(1)
})

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { exportChain } from '@/lib/audit/export/export-chain'
import { seal } from '@/lib/audit/seal'
import { publicKeyPem, readPublicKey, signingKeys } from '@/lib/audit/signing'
import { verifyChain } from '@/lib/audit/verify/verify'
import { verifyExport } from '@/lib/audit/verify/verify-export'
import type { Context } from '@/lib/context'
import { manualClock } from '@/lib/core/clock'
import { silentLog } from '@/lib/log'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'

/** What the owner of the tables could do to the audit, and how that is found out. */

const clock = manualClock('2026-01-01T00:00:00Z')
const seed = () => randomBytes(32).toString('hex')
const keys = signingKeys([seed()])
const publicKeys = keys.map((key) => readPublicKey(publicKeyPem(key)))

let console: TestDatabase
beforeEach(async () => {
  console = await createTestDatabase()
  await write('one', 'two', 'three')
})
beforeEach(() => async () => console.close())

const write = (...subjects: string[]) =>
  console.db.prisma.auditEntry.createMany({
    data: subjects.map((subject) => ({
      at: clock.now(),
      actor: 'Olga',
      via: 'session',
      verb: 'test.write',
      subject,
      outcome: 'done',
      after: { amount: '12', rate: 1.5, text: 'é 🙂 \u2028' },
    })),
  })
const sealed = (options: Parameters<typeof seal>[2] = { keys }) => seal(console.db, clock, options)
const verified = (with_ = publicKeys) => verifyChain(console.db, with_)
const asOwner = (sql: string) =>
  console.db.pool.query(`SET session_replication_role = replica; ${sql}; RESET session_replication_role`)

/** Changes an entry and computes every hash after it anew, as the owner of the tables can. */
async function rewrite(subject: string): Promise<void> {
  await asOwner(`UPDATE audit_entry SET actor = 'Mallory' WHERE subject = '${subject}'`)
  await asOwner('TRUNCATE audit_seal')
  await asOwner('INSERT INTO audit_unsealed SELECT id FROM audit_entry ON CONFLICT DO NOTHING')
  const heads = await console.db.prisma.auditHead.findMany()
  await asOwner('TRUNCATE audit_head')
  await seal(console.db, clock)
  for (const { seq, hash, keyId, signature, signedAt } of heads) {
    await console.db.prisma.auditHead.create({ data: { seq, hash, keyId, signature, signedAt } })
  }
}

test('each pass signs the head of what it sealed', async () => {
  await sealed()
  expect(await verified()).toMatchObject({ ok: true, sealed: 3, signed: { seq: '3', signature: 'valid' } })
  await write('four')
  const { head } = await sealed()
  expect(await verified()).toMatchObject({ ok: true, sealed: 4, signed: { seq: '4', signature: 'valid' } })
  await sealed({ keys, seen: head })
  expect(await console.db.prisma.auditHead.count()).toBe(2)
})

test('a chain that was sealed before there was a key is signed by the first pass with one', async () => {
  await sealed({})
  expect(await verified()).toMatchObject({ ok: true, signed: null })
  await sealed()
  expect(await verified()).toMatchObject({ ok: true, signed: { seq: '3', signature: 'valid' } })
})

test('a chain that was rewritten whole does not match its signed head', async () => {
  await sealed()
  await rewrite('two')
  expect(await verified()).toMatchObject({
    ok: false,
    brokenAt: { seq: '3', why: expect.stringContaining('another chain') },
  })
})

test('nobody but the key signs a rewritten chain: the sealer refuses to', async () => {
  const { head } = await sealed()
  await rewrite('two')
  await write('four')
  await expect(sealed()).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('another chain'),
  })
  // All heads gone: a process that sealed before remembers its own.
  await asOwner('TRUNCATE audit_head')
  await expect(sealed({ keys, seen: head })).rejects.toThrow('not there any more')
  expect(await console.db.prisma.auditHead.count()).toBe(0)
})

test('a chain that was cut off behind its head, and a forged head, are found out', async () => {
  await sealed()
  await asOwner('DELETE FROM audit_seal WHERE seq = 3')
  expect(await verified()).toMatchObject({ ok: false, brokenAt: { why: expect.stringContaining('cut off') } })
  await asOwner(
    'TRUNCATE audit_seal; INSERT INTO audit_unsealed SELECT id FROM audit_entry ON CONFLICT DO NOTHING',
  )
  await asOwner('TRUNCATE audit_head')
  await sealed()
  await asOwner(`UPDATE audit_head SET signed_at = signed_at + interval '1 day'`)
  expect(await verified()).toMatchObject({ ok: false, signed: { signature: 'invalid' } })
  await expect(sealed()).rejects.toThrow('not valid')
})

test('seals without a signature after the head are recomputed before they are signed', async () => {
  await sealed()
  await asOwner('CREATE TABLE kept AS SELECT * FROM audit_head')
  await asOwner('TRUNCATE audit_head')
  await write('four', 'five')
  await sealed({})
  await asOwner('INSERT INTO audit_head SELECT * FROM kept')
  await asOwner(`UPDATE audit_entry SET actor = 'Mallory' WHERE subject = 'four'`)
  await expect(sealed()).rejects.toThrow('seal 4: the entry was changed')
  await asOwner(`UPDATE audit_entry SET actor = 'Olga' WHERE subject = 'four'`)
  await sealed()
  expect(await verified()).toMatchObject({ ok: true, signed: { seq: '5', signature: 'valid' } })
})

test('another key takes over while the earlier one still verifies; alone it does not', async () => {
  const first = seed()
  await sealed({ keys: signingKeys([first]) })
  await write('four')
  const second = seed()
  await expect(sealed({ keys: signingKeys([second]) })).rejects.toThrow('earlier key')
  await expect(sealed({})).rejects.toThrow('IDEMSCOPE_AUDIT_KEY is not set')
  await sealed({ keys: signingKeys([second, first]) })
  expect(await verified(signingKeys([second]))).toMatchObject({
    ok: true,
    signed: { seq: '4', signature: 'valid' },
  })
  expect(await verified(signingKeys([first]))).toMatchObject({
    ok: false,
    signed: { signature: 'unknown_key' },
  })
})

const ctx = () =>
  ({
    db: console.db,
    clock,
    requestId: 'r',
    log: silentLog,
    queue: noQueue,
    actor: { kind: 'user', userId: 'u', name: 'Olga', role: 'viewer', via: 'session' },
  }) satisfies Context

async function exported(from = 1): Promise<string[]> {
  let text = ''
  for await (const chunk of await exportChain(ctx(), { from })) text += chunk
  return text.trimEnd().split('\n')
}
async function* each(lines: readonly string[]) {
  yield* lines
}
const proved = (lines: readonly string[], with_ = publicKeys) => verifyExport(each(lines), with_)

test('an export is proved by the public key alone, in whole and from a seal on; taking it is audited', async () => {
  await sealed()
  await write('four')
  await sealed()
  const lines = await exported()
  expect(await proved(lines)).toMatchObject({
    ok: true,
    entries: 4,
    from: '1',
    signed: { seq: '4' },
    unsigned: 0,
  })
  expect(await proved(await exported(4))).toMatchObject({ ok: true, entries: 1, from: '4' })
  await expect(exported(6)).rejects.toMatchObject({ code: 'unprocessable' })
  expect(await console.db.prisma.auditEntry.count({ where: { verb: 'audit.export' } })).toBe(2)
})

test('what is chained after the last signed head is told apart', async () => {
  await sealed()
  await asOwner('CREATE TABLE kept AS SELECT * FROM audit_head; TRUNCATE audit_head')
  await write('four')
  await sealed({})
  await asOwner('INSERT INTO audit_head SELECT * FROM kept')
  expect(await proved(await exported())).toMatchObject({
    ok: true,
    entries: 4,
    signed: { seq: '3' },
    unsigned: 1,
  })
})

const edit = (lines: readonly string[], at: number, change: (line: string) => string | null) =>
  lines.flatMap((line, index) => (index === at ? (change(line) ?? []) : line))

test.each<[string, (lines: string[]) => string[], string]>([
  [
    'an entry was changed',
    (lines) => edit(lines, 2, (line) => line.replace('Olga', 'Mallory')),
    'not what was sealed',
  ],
  ['an entry is missing', (lines) => edit(lines, 2, () => null), 'missing'],
  ['the end is missing', (lines) => lines.slice(0, -1), 'cut off'],
  ['heads are missing', (lines) => lines.filter((line) => !line.includes('"head"')), 'no head'],
  [
    'a signature was changed',
    (lines) => edit(lines, 4, (line) => line.replace(/"signature":"..../, '"signature":"AAAA')),
    'not valid',
  ],
  ['the beginning is missing', (lines) => lines.slice(1), 'no beginning'],
  ['a line is not JSON', (lines) => edit(lines, 1, () => 'x'), 'no line'],
  ['a line follows the end', (lines) => [...lines, lines[1] ?? ''], 'after the end'],
])('an export is not proved when %s', async (_, tamper, why) => {
  await sealed()
  expect(await proved(tamper(await exported()))).toMatchObject({
    ok: false,
    fault: { why: expect.stringContaining(why) },
  })
})

test('an export is not proved by another key', async () => {
  await sealed()
  expect(await proved(await exported(), signingKeys([seed()]))).toMatchObject({ ok: false, signed: null })
})

const run = promisify(execFile)
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'idemscope-audit-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('the command line proves an export without a database or a configuration', async () => {
  await sealed()
  const lines = await exported()
  const [file, bad, pem] = ['good.ndjson', 'bad.ndjson', 'public.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  await writeFile(bad, `${edit(lines, 2, (line) => line.replace('Olga', 'Mallory')).join('\n')}\n`)
  await writeFile(pem, keys.map(publicKeyPem).join(''))
  const cli = (...args: string[]) =>
    run(process.execPath, ['--import', 'tsx', 'jobs/cli/verify-audit.ts', ...args], {
      env: { NODE_ENV: 'test', PATH: process.env.PATH, HOME: process.env.HOME },
    }).then(
      ({ stdout }) => ({ code: 0, text: stdout }),
      (error) => ({ code: error.code, text: `${error.stdout}${error.stderr}` }),
    )
  expect(await cli(file, '--key', pem)).toMatchObject({
    code: 0,
    text: expect.stringContaining('OK: 3 entries'),
  })
  expect(await cli(bad, '--key', pem)).toMatchObject({ code: 1, text: expect.stringContaining('line 3') })
  expect(await cli(file)).toMatchObject({ code: 2, text: expect.stringContaining('Usage') })
})

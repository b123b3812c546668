import { afterAll, beforeAll, expect, test } from 'vitest'
import { append } from '@/lib/audit/append'
import { countVerbs } from '@/lib/audit/count-verbs'
import { exportAudit } from '@/lib/audit/export/export'
import { findEntry } from '@/lib/audit/find-entry'
import { listAudit } from '@/lib/audit/list'
import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { createTestDatabase, type TestDatabase } from '../support/database'

let console: TestDatabase
let ctx: Context
beforeAll(async () => {
  console = await createTestDatabase()
  ctx = {
    db: console.db,
    clock: systemClock,
    actor: { kind: 'user', userId: 'u', name: 'Olga', role: 'viewer', via: 'session' },
    requestId: 'r',
  } as Context
  for (const [subject, reason] of [
    ['s1', '=HYPERLINK("http://evil")'],
    ['s2', 'a plain reason, with a comma'],
  ]) {
    await console.db.prisma.$transaction((tx) =>
      append(tx, ctx, {
        verb: 'test.write',
        subject: subject ?? '',
        outcome: 'done',
        reason,
        after: { n: 1 },
      }),
    )
  }
})
afterAll(() => console.close())

test('an export is escaped, honours the filter, carries offsets, and is audited with what was taken', async () => {
  const { text, rows, truncated } = await exportAudit(ctx, { verb: 'test.write' }, 'csv')
  expect({ rows, truncated }).toEqual({ rows: 2, truncated: false })
  expect(text).toContain(`"'=HYPERLINK(""http://evil"")"`)
  expect(text).toMatch(/\+00:00,Olga/)
  expect(text.split('\r\n')).toHaveLength(4)
  const one = await exportAudit(ctx, { subject: 's2' }, 'json')
  expect(JSON.parse(one.text)).toMatchObject({ items: [{ subject: 's2' }], truncated: false })
  const taken = await listAudit(console.db, { verb: 'audit.export' }, { limit: 10 })
  expect(taken.items.map(({ after }) => after)).toMatchObject([
    { format: 'json', rows: 1 },
    { format: 'csv', rows: 2 },
  ])
})

test('text finds subjects, reasons and people; verbs are counted in a window; one entry is found whole', async () => {
  const find = async (text: string) => (await listAudit(console.db, { text }, { limit: 10 })).items
  expect((await find('COMMA')).map(({ subject }) => subject)).toEqual(['s2'])
  expect(await find('nowhere')).toEqual([])
  const [entry] = await find('s1')
  expect(await findEntry(console.db, entry?.id ?? '')).toEqual(entry)
  await expect(findEntry(console.db, 'aud_999999')).rejects.toMatchObject({ code: 'not_found' })
  await expect(findEntry(console.db, 'x')).rejects.toMatchObject({ code: 'not_found' })
  const from = new Date(Date.now() - 60_000)
  const verbs = await countVerbs(console.db, from, new Date(Date.now() + 60_000))
  expect(verbs).toContainEqual({ verb: 'test.write', count: 2 })
  expect(await countVerbs(console.db, new Date(0), from)).toEqual([])
})

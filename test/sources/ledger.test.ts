import { readFile } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LEDGER_CONFIG } from '@/jobs/supervisor/demo/demo-sources'
import type { LedgerRow, LedgerSource } from '@/lib/sources/contracts'
import { ledgerConfigSchema } from '@/lib/sources/ledger-postgres/config'
import { openLedgerSource } from '@/lib/sources/ledger-postgres/open'
import { createEmptyDatabase } from '../support/database'

let database: Awaited<ReturnType<typeof createEmptyDatabase>>
let service: pg.Pool
let source: LedgerSource
const CONFIG = { ...LEDGER_CONFIG, kinds: { charge: ['charge'], refund: ['refund'] }, overlapMs: 1_000 }
const open = (config: object = {}) =>
  openLedgerSource(ledgerConfigSchema.parse({ ...CONFIG, ...config }), { url: database.url })

beforeAll(async () => {
  database = await createEmptyDatabase()
  service = new pg.Pool({ connectionString: database.url, max: 3 })
  service.on('error', () => undefined)
  await service.query(await readFile(new URL('../../demo/service/schema.sql', import.meta.url), 'utf8'))
  source = open()
})
afterAll(async () => {
  await source.close()
  await service.end()
  await database.close()
})

const book = (ref: string, at = 'clock_timestamp()') =>
  service.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency, booked_at)
     VALUES ('charge', $1, $1, 'order', 1050, 'USD', ${at})`,
    [ref],
  )

test('rows come in pages, many of them booked in the same microsecond, and late ones within the overlap', async () => {
  const at = `'2026-11-22 10:00:00.123456+00'`
  for (let n = 0; n < 12; n++) await book(`ch_${n}`, at)
  const all: LedgerRow[] = []
  let cursor: string | null = null
  for (let more = true; more; ) {
    const page: Awaited<ReturnType<LedgerSource['readRows']>> = await source.readRows(cursor, 5)
    all.push(...page.items)
    ;({ cursor, more } = page)
  }
  expect(all.map(({ providerRef }) => providerRef).sort()).toEqual(
    Array.from({ length: 12 }, (_, n) => `ch_${n}`).sort(),
  )
  expect(all[0]).toMatchObject({ kind: 'charge', amountMinor: 1050n, currency: 'USD', reversedAt: null })
  await book('ch_late', `clock_timestamp() - interval '500 milliseconds'`)
  expect((await source.readRows(cursor, 50)).items.map(({ providerRef }) => providerRef)).toEqual(['ch_late'])
})

const placeOf = (cursor: string) => {
  const { bookedAt, entryId } = JSON.parse(cursor)
  return { bookedAt, entryId }
}

test('a page in bulk holds the rows that a page row by row holds, and ends where it ends', async () => {
  let cursor: string | null = null
  for (let more = true; more; ) {
    const sink = new PassThrough()
    const [page, bulk, copied]: [
      Awaited<ReturnType<LedgerSource['readRows']>>,
      Awaited<ReturnType<LedgerSource['copyPage']>>,
      string,
    ] = await Promise.all([
      source.readRows(cursor, 5),
      source.copyPage(cursor, 5, async () => sink),
      text(sink),
    ])
    const ids = copied
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[0])
    expect(ids.sort()).toEqual(page.items.map(({ entryId }) => entryId).sort())
    expect(bulk.more).toBe(page.more)
    if (page.more) expect(placeOf(bulk.cursor)).toEqual(placeOf(page.cursor))
    ;({ cursor, more } = page)
  }
})

test('what the mapping calls neither charge nor refund is other, never dropped', async () => {
  const strict = open({ kinds: { charge: ['sale'], refund: [] } })
  expect((await strict.readByProviderRefs(['ch_1']))[0]).toMatchObject({ kind: 'other', rawKind: 'charge' })
  await strict.close()
})

test('a row without a currency is one that cannot be understood: it has none, row by row and in bulk', async () => {
  await service.query(
    `CREATE VIEW without_currency AS
     SELECT entry_id, entry_kind, provider_ref, charge_ref, reference, amount_minor, booked_at, reversed_at, correction_id,
       CASE WHEN provider_ref = 'ch_1' THEN NULL WHEN provider_ref = 'ch_2' THEN ' ' ELSE currency END AS currency
     FROM ledger_entry`,
  )
  const holed = open({ relation: { schema: 'public', name: 'without_currency' } })
  const missing = { kind: 'other', currency: null, unreadable: 'its currency is missing' }
  const rows = await holed.readByProviderRefs(['ch_1', 'ch_2'])
  expect(rows.length).toBeGreaterThan(0)
  for (const row of rows) expect(row).toMatchObject(missing)
  const sink = new PassThrough()
  const [, copied] = await Promise.all([holed.copyPage(null, 100, async () => sink), text(sink)])
  const lines = copied
    .trim()
    .split('\n')
    .map((line) => line.split('\t'))
  const odd = lines.filter((fields) => fields.at(-1) === 'its currency is missing')
  expect(odd.map((fields) => [fields[1], fields[7]])).toEqual(rows.map(() => ['other', '\\N']))
  await holed.close()
})

test('identifiers are resolved through the catalogue: what is not a column is refused, whatever it spells', async () => {
  const evil = open({ columns: { ...CONFIG.columns, currency: 'currency; DROP TABLE ledger_entry' } })
  await expect(evil.readRows(null, 1)).rejects.toThrow(/has no column/)
  const absent = open({ relation: { schema: 'public', name: 'nowhere' } })
  await expect(absent.readRows(null, 1)).rejects.toThrow(/no table or view/)
  const wrong = open({ columns: { ...CONFIG.columns, amountMinor: 'currency' } })
  expect(await wrong.readByProviderRefs(['ch_1'])).toMatchObject([
    { kind: 'other', unreadable: 'its amount is no whole number of minor units: USD' },
  ])
  await Promise.all([evil.close(), absent.close(), wrong.close()])
})

test('a view with quoted names is read as well, and nothing can be written through a reading session', async () => {
  await service.query(
    `CREATE VIEW "Book Entries" AS SELECT entry_id AS "Id", entry_kind AS "Kind", provider_ref, reference, amount_minor AS "Amount", currency, booked_at FROM ledger_entry`,
  )
  const view = openLedgerSource(
    ledgerConfigSchema.parse({
      relation: { schema: 'public', name: 'Book Entries' },
      columns: {
        entryId: 'Id',
        kind: 'Kind',
        providerRef: 'provider_ref',
        reference: 'reference',
        amountMinor: 'Amount',
        currency: 'currency',
        bookedAt: 'booked_at',
      },
      kinds: CONFIG.kinds,
    }),
    { url: database.url },
  )
  expect((await view.readRows(null, 3)).items).toHaveLength(3)
  expect(view.canCorrect).toBe(false)
  await service.query(
    `CREATE FUNCTION sneaky(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN DELETE FROM ledger_entry; RETURN $1; END $$`,
  )
  await service.query(
    `CREATE VIEW sneaky_view AS SELECT entry_id, entry_kind, sneaky(provider_ref) AS provider_ref, reference, amount_minor, currency, booked_at FROM ledger_entry`,
  )
  const sneaky = openLedgerSource(
    ledgerConfigSchema.parse({
      ...CONFIG,
      relation: { schema: 'public', name: 'sneaky_view' },
      correction: undefined,
      columns: {
        entryId: 'entry_id',
        kind: 'entry_kind',
        providerRef: 'provider_ref',
        reference: 'reference',
        amountMinor: 'amount_minor',
        currency: 'currency',
        bookedAt: 'booked_at',
      },
    }),
    { url: database.url },
  )
  await expect(sneaky.readRows(null, 1)).rejects.toThrow(/read-only/)
  await Promise.all([view.close(), sneaky.close()])
})

test('a correction is one call of one function, idempotent by its action, and found again by it', async () => {
  const correction = {
    actionId: 'act_9',
    kind: 'book_charge' as const,
    entryId: null,
    providerRef: 'ch_new',
    chargeRef: 'ch_new',
    paymentIntent: null,
    reference: 'order-9',
    amountMinor: 1050n,
    currency: 'USD',
  }
  expect(await source.readCorrection(correction)).toBeNull()
  const first = await source.correct(correction)
  expect(first.applied).toBe(true)
  expect(await source.correct(correction)).toEqual({ applied: false, entryId: first.entryId })
  expect(await source.readCorrection(correction)).toMatchObject({
    providerRef: 'ch_new',
    entryId: first.entryId,
  })
})

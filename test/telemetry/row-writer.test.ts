import { afterAll, beforeAll, expect, it } from 'vitest'
import { copyIn } from '@/lib/telemetry/ingest/rows/copy-in'
import { OID, RowWriter } from '@/lib/telemetry/ingest/rows/row-writer'
import { microsOf, textOfMicros } from '@/lib/telemetry/micros'
import { createTestDatabase, type TestDatabase } from '../support/database'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const COLUMNS =
  'b boolean, i2 smallint, i4 integer, i8 bigint, at timestamptz, t text, j jsonb, id bytea, ids bytea[]'

/** What PostgreSQL reads of the rows, as its own text. */
async function throughPostgres(write: (to: RowWriter) => void): Promise<Record<string, unknown>[]> {
  const client = await database.db.pool.connect()
  try {
    await client.query(`CREATE TEMP TABLE written (place int GENERATED ALWAYS AS IDENTITY, ${COLUMNS})`)
    const writer = new RowWriter(1)
    write(writer)
    await copyIn(client, [{ target: 'written (b, i2, i4, i8, at, t, j, id, ids)', pieces: writer.take() }])
    const { rows } = await client.query(
      `SELECT b, i2, i4, i8::text, at AT TIME ZONE 'UTC' || '' AS at, t, j, encode(id, 'hex') AS id, ids::text
       FROM written ORDER BY place`,
    )
    return rows
  } finally {
    await client.query('DROP TABLE written')
    client.release()
  }
}

function row(to: RowWriter, i8: bigint, us: number, text: string) {
  to.row(9)
  to.bool(true)
  to.int2(-32_768)
  to.int4(-2_147_483_648)
  to.int8(i8)
  to.time(us)
  to.text(text)
  to.jsonb(JSON.stringify({ text }))
  to.hex('00ff10')
  to.hexArray(['00', 'ffee'])
}

it('PostgreSQL reads what was written: bounds, times on both sides of 2000, any text', async () => {
  const us = microsOf(new Date('2026-11-22T12:00:00Z')) + 1
  const text = 'tab\tline\nback\\slash "quoted" \\N ünïcödé 漢字 😀'
  const rows = await throughPostgres((to) => {
    row(to, 2n ** 63n - 1n, us, text)
    row(to, -(2n ** 63n), -1, '')
    row(to, 0n, Number.POSITIVE_INFINITY, 'x')
  })
  const same = { b: true, i2: -32_768, i4: -2_147_483_648, id: '00ff10', ids: '{"\\\\x00","\\\\xffee"}' }
  expect(rows).toEqual([
    { ...same, i8: '9223372036854775807', at: '2026-11-22 12:00:00.000001', t: text, j: { text } },
    { ...same, i8: '-9223372036854775808', at: '1969-12-31 23:59:59.999999', t: '', j: { text: '' } },
    { ...same, i8: '0', at: 'infinity', t: 'x', j: { text: 'x' } },
  ])
})

it('null is null in every type', async () => {
  const rows = await throughPostgres((to) => {
    to.row(9)
    to.bool(false)
    to.int2(null)
    to.int4(null)
    to.int8(null)
    to.time(null)
    to.text(null)
    to.jsonb(null)
    to.hex(null)
    to.hexArray(['ab'])
  })
  const none = { i2: null, i4: null, i8: null, at: null, t: null, j: null, id: null }
  expect(rows).toEqual([{ b: false, ...none, ids: '{"\\\\xab"}' }])
})

it('what is not hexadecimal is refused before it is sent', () => {
  expect(() => new RowWriter().hex('00zz')).toThrow(RangeError)
})

it('rows go on over pieces, and one may be larger than a piece', async () => {
  const long = '漢'.repeat(200_000)
  const texts = [...Array.from({ length: 2_000 }, (_, index) => `row ${index}`), long, 'the last']
  const rows = await throughPostgres((to) => {
    for (const text of texts) row(to, 1n, 0, text)
  })
  expect(rows.map(({ t }) => t)).toEqual(texts)
})

it('arrays go as parameters, nulls among them', async () => {
  const writer = new RowWriter()
  writer.array(OID.timestamptz, 2)
  writer.time(1)
  writer.time(null)
  const times = Buffer.concat(writer.take())
  writer.array(OID.text, 0)
  const none = Buffer.concat(writer.take())
  const { rows } = await database.db.pool.query(
    'SELECT extract(epoch FROM ($1::timestamptz[])[1]) * 1000000 AS us, cardinality($1) AS n, cardinality($2::text[]) AS none',
    [times, none],
  )
  expect(rows).toEqual([{ us: '1.000000', n: 2, none: 0 }])
})

it('a time as text is what PostgreSQL reads as the same time', async () => {
  for (const us of [1_700_000_000_123_456, 1, Number.POSITIVE_INFINITY]) {
    const text = textOfMicros(us)
    const { rows } = await database.db.pool.query(
      'SELECT (extract(epoch FROM $1::timestamptz) * 1000000)::float8 AS us',
      [text],
    )
    expect(rows[0].us).toBe(us)
  }
})

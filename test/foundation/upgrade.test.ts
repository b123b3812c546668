import { readFileSync } from 'node:fs'
import pg from 'pg'
import { expect, test } from 'vitest'
import { applyMigrations, diffToSchema } from '@/prisma/engine'
import { readMigrations } from '@/prisma/history'
import { expectRowsKept, readAllRows } from '../support/all-rows'
import { createEmptyDatabase } from '../support/database'

/** Each release with its newest migration; its rows are in `releases`. What a later migration adds is tested by itself. */
const RELEASES = [{ version: '0.1.0', last: '20261130000000_first' }]

test.each(RELEASES)(
  'a database of $version with rows in every table is upgraded',
  async ({ version, last }) => {
    const database = await createEmptyDatabase()
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    try {
      const later = readMigrations().flatMap(({ name }) => (name > last ? [name] : []))
      await applyMigrations(database.url, last)
      await client.query(readFileSync(`test/foundation/releases/${version}.sql`, 'utf8'))
      const before = await readAllRows(client)
      const empty = Object.keys(before).filter((table) => before[table]?.length === 0)
      expect(empty, 'tables without a row').toEqual([])

      expect(await applyMigrations(database.url)).toEqual(later)
      expectRowsKept(before, await readAllRows(client))
      expect((await diffToSchema(database.url)).trim()).toBe('-- This is an empty migration.')
    } finally {
      await client.end()
      await database.close()
    }
  },
)
